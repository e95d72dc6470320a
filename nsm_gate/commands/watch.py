"""A limit on the time of a judgement that holds even inside an engine that cannot be interrupted.

Python's signal handlers and threads do not run while compiled code works on an exploding schema. So the
judgement runs in a forked child, which says through a pipe how long it may take until it is heard of again,
and notes what it is at in memory that its parent shares (`nsm_gate.whereabouts`); the parent only waits, and
kills the child when that time is over without a word or another note.

The child leads a session of its own, so that whatever it starts dies with it: the parent kills the whole
group, and where the parent itself is killed, the kernel signals the group.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from nsm_gate.errors import GateError
from nsm_gate.nouns import Any, NoReturn
from nsm_gate.whereabouts import CELL, HERE, Place, read

_BEFORE_IT_IS_TOLD = 60.0
_CELLS = 64
"""Processes that keep notes: the child, and the workers that it forks."""
_NOWHERE = "the set-up"
_LOOK = 1.0  # seconds between two looks at the notes, at most
_BROKEN = 70  # exit code of a child that could not even say what was wrong: EX_SOFTWARE of sysexits.h


class Watch:
    """The child's end of the pipe; without a parent, it says nothing."""

    def __init__(self, handle: int | None = None, memory: Any = None) -> None:
        """Write to `handle`; keep notes in `memory`."""
        self._handle = handle
        self._memory = memory
        self._is_told = False
        self._kept: Any = None

    def keep(self, report: Any) -> None:
        """Hold on to a report till the process ends at once: taking it apart would only take time."""
        self._kept = report

    def tell(
        self, *, seconds: float | None = None, at: str | None = None, formats: Sequence[str] = ()
    ) -> None:
        """Tell the parent that the judgement goes on.

        Args:
            seconds: How long it may take, from now on, until it is heard of again.
            at: The log, or another file, that it is at.
            formats: The outputs that were asked for, in which a time-out is to be reported.
        """
        if at is not None:
            HERE.file(at)
        self._is_told = self._is_told or seconds is not None
        self._write(seconds, seconds is not None, formats)

    def hurry(self, seconds: float) -> None:
        """Tell the parent how long the set-up may take: never longer than it may without a word.

        A proposed change sets this, too, before it is known whose rules judge. Once the judgement was told
        its time, this says nothing.
        """
        if not self._is_told:
            shorter = min(seconds, _BEFORE_IT_IS_TOLD)
            self._write(shorter, shorter < _BEFORE_IT_IS_TOLD, ())

    def _write(self, seconds: float | None, is_set: bool, formats: Sequence[str]) -> None:
        if self._handle is not None:
            row = json.dumps([seconds, is_set, list(formats)[:20]])
            os.write(self._handle, row.encode() + b"\n")

    def work(self, number: int) -> None:
        """Keep the notes of this process apart: for a worker that the child has just forked.

        It is at the file that the child is at. When it has nothing left to do, it should say so with
        `HERE.file("")`: what it noted last counts as what it is at.

        Args:
            number: Of the worker, from 1.
        """
        if self._memory is not None:
            file = read(self._memory, 0).file
            HERE.share(self._memory, min(number, _CELLS - 1))
            HERE.file(file)


def watched(work: Callable[[Watch], int], refuse: Callable[[GateError, Sequence[str]], None]) -> int:
    """Run the work in a child; return its exit code, or 2 where its time is over or it was killed.

    Args:
        work: The judgement.
        refuse: Reports, in the outputs that were asked for, that nothing was judged.
    """
    if not hasattr(os, "fork"):
        return work(Watch())
    import mmap

    memory = mmap.mmap(-1, _CELLS * CELL)
    reader, writer = os.pipe()
    # Nothing is ever written to it: it closes when the parent ends, however it ends.
    lifeline, alive = os.pipe()
    parent = os.getpid()
    # Waiting for the child fails where whoever started this process ignores the ends of children.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.close(alive)
        code = _BROKEN
        try:
            # Not a group alone: in the background of its terminal, a read of standard input would stop it.
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _end_with(parent, lifeline)
            HERE.share(memory, 0)
            code = work(Watch(writer, memory))
        finally:
            # Not sys.exit: the parent's buffers and exit handlers are not the child's.
            os._exit(code)
    os.close(writer)
    os.close(lifeline)
    judgement = _Judgement(child, reader, memory)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _stop)
    if signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
        signal.signal(signal.SIGTSTP, judgement.pause)
    signal.signal(signal.SIGCONT, judgement.go_on)
    try:
        error = judgement.wait()
    except KeyboardInterrupt:
        judgement.kill()
        error = GateError("interrupted")
    finally:
        os.close(reader)
        os.close(alive)
    if error is None:
        return judgement.code
    refuse(error, judgement.formats)
    return 2


def _end_with(parent: int, lifeline: int) -> None:
    """Have the kernel end this process and all that it will start when the parent ends.

    A signal whose action nobody changed needs no interpreter: it ends compiled code, too. Elsewhere than on
    Linux that signal is ignored, and a closed pipe ends the judgement when it is told next.
    """
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if os.getppid() != parent:
        os._exit(2)  # it was too late to be signalled


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


