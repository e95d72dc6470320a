"""Change a log on the disk in one step, under the lock that everyone who appends to it takes.

The lock is flock's on the log itself. Whoever waits for it holds, after a rewrite, a file that has no name
any more: writers look again at what the name stands for once they have the lock, as `_locked` does.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nsm_gate.edge import pending
from nsm_gate.edge.durable import sync_folder
from nsm_gate.edge.locks import Patience, locked
from nsm_gate.edge.writing import replace
from nsm_gate.errors import GateError

_AGAIN = "run the command again"
_AS_IT_IS = "it stays as it is"


def rewrite(
    place: str, path: str, before: bytes, after: bytes, patience: Patience, *, exact: bool = False
) -> None:
    """Replace a log's content; what was appended to it meanwhile is kept behind.

    Args:
        place: Where the log lies.
        path: Its name for messages.
        before: What it held when it was looked at.
        after: What that is to become.
        patience: How long to wait for the lock.
        exact: Whether what was appended meanwhile is a change, too.

    Raises:
        GateError: It was changed otherwise, is locked, or cannot be written. Then nothing is changed.
    """
    with _locked(place, path, patience) as handle:
        try:
            # Lines of a writer that was killed belong where they were to go, not behind the new content.
            pending.finish(place, handle)
        except OSError as error:
            raise GateError(f"cannot be written: {error.strerror}", _AS_IT_IS, path) from None
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
            raise GateError(f"cannot be written: {error.strerror}", _AS_IT_IS, path) from None
        _keep_late(handle, len(now), place)
        with suppress(OSError):
            sync_folder(place)


@contextmanager
def _locked(place: str, path: str, patience: Patience) -> Iterator[int]:
    """Hold the lock on what a name stands for; yield its open file."""
    while True:
        handle = _opened(place, path)
        try:
            with locked(handle, path, patience):
                if _stands(handle, place):
                    yield handle
                    return
        finally:
            os.close(handle)


def _opened(place: str, path: str) -> int:
    try:
        # For writing, although it is only read: a log that is read-only is not to be replaced either.
        flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(place, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise GateError(f"cannot be written: {error.strerror}", _AS_IT_IS, path) from None
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
        os.close(handle)
        what = "has a second name, a hard link" if stat.S_ISREG(info.st_mode) else "is not a regular file"
        raise GateError(f"it {what}", "name a log that stands alone: it is replaced by a new file", path)
    return handle


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
