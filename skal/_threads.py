"""Threads, signals and warnings around a training."""

import functools
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController


@contextmanager
def warn_once(shown: set | None = None) -> Iterator[None]:
    """Show each warning of a block once, and not once per training.

    What is shown, ignored or raised is up to the filters, as ever. The interpreter's
    own filter "once" forgets what it has shown whenever a library changes a filter.

    Parameters
    ----------
    shown : set, default=None
        What was shown before, to be added to.
    """
    shown = set() if shown is None else shown
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_once(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
            if (str(message), category) not in shown:
                shown.add((str(message), category))
                show(message, category, *args, **kwargs)

        warnings.showwarning = show_once
        yield


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt after a block in which Ctrl-C was pressed.

    `MLPClassifier` and nets of skorch take Ctrl-C as the end of their training and
    return, half trained. The score of such a model must not be kept.
    """
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    # Other handlers may have other plans for the signal, and threads get none.
    if not is_main or handler is not signal.default_int_handler:
        yield
        return
    pressed = []

    def interrupt(*signal_and_frame: Any) -> None:
        pressed.append(signal_and_frame)
        signal.default_int_handler(*signal_and_frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if pressed:
        raise KeyboardInterrupt


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run a block with one thread in BLAS and OpenMP.

    The number of threads changes the last bits of a matrix product, and it differs
    between the main process and its workers. Trainings run side by side instead, and
    small ones are faster on one thread anyway.
    """
    with _one_torch_thread(), _controller(len(sys.modules)).limit(limits=1):
        yield


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    # What was set through torch holds for its own MKL, which nobody else reaches.
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.lru_cache(maxsize=1)
def _controller(n_modules: int) -> ThreadpoolController:
    # To find the loaded libraries takes milliseconds, and a new module may bring one.
    return ThreadpoolController()
