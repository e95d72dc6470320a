"""Locks on files and folders that end with their holder, waited for with patience.

`flock` on the thing itself: no lock file lies about, and the kernel lets go when a process is killed. It is
advisory, which is to say between programs that ask for it, and it holds on one machine; some network file
systems have none.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from nsm_gate.errors import GateError
from nsm_gate.nouns import Any

_SIGN_OF_LIFE = 1.0  # seconds

_held: set[int] = set()


def _let_go() -> None:
    """Close what the parent holds: a child that outlives it would keep the lock."""
    for handle in _held:
        with contextlib.suppress(OSError):
            os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class Patience:
    """How long to wait for locks, all in all."""

    def __init__(self, seconds: float, alive: Callable[[], None] = lambda: None) -> None:
        """Begin to count at the first lock that is not free.

        Args:
            seconds: How long to wait.
            alive: Called about once a second of waiting.
        """
        self.seconds = seconds
        self._alive = alive
        self._end: float | None = None
        self._said = 0.0

    def wait(self, path: str) -> None:
        """Wait a moment; GateError where the time is over."""
        now = time.monotonic()
        if self._end is None:
            self._end, self._said = now + self.seconds, now
        if now >= self._end:
            fact = f"another program has held its lock for {self.seconds:g} seconds"
            raise GateError(fact, "try again later, or wait longer: --lock-timeout SECONDS", path)
        if now - self._said >= _SIGN_OF_LIFE:
            self._said = now
            self._alive()
        # Uneven pauses of 1 to 20 ms: in step with each other, some writers would never come to it.
        time.sleep(min((time.monotonic_ns() % 20 + 1) / 1000, self._end - now))


@contextlib.contextmanager
def locked(handle: int, path: str, patience: Patience) -> Iterator[None]:
    """Hold the exclusive lock of an open file.

    Args:
        handle: The file's descriptor.
        path: The file, as messages call it.
        patience: How long to wait.

    Raises:
        GateError: The time is over, or the file system has no locks.
    """
    try:
        _take(handle, path, patience)
    except OSError as error:
        hint = "on a file system without locks, let each run write a log of its own"
        raise GateError(f"cannot be locked: {error.strerror}", hint, path) from None
    with _holding(handle):
        yield


@contextlib.contextmanager
def locked_folder(place: str, path: str, patience: Patience) -> Iterator[None]:
    """Hold the exclusive lock of a folder, where it can be had: not every file system has such locks."""
    handle = None
    try:
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
        _take(handle, path, patience)
    except OSError:
        if handle is not None:
            os.close(handle)
        handle = None
    except BaseException:
        if handle is not None:
            os.close(handle)
        raise
    if handle is None:
        yield
        return
    try:
        with _holding(handle):
            yield
    finally:
        with contextlib.suppress(OSError):
            os.close(handle)


def _take(handle: int, path: str, patience: Patience) -> None:
    """Take a lock; OSError where there is none to take, GateError where the time is over."""
    while not _taken(handle):
        patience.wait(path)


def _taken(handle: int) -> bool:
    fcntl = _fcntl()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _holding(handle: int) -> Iterator[None]:
    fcntl, owner = _fcntl(), os.getpid()
    _held.add(handle)
    try:
        yield
    finally:
        if os.getpid() == owner:
            _held.discard(handle)
            # Not left to close(): a process that was forked meanwhile may have the file open, too.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_UN)


def _fcntl() -> Any:
    try:
        import fcntl
    except ImportError:
        raise GateError("this system has no flock", "append on Linux or macOS, or under WSL") from None
    return fcntl
