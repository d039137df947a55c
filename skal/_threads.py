"""Threads, signals and warnings around a training."""

import functools
import os
import signal
import sys
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from threadpoolctl import ThreadpoolController


class _Shared(ABC):
    """A change of the whole process, which lasts as long as any thread needs it.

    Blocks of several threads may overlap in any order. If each of them restored what
    it had found, the last one would restore the change of another thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        # The blocks that were entered, and the thread of each.
        self._inside: dict[object, int] = {}
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_other_threads)

    @abstractmethod
    def _make(self) -> None:
        """Make the change at the begin of a block; it may have been made before."""

    @abstractmethod
    def _undo(self) -> None:
        """Undo the change, unless that was done already."""

    @contextmanager
    def block(self) -> Iterator[None]:
        """Make the change for a block."""
        token = object()
        try:
            try:
                self._enter(token)
                yield
            finally:
                self._leave(token)
        finally:
            # Once more, in case that Ctrl-C has cut it short.
            self._leave(token)

    def _enter(self, token: object) -> None:
        with self._lock:
            self._inside[token] = threading.get_ident()
            self._make()

    def _leave(self, token: object) -> None:
        with self._lock:
            self._inside.pop(token, None)
            if not self._inside:
                self._undo()

    def _leave_other_threads(self) -> None:
        """Forget the blocks of threads that do not exist after a fork."""
        self._lock = threading.RLock()
        here = threading.get_ident()
        self._inside = {key: one for key, one in self._inside.items() if one == here}


class _ShowOnce:
    """Takes the place of `warnings.showwarning`, and shows each warning only once.

    Parameters
    ----------
    show : callable
        The function whose place it takes.
    """

    def __init__(self, show: Any) -> None:
        self.show = show

    def __call__(self, message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
        key = str(message), category
        sets = _shown_here()
        is_new = all(key not in shown for shown in sets)
        for shown in sets:
            shown.add(key)
        if is_new:
            self.show(message, category, *args, **kwargs)


class _Warnings(_Shared):
    """Warnings are shown by `_ShowOnce`; in the end, filters are as they were."""

    def __init__(self) -> None:
        super().__init__()
        self._before: warnings.catch_warnings | None = None

    def _make(self) -> None:
        if self._before is None:
            self._before = warnings.catch_warnings()
            self._before.__enter__()
            show = warnings.showwarning
            # Another thread may have put back the one of an earlier block.
            show = show.show if isinstance(show, _ShowOnce) else show
            warnings.showwarning = _ShowOnce(show)

    def _undo(self) -> None:
        if self._before is not None:
            self._before.__exit__(None, None, None)
            self._before = None


_warnings = _Warnings()


def restored_warnings() -> Any:
    """Return a context manager that restores the filters of warnings after a block.

    In several threads, they are restored when all of them have left such blocks.

    Returns
    -------
    context manager
    """
    return _warnings.block()


class _Ignored(_Shared):
    """A filter that ignores some warnings.

    Parameters
    ----------
    message : str
        A regular expression that the begin of the message matches.
    """

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message
        self._places: list[tuple[list[Any], Any]] = []

    def _make(self) -> None:
        if not self._places:
            warnings.filterwarnings("ignore", self._message)
            filters: Any = warnings.filters
            self._places.append((filters, filters[0]))

    def _undo(self) -> None:
        while self._places:
            filters, added = self._places[-1]
            # Another thread may have exchanged the list, and may put back the old one.
            current: Any = warnings.filters
            for one in (filters, current):
                if added in one:
                    one.remove(added)
            self._places.pop()


_ignored = functools.cache(_Ignored)


# Matches any message. A filter without a message would be equal to the user's own
# `simplefilter("ignore")`, and take it away in the end.
ANY = "(?:)"


def without_warnings(message: str = ANY) -> Any:
    """Return a context manager that ignores some warnings in a block.

    `warnings.catch_warnings` is not made for threads: if two blocks overlap, the
    filters of one of them stay.

    Parameters
    ----------
    message : str, default=ANY
        A regular expression that the begin of the message matches. By default, all
        warnings are ignored.

    Returns
    -------
    context manager
    """
    return _ignored(message).block()


# The warnings that were shown, for each block of `warn_once`, by its thread.
_shown: dict[object, tuple[int, set]] = {}


def _shown_here() -> list[set]:
    """Return the sets of shown warnings that concern the current thread.

    A thread without a block may be one that an estimator has started in any block.
    """
    here, blocks = threading.get_ident(), list(_shown.values())
    return [shown for one, shown in blocks if one == here] or [s for _, s in blocks]


@contextmanager
def warn_once(shown: set | None = None) -> Iterator[None]:
    """Show each warning of a block once, and not once per training.

    Filters still decide whether a warning is shown, ignored or raised, and they are
    restored when no thread is in such a block any more. Python's own filter "once" is
    not enough: it shows a warning again whenever a library has changed the filters.

    Parameters
    ----------
    shown : set of (str, type), default=None
        Messages and categories that were shown before. New ones are added to it.
    """
    token = object()
    with _warnings.block():
        _shown[token] = threading.get_ident(), set() if shown is None else shown
        try:
            yield
        finally:
            _shown.pop(token, None)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt after a block in which Ctrl-C was pressed.

    On Ctrl-C, `MLPClassifier` and skorch's nets stop training and return as if they
    were done. The score of such a model must not be kept. An error of the block is
    replaced, too: it may be a consequence, such as a worker that has stopped.
    """
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    # Leave other handlers alone. Outside of the main thread there are no signals.
    if not is_main or handler not in (signal.default_int_handler, _note_and_interrupt):
        yield
        return
    n_before = len(_pressed)
    signal.signal(signal.SIGINT, _note_and_interrupt)
    try:
        yield
    except Exception as error:
        if len(_pressed) > n_before:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, handler)
    if len(_pressed) > n_before:
        raise KeyboardInterrupt


