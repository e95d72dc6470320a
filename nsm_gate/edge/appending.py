"""Append whole lines to a log so that nothing is torn, lost or doubled, whatever happens meanwhile.

Under the lock of the log: read it, let the caller decide what to add, mend the tail that an interrupted
writer left, write all of it, wait for the disk, and take it back where that fails. A process can be killed
between any two of these steps: what it leaves is mended by the next one, and an entry counts as appended
only once this returns.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence

from nsm_gate.edge import pending
from nsm_gate.edge.durable import TORN, Trouble, set_aside, sync, sync_folder, write_all
from nsm_gate.edge.locks import Patience, locked
from nsm_gate.errors import GateError
from nsm_gate.jsonl import decode
from nsm_gate.lines import Lines
from nsm_gate.model import Entry, Line
from nsm_gate.nouns import NamedTuple

_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_TRIES = 20
"""How often a log may be replaced, or written to without its lock, while it is being appended to."""

Decide = Callable[[Lines], Sequence[bytes] | None]
"""Whole lines of a log -> lines to append: none where they stand there already, None to refuse."""


class Done(NamedTuple):
    """What was done to a log.

    Attributes:
        torn: File that a torn last line was moved to.
        finished: How many entries of an interrupted writer were appended first.
    """

    torn: str | None = None
    finished: int = 0


class Target(NamedTuple):
    """A log to append to.

    Attributes:
        place: Where it is on disk.
        path: What messages call it.
        limit: Most bytes that it may have.
        line: Most bytes that a line may have.
    """

    place: str
    path: str
    limit: int
    line: int


def append_lines(target: Target, decide: Decide, patience: Patience) -> Done:
    """Append the lines that a decision about what stands in the log gives, all or none of them.

    Args:
        target: The log.
        decide: Called with what stands there; again where that changes before the lines are written.
        patience: How long to wait for the lock.

    Raises:
        GateError: The log cannot be opened, locked, read or written; it is then as it was.
    """
    with Trouble(target.path, "cannot be appended to", "nothing was appended"):
        done = Done()
        for _ in range(_TRIES):
            handle, made = _opened(target), False
            if handle is None:
                # Nothing is made for an entry that is refused.
                if not decide(Lines(b"")):
                    return done
                handle, made = _made(target), True
            if handle is None:
                continue
            try:
                with locked(handle, target.path, patience), _unmade(target, handle, made):
                    # It may have been replaced while we waited for its lock, by git for instance.
                    if _stands(target, handle):
                        done, settled = _on(target, handle, decide, done)
                        if settled:
                            return done
            finally:
                with contextlib.suppress(OSError):
                    os.close(handle)
    hint = "stop what writes to it, then try again"
    raise GateError("other programs keep changing the log", hint, target.path)


def _on(target: Target, handle: int, decide: Decide, done: Done) -> tuple[Done, bool]:
    """Append to an open, locked log; return what was done, and whether that settles it."""
    with Trouble(target.path, "cannot be read", "nothing was appended"):
        finished = pending.finish(target.place, handle)
        data = _read(target, handle)
    done = done._replace(finished=done.finished + finished)
    lines = whole_lines(data, target.line)
    torn = data[len(lines.data) :]
    wanted = decide(lines)
    if wanted is None:
        return done, True
    with Trouble(target.path, "cannot be written", "nothing was appended"):
        if not wanted:
            # It may be an earlier try of ours that was killed before it reached the disk.
            sync(handle)
            sync_folder(target.place)
            return done, True
        payload = (b"" if lines.terminated else b"\n") + b"".join(line + b"\n" for line in wanted)
        if len(data) + len(payload) > target.limit:
            raise _over(target, len(data) + len(payload))
        if os.fstat(handle).st_size != len(data):
            return done, False  # by a program that does not ask for the lock
        if torn:
            done = done._replace(torn=set_aside(target.place, TORN, torn))
            os.ftruncate(handle, len(data) - len(torn))
        return done, _write(target, handle, len(data) - len(torn), payload, several=len(wanted) > 1)


def whole_lines(data: bytes, limit: int) -> Lines:
    """Return the lines of a log without a torn last one; a whole record may lack its newline.

    Args:
        data: The log.
        limit: Longest line, in bytes.
    """
    end = data.rfind(b"\n") + 1
    torn = end < len(data) and not isinstance(decode(Line(1, data[end:], False), limit), Entry)
    return Lines(data[:end] if torn else data)


def _write(target: Target, handle: int, start: int, payload: bytes, *, several: bool) -> bool:
    """Write a payload; return whether it is in the log: that may have been replaced meanwhile."""
    if several:
        pending.note(target.place, start, payload)
    try:
        write_all(handle, payload)
        sync(handle)
        if start == 0:
            sync_folder(target.place)
        stands = _stands(target, handle)
    except BaseException:
        _take_back(target, handle, start, payload)  # where it cannot be, the note stays: the rest follows
        pending.clear(target.place)
        raise
    pending.clear(target.place)
    return stands


def _take_back(target: Target, handle: int, start: int, payload: bytes) -> None:
    """Remove what was written of a payload; GateError where that cannot be."""
    fact = "a part of it was written, and cannot be taken back"
    hint = "look at the end of the log; the next append moves a torn last line aside"
    try:
        size = os.fstat(handle).st_size
        written = os.pread(handle, len(payload), start) if size > start else b""
        if start + len(written) != size or not payload.startswith(written):
            # Behind it stand lines of a program that does not ask for the lock: they are not ours to cut.
            raise GateError(fact, hint, target.path)
        if size > start:
            os.ftruncate(handle, start)
            sync(handle)
    except OSError as error:
        raise GateError(f"{fact}: {error.strerror}", hint, target.path) from error


# --- the file ---------------------------------------------------------------------------------------


def _opened(target: Target) -> int | None:
    """Open the log; None where there is none."""
    try:
        handle = os.open(target.place, _FLAGS | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        if not os.path.isdir(os.path.dirname(target.place)):
            raise GateError("its folder does not exist", "create the folder first", target.path) from None
        return None
    except OSError as error:
        raise _closed(target, error) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise GateError("not a regular file", "name a log", target.path)
    return handle


def _made(target: Target) -> int | None:
    """Make the log; None where another program has just made it."""
    try:
        return os.open(target.place, _FLAGS | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return None
    except OSError as error:
        raise _closed(target, error) from None


def _closed(target: Target, error: OSError) -> GateError:
    """Return the error for a log that cannot be opened."""
    if os.path.islink(target.place):
        hint = "name the log that it points to: a link can point anywhere"
        return GateError("the log is a symbolic link", hint, target.path)
    if os.path.isdir(target.place):
        return GateError("is a folder", "name the log in it", target.path)
    hint = "see that the log and its folder can be written to"
    return GateError(f"cannot be opened for writing: {error.strerror}", hint, target.path)


@contextlib.contextmanager
def _unmade(target: Target, handle: int, made: bool) -> Iterator[None]:
    """Remove a log that was made for lines which did not come to it."""
    try:
        yield
    finally:
        if made:
            with contextlib.suppress(OSError):
                if os.fstat(handle).st_size == 0 and _stands(target, handle):
                    os.unlink(target.place)


def _stands(target: Target, handle: int) -> bool:
    """Return whether the path still names the file that is open."""
    try:
        named = os.lstat(target.place)
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(handle))


def _read(target: Target, handle: int) -> bytes:
    size = os.fstat(handle).st_size
    if size > target.limit:
        raise _over(target, size)
    parts = []
    at = 0
    while part := os.pread(handle, 1 << 24, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _over(target: Target, size: int) -> GateError:
    fact = f"{size:,} bytes, over the limit of {target.limit:,}"
    return GateError(fact, "begin another log, or raise limits.file in nsm-gate.yaml", target.path)
