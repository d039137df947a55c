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

    Filters still decide whether a warning is shown, ignored or raised. Python's own
    filter "once" is not enough: it shows a warning again whenever a library has
    changed the filters.

    Parameters
    ----------
    shown : set of (str, type), default=None
        Messages and categories that were shown before. New ones are added to it.
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

    On Ctrl-C, `MLPClassifier` and skorch's nets stop training and return as if they
    were done. The score of such a model must not be kept.
    """
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    # Leave other handlers alone. Outside of the main thread there are no signals.
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
    between the main process and its workers. Parallelism comes from running several
    trainings at the same time; small ones are faster on one thread anyway.
    """
    with _one_torch_thread(), _controller(len(sys.modules)).limit(limits=1):
        yield


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    """Run a block with one thread in torch, if it is imported."""
    # torch has an MKL of its own, which threadpoolctl does not limit.
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
    """Return a controller of the libraries loaded with this number of modules."""
    # Finding the loaded libraries takes milliseconds, so the result is cached until
    # another module is imported, which may have loaded one.
    return ThreadpoolController()
