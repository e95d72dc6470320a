"""Change a log on the disk in one step, under the lock that everyone who appends to it takes.

The lock is flock's on the log itself. Whoever waits for it holds, after a rewrite, a file that has no name
any more: writers look again at what the name stands for once they have the lock, as `_locked` does.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from nsm_gate.edge.writing import replace
from nsm_gate.errors import GateError

_PATIENCE = 10.0
"""Seconds that a lock is waited for: nobody holds it for longer than an append takes."""
_PAUSE = 0.02
_AGAIN = "run the command again"


def rewrite(
    place: str,
    path: str,
    before: bytes,
    after: bytes,
    tell: Callable[[], object] = lambda: None,
    *,
    exact: bool = False,
) -> None:
    """Replace a log's content; what was appended to it meanwhile is kept behind.

    Args:
        place: Where the log lies.
        path: Its name for messages.
        before: What it held when it was looked at.
        after: What that is to become.
        tell: Called while the lock is waited for.
        exact: Whether what was appended meanwhile is a change, too.

    Raises:
        GateError: It was changed otherwise, is locked, or cannot be written. Then nothing is changed.
    """
    with _locked(place, path, tell) as handle:
        now = _content(handle)
        whole = not before or before.endswith(b"\n")
        if now != before and (exact or not whole or not now.startswith(before)):
            raise GateError("it was changed meanwhile", _AGAIN, path)
        known = _state(handle)

        def chunks() -> Iterator[bytes]:
            yield after
            yield now[len(before) :]
            # As late as can be: a writer that knows no lock may have come.
            if _state(handle) != known or not _stands(handle, place):
                raise GateError("it was changed meanwhile", _AGAIN, path)

        try:
            replace(place, chunks())
        except OSError as error:
            raise GateError(f"cannot be written: {error.strerror}", "it stays as it is", path) from None
        _keep_late(handle, len(now), place)
        with suppress(OSError):
            _onto_disk(os.path.dirname(place) or ".")


@contextmanager
def _locked(place: str, path: str, tell: Callable[[], object]) -> Iterator[int]:
    """Hold the lock on what a name stands for; yield its open file."""
    end = time.monotonic() + _PATIENCE
    while True:
        handle = _opened(place, path)
        try:
            while not _taken(handle):
                if time.monotonic() > end:
                    hint = "wait for the process that appends to it, and run the command again"
                    raise GateError(
                        f"another process has held its lock for {_PATIENCE:g} seconds", hint, path
                    )
                tell()
                time.sleep(_PAUSE)
            if _stands(handle, place):
                yield handle
                return
        finally:
            os.close(handle)


def _opened(place: str, path: str) -> int:
    try:
        # For writing, although it is only read: a log that is read-only is not to be replaced either.
        flags = os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        handle = os.open(place, flags)
    except OSError as error:
        raise GateError(f"cannot be written: {error.strerror}", "it stays as it is", path) from None
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
        os.close(handle)
        what = "has a second name, a hard link" if stat.S_ISREG(info.st_mode) else "is not a regular file"
        raise GateError(f"it {what}", "name a log that stands alone: it is replaced by a new file", path)
    return handle


def _taken(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # no such locks on this system, and no writer that takes them
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: there, none is taken by anyone
        return True
    return True


def _stands(handle: int, place: str) -> bool:
    """Return whether the name still stands for the open file."""
    try:
        named = os.lstat(place)
    except OSError:
        return False
    return os.path.samestat(named, os.fstat(handle))


def _state(handle: int) -> tuple[int, int]:
    info = os.fstat(handle)
    return info.st_size, info.st_mtime_ns


def _content(handle: int) -> bytes:
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(0)
        return file.read()


def _keep_late(handle: int, known: int, place: str) -> None:
    """Append what a writer that knows no lock has put into the old file since it was read."""
    if os.fstat(handle).st_size > known:
        late = _content(handle)[known:]
        with open(place, "ab") as file:
            file.write(late)
            file.flush()
            os.fsync(file.fileno())


def _onto_disk(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
