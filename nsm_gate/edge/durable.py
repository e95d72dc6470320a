"""Writes that are on the disk when they return, and what is set aside rather than lost."""

from __future__ import annotations

import errno
import os
from types import TracebackType

from nsm_gate.errors import GateError

TORN = ".torn"
"""Ending of the file that keeps torn lines of a log."""
REFUSED = ".refused"
"""Ending of the file that keeps the entry of a run that its log refused."""

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)

_UNKNOWN = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
"""What file systems answer that do not know fsync, or not of folders."""


class Trouble:
    """Turns an OSError into one that says what could not be done, and what the remedy is."""

    def __init__(self, path: str, fact: str, hint: str) -> None:
        """Speak of `path`."""
        self._said = (path, fact, hint)

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise a GateError for an OSError."""
        if isinstance(error, OSError):
            path, fact, hint = self._said
            raise GateError(f"{fact}: {error.strerror or error}", hint, path) from error


def write_all(handle: int, data: bytes) -> None:
    """Write all of it, in as many parts as the system takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync(handle: int) -> None:
    """Wait until a file's content is on the disk, where its file system knows how."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise


def sync_folder(place: str) -> None:
    """Wait until the name of a new file is on the disk."""
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(os.path.dirname(place) or ".", flags)
    try:
        sync(handle)
    finally:
        os.close(handle)


def set_aside(place: str, ending: str, data: bytes) -> str:
    """Keep bytes in a file beside a log, as a line of their own; return where.

    Where its last line is that already, as after an interrupted try, nothing is added.

    Args:
        place: The log.
        ending: What is added to its name.
        data: A line without its newline.

    Raises:
        OSError: They cannot be kept.
    """
    side = place + ending
    handle = os.open(side, _FLAGS, 0o666)
    try:
        line = data + b"\n"
        size = os.fstat(handle).st_size
        stands = os.pread(handle, len(line) + 1, max(0, size - len(line) - 1))
        if stands != line and stands[-len(line) - 1 :] != b"\n" + line:
            gap = b"" if not size or stands.endswith(b"\n") else b"\n"
            try:
                write_all(handle, gap + line)
            except BaseException:
                os.ftruncate(handle, size)
                raise
        sync(handle)
    finally:
        os.close(handle)
    sync_folder(side)
    return side
