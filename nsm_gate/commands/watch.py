"""A limit on the time of a judgement that holds even inside an engine that cannot be interrupted.

Python's signal handlers and threads do not run while compiled code works on an exploding schema. So the
judgement runs in a forked child, which tells its parent through a pipe what it is at and how long it may
take until it is heard of again; the parent only waits, and kills the child when that time is over.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from nsm_gate.errors import GateError

_BEFORE_IT_IS_TOLD = 60.0


class Watch:
    """The child's end of the pipe; without a parent, it says nothing."""

    def __init__(self, handle: int | None = None) -> None:
        """Write to `handle`."""
        self._handle = handle

    def tell(
        self, *, seconds: float | None = None, at: str | None = None, formats: Sequence[str] = ()
    ) -> None:
        """Tell the parent that the judgement goes on.

        Args:
            seconds: How long it may take, from now on, until it is heard of again.
            at: The log that it is at.
            formats: The outputs that were asked for, in which a time-out is to be reported.
        """
        if self._handle is not None:
            row = json.dumps([seconds, None if at is None else at[:500], list(formats)[:20]])
            os.write(self._handle, row.encode() + b"\n")


def watched(work: Callable[[Watch], int], refuse: Callable[[GateError, Sequence[str]], None]) -> int:
    """Run the work in a child; return its exit code, or 2 where its time is over or it was killed.

    Args:
        work: The judgement.
        refuse: Reports, in the outputs that were asked for, that nothing was judged.
    """
    if not hasattr(os, "fork"):
        return work(Watch())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        # Ctrl-C reaches both: the parent answers, and kills a child that may not be able to.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = 2
        try:
            code = work(Watch(writer))
        finally:
            # Not sys.exit: the parent's buffers and exit handlers are not the child's.
            os._exit(code)
    os.close(writer)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    parent = _Parent(child, reader)
    try:
        error = parent.wait()
    except KeyboardInterrupt:
        parent.kill()
        error = GateError("interrupted")
    finally:
        os.close(reader)
    if error is None:
        return parent.code
    refuse(error, parent.formats)
    return 2


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


class _Parent:
    def __init__(self, child: int, reader: int) -> None:
        self.child = child
        self.reader = reader
        self.code = 2
        self.at = "the set-up"
        self.formats: list[str] = []

    def kill(self) -> None:
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)

    def wait(self) -> GateError | None:
        """Return why the child gave no result, or None with its exit code kept."""
        limit = _BEFORE_IT_IS_TOLD
        end = time.monotonic() + limit
        heard = b""
        while True:
            ready, _, _ = select.select([self.reader], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self.kill()
                hint = "look for a schema or a line that explodes, or raise limits.seconds"
                return GateError(f"not judged within {limit:g} seconds", hint, self.at)
            data = os.read(self.reader, 65536)
            if not data:
                break
            *rows, heard = (heard + data).split(b"\n")
            for row in rows:
                seconds, at, formats = json.loads(row)
                limit = limit if seconds is None else seconds
                self.at = self.at if at is None else at
                self.formats = formats or self.formats
            end = time.monotonic() + limit
        _, status = os.waitpid(self.child, 0)
        if os.WIFSIGNALED(status):
            fact = f"the judgement was killed by signal {os.WTERMSIG(status)}"
            return GateError(fact, "look at the machine's memory", self.at)
        self.code = os.WEXITSTATUS(status)
        return None
