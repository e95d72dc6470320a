"""A limit on the time of a judgement that holds even inside an engine that cannot be interrupted.

Python's signal handlers and threads do not run while compiled code works on an exploding schema. So the
judgement runs in a forked child, which tells its parent through a pipe what it is at and how long it may
take; the parent only waits, and kills the child when the time is over.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import TextIO

_BEFORE_IT_IS_TOLD = 60.0


class Watch:
    """The child's end of the pipe; without a parent, it says nothing."""

    def __init__(self, handle: int | None = None) -> None:
        """Write to `handle`."""
        self._handle = handle

    def tell(self, seconds: float | None = None, at: str = "") -> None:
        """Tell the parent how long the judgement may take from now on, and what it is at."""
        if self._handle is not None:
            os.write(self._handle, json.dumps([seconds, at[:500]]).encode() + b"\n")


def watched(work: Callable[[Watch], int], stderr: TextIO) -> int:
    """Run the work in a child; return its exit code, or 2 where its time is over or it was killed."""
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
    try:
        return _wait(child, reader, stderr)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stderr.write("nsm-gate: interrupted\n")
        return 2
    finally:
        os.close(reader)


def _wait(child: int, reader: int, stderr: TextIO) -> int:
    limit, at = _BEFORE_IT_IS_TOLD, "the set-up"
    end = time.monotonic() + limit
    heard = b""
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            stderr.write(f"nsm-gate: error: {at}: not judged within {limit:g} seconds\n")
            stderr.write("  look for a schema or line that explodes, or raise limits.seconds\n")
            return 2
        data = os.read(reader, 4096)
        if not data:
            break
        heard += data
        *rows, heard = heard.split(b"\n")
        for row in rows:
            seconds, at = json.loads(row)
            if seconds is not None:
                limit = seconds
                end = time.monotonic() + limit
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        stderr.write(f"nsm-gate: error: {at}: the judgement was killed by signal {os.WTERMSIG(status)}\n")
        return 2
    return os.WEXITSTATUS(status)