# When Ctrl-C was pressed in a block of `interruptible`; blocks may be nested.
_pressed: list[float] = []


def _note_and_interrupt(*signal_and_frame: Any) -> None:
    _pressed.append(time.monotonic())
    signal.default_int_handler(*signal_and_frame)


# Whether Ctrl-C ends the whole study that a search is part of.
_ends_study = ContextVar("_ends_study", default=False)


@contextmanager
def interrupts_end_the_study() -> Iterator[None]:
    """Let Ctrl-C end a study within a block.

    A search would otherwise stop early, and be saved as if it were complete.
    """
    token = _ends_study.set(True)
    try:
        yield
    finally:
        _ends_study.reset(token)


def interrupt_ends_study() -> bool:
    """Return whether Ctrl-C ends the whole study, and not just a search in it."""
    return _ends_study.get()


class _Torch:
    """Controls the threads of torch, in the way of threadpoolctl's controllers.

    torch has an MKL of its own, which threadpoolctl does not find.
    """

    filepath = "torch"

    @property
    def num_threads(self) -> int:
        """Return the number of threads."""
        return sys.modules["torch"].get_num_threads()

    def set_num_threads(self, num_threads: int) -> None:
        """Set the number of threads."""
        sys.modules["torch"].set_num_threads(num_threads)


class _Limited:
    """Libraries that were limited to one thread, with their numbers of threads."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[Any, int]] = {}

    def note(self, libraries: list[Any]) -> None:
        """Note the numbers of threads of libraries that are not limited yet."""
        for library in libraries:
            if library.filepath not in self._before:
                self._before[library.filepath] = library, library.num_threads

    def restore(self) -> None:
        """Restore the numbers of threads."""
        while self._before:
            name, (library, num_threads) = next(reversed(self._before.items()))
            _set_threads(library, num_threads)
            del self._before[name]


def _set_threads(library: Any, num_threads: int) -> None:
    # threadpoolctl >= 3.8 ignores all but the first thread that sets those of OpenBLAS.
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(num_threads)
    release(force=True)


class _Here(threading.local):
    """The libraries that were limited in the current thread."""

    def __init__(self) -> None:
        self.limited = _Limited()


class _OneThread(_Shared):
    """BLAS, OpenMP and torch run on one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._of_process = _Limited()
        self._here = _Here()

    def _make(self) -> None:
        common, own = _libraries(len(sys.modules))
        # The number of torch is also that of its OpenMP in the current thread, so note
        # all of them before any is changed.
        self._of_process.note(common)
        self._here.limited.note(own)
        for library in own + common:
            _set_threads(library, 1)

    def _leave(self, token: object) -> None:
        with self._lock:
            others = [one for key, one in self._inside.items() if key is not token]
            if threading.get_ident() in others:
                # A training may have set other numbers: the next one needs these.
                self._make()
            else:
                self._here.limited.restore()
            # This comes last, since it sets the OpenMP of torch in this thread, too.
            super()._leave(token)

    def _undo(self) -> None:
        self._of_process.restore()


_one_thread = _OneThread()


def single_threaded() -> Any:
    """Return a context manager that runs a block with one thread in BLAS and OpenMP.

    The number of threads changes the last bits of a matrix product, and it differs
    between the main process and its workers. Parallelism comes from running several
    trainings at the same time; small ones are faster on one thread anyway.

    Returns
    -------
    context manager
    """
    return _one_thread.block()


@functools.lru_cache(maxsize=1)
def _libraries(n_modules: int) -> tuple[list[Any], list[Any]]:
    """Return the libraries with a number of threads for all, and for each thread.

    Parameters
    ----------
    n_modules : int
        Number of imported modules. Finding the loaded libraries takes milliseconds, so
        the result is cached until another module is imported, which may have loaded
        one.

    Returns
    -------
    common, own : list of library controllers
    """
    found = ThreadpoolController().lib_controllers
    own = [
        library
        for library in found
        if "openmp" in (library.user_api, getattr(library, "threading_layer", None))
    ]
    common = [library for library in found if library not in own]
    # A module that another thread is importing may lack its functions still.
    has_torch = hasattr(sys.modules.get("torch"), "set_num_threads")
    return [*common, *([_Torch()] if has_torch else [])], own
