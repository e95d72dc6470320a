"""A note of entries that are being appended together, so that all of them are, or none.

A process can be killed while it writes several lines: some of them would stand in the log and some not. So
they are noted first, in a file beside the log. Whoever appends next finds the note: where a part of the lines
stands at the end of the log, the rest is added, since a whole line is never taken out of a log again; where
none does, the note is dropped.
"""

from __future__ import annotations

import contextlib
import os
import zlib

from nsm_gate.edge.durable import TORN, set_aside, sync, sync_folder, write_all

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def _place(log: str) -> str:
    folder, name = os.path.split(log)
    return os.path.join(folder, f".{name}.nsm-gate-pending")


def note(place: str, start: int, payload: bytes) -> None:
    """Note that a payload is to be written from an offset of a log; OSError where that fails."""
    handle = os.open(_place(place), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, 0o666)
    try:
        write_all(handle, b"%d %d %d\n" % (start, len(payload), zlib.crc32(payload)) + payload)
        sync(handle)
    except BaseException:
        clear(place)
        raise
    finally:
        os.close(handle)
    sync_folder(place)


def clear(place: str) -> None:
    """Drop the note: its lines are all there, or none of them."""
    # Where it cannot be dropped, the next to append finds that nothing of it is left to do.
    with contextlib.suppress(OSError):
        os.unlink(_place(place))


def finish(place: str, handle: int) -> int:
    """Finish what a killed process has begun; return how many entries of it were added.

    Args:
        place: The log.
        handle: Its descriptor, under its lock.

    Raises:
        OSError: It cannot be finished.
    """
    found = _noted(place)
    added = 0
    if found is not None:
        start, payload = found
        stands = os.pread(handle, len(payload), start)
        if stands and stands != payload:
            if payload.startswith(stands) and start + len(stands) == os.fstat(handle).st_size:
                write_all(handle, payload[len(stands) :])
                sync(handle)
                added = payload.count(b"\n", len(stands))
            else:
                # Another program wrote behind it, or replaced the log: what was noted is kept all the same.
                set_aside(place, TORN, payload.strip(b"\n"))
    clear(place)
    return added


def _noted(place: str) -> tuple[int, bytes] | None:
    """Return offset and payload; None where there is no note, or only a part of one."""
    try:
        handle = os.open(_place(place), os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return None
    with open(handle, "rb") as file:
        head, payload = file.readline(100), file.read()
    try:
        start, length, check = map(int, head.split())
    except ValueError:
        return None
    # A note that is not whole was never acted upon.
    return (start, payload) if len(payload) == length and zlib.crc32(payload) == check else None