class _Judgement:
    """The child, as its parent knows it."""

    def __init__(self, child: int, reader: int, memory: Any) -> None:
        self.child = child
        self.reader = reader
        self.memory = memory
        self.code = 2
        self.limit = _BEFORE_IT_IS_TOLD
        self.is_set = False
        self.formats: list[str] = []
        self.since = time.monotonic()
        self.seen = bytes(memory)
        self.heard = b""

    def kill(self) -> None:
        """Kill the child and all that it started."""
        self._signal(signal.SIGKILL)
        os.waitpid(self.child, 0)

    def pause(self, _number: int, _frame: FrameType | None) -> None:
        """Stop with all that the child started, as Ctrl-Z asks; go on with it when this process does."""
        self._signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self._signal(signal.SIGCONT)

    def go_on(self, _number: int, _frame: FrameType | None) -> None:
        """Begin to count the time anew: while this process was stopped, the child may have been, too."""
        self.since = time.monotonic()

    def wait(self) -> GateError | None:
        """Return why the child gave no result, or None with its exit code kept."""
        while True:
            ready, _, _ = select.select([self.reader], [], [], min(_LOOK, self.limit / 10))
            if ready and not self._hear():
                _, status = os.waitpid(self.child, 0)
                return self._ended(status)
            if ready or self._goes_on():
                self.since = time.monotonic()
                continue
            found, status = os.waitpid(self.child, os.WNOHANG)
            if found:  # killed, while what it started holds its end of the pipe
                return self._ended(status)
            if time.monotonic() - self.since >= self.limit:
                self.kill()
                return self._late()

    def _signal(self, number: signal.Signals) -> None:
        for send in (os.killpg, os.kill):  # before it leads its group, it is alone
            try:
                send(self.child, number)
            except ProcessLookupError:
                continue
            return

    def _hear(self) -> bool:
        """Read what the child says; return False where it says nothing more."""
        data = os.read(self.reader, 65536)
        *rows, self.heard = (self.heard + data).split(b"\n")
        for row in rows:
            seconds, is_set, formats = json.loads(row)
            if seconds is not None:
                self.limit, self.is_set = seconds, is_set
            self.formats = formats or self.formats
        return bool(data)

    def _goes_on(self) -> bool:
        """Return whether a process noted something, or waits for somebody to take what is printed."""
        before, self.seen = self.seen, bytes(self.memory)
        return before != self.seen or not _is_taken()

    def _at(self) -> Place:
        """Return where the time ran out: a worker that is at something comes before whoever waits for it."""
        places = [read(self.memory, cell) for cell in range(_CELLS)]
        busy = (place for place in reversed(places) if place.line or place.doing)
        return next(busy, places[0])

    def _late(self) -> GateError:
        place = self._at()
        fact = f"not judged within {_seconds(self.limit)}{_doing(place)}"
        hint = "look for a schema or a line that explodes"
        if place.doing.startswith("git "):
            hint = "see whether git hangs here by itself"
        elif place.doing.startswith("the reading of"):
            hint = "see that whoever writes it ends it"
        hint += ", or raise limits.seconds" if self.is_set else ""
        return GateError(fact, hint, place.file or _NOWHERE, place.line or None)

    def _ended(self, status: int) -> GateError | None:
        """Return why a child that is gone gave no result, or None with its exit code kept."""
        self._sweep()
        place = self._at()
        if not os.WIFSIGNALED(status):
            self.code = os.WEXITSTATUS(status)
            if self.code != _BROKEN:
                return None
            fact, remedy = "the judgement broke off", _REMEDIES[signal.SIGKILL]
        else:
            number = os.WTERMSIG(status)
            name = signal.strsignal(number) or "unknown"
            fact, remedy = f"the judgement was killed by signal {number} ({name})", _REMEDIES.get(number, "")
        return GateError(f"{fact}{_doing(place)}", remedy, place.file or _NOWHERE, place.line or None)

    def _sweep(self) -> None:
        """Kill what the child left behind."""
        try:
            os.killpg(self.child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


_REMEDIES: dict[int, str] = {
    signal.SIGKILL: "look at the machine's memory: a system that lacks it kills what takes most",
    signal.SIGABRT: "look at the machine's memory, or for a schema or a line that explodes",
    signal.SIGSEGV: "look for a schema that is nested very deeply",
    signal.SIGXCPU: "raise the limit on processor time (ulimit -t)",
}


def _doing(place: Place) -> str:
    return f": it was at {place.doing}" if place.doing else ""


def _seconds(seconds: float) -> str:
    """Return `1 second`, `2.5 seconds`."""
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _is_taken() -> bool:
    """Return whether standard output and error take more: who reads them may take all the time there is."""
    return all(map(_takes, (1, 2)))


def _takes(handle: int) -> bool:
    try:
        return bool(select.select([], [handle], [], 0)[1])
    except (OSError, ValueError):
        return True  # closed: nobody waits for it
