"""Whole processes by the clock on the wall, and their memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO


class BenchError(Exception):
    """The benchmark cannot go on: a command does something else than what is to be measured."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure.

    Attributes:
        argv: Its arguments.
        folder: Where it runs.
        code: The exit code that says that it did its work.
    """

    argv: Sequence[str]
    folder: Path
    code: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a process.

    Attributes:
        seconds: From its start to its end.
        largest: Peak memory of the largest process of the tree, resident, in bytes.
        tree: Peak of all processes of the tree together, in bytes, pages that they share counted once, as
            sampled; 0 where it was not looked at.
    """

    seconds: float
    largest: int
    tree: int = 0


@dataclass(slots=True)
class Runner:
    """Runs commands one at a time.

    Attributes:
        patience: Seconds after which a process is killed.
        say: Where progress goes.
        lost: Arguments of processes that took longer than that: they are not tried again.
    """

    patience: float
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)
    lost: set[tuple[str, ...]] = field(default_factory=set)

    def run(self, command: Command, *, memory: bool = False, output: Path | None = None) -> Sample | None:
        """Run a command to its end; None where it took longer than the patience.

        Raises:
            BenchError: It ended with another exit code.
        """
        name = (str(command.folder), *command.argv)
        if name in self.lost:
            return None
        with tempfile.TemporaryFile() as errors, (output or Path(os.devnull)).open("wb") as out:
            sample, code = self._run(command, memory, out, errors)
            if sample is None:
                self.say(f"  over {self.patience:g} s: {' '.join(command.argv)}")
                self.lost.add(name)
            elif code != command.code:
                errors.seek(0)
                text = errors.read()[-2000:].decode(errors="replace")
                raise BenchError(f"exit code {code}, not {command.code}: {' '.join(command.argv)}\n{text}")
        return sample

    def _run(
        self, command: Command, memory: bool, out: IO[bytes], errors: IO[bytes]
    ) -> tuple[Sample | None, int]:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv, cwd=command.folder, env=environment(), stdin=subprocess.DEVNULL, stdout=out,
            stderr=errors, start_new_session=True,
        )  # fmt: skip
        killed = threading.Event()

        def kill() -> None:
            killed.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(self.patience, kill)
        timer.start()
        tree = _Tree(process.pid) if memory else None
        # Of the process and of all that it waited for, the largest.
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)  # else Popen waits for it again
        peak = tree.end() if tree else 0
        largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return (None if killed.is_set() else Sample(took, largest, peak)), process.returncode

    def rounds(self, commands: dict[str, Command], count: int, budget: float) -> dict[str, list[float]]:
        """Run each command in turn, so many times: A B C A B C. A first run of each is not counted.

        Stops early, after whole rounds, when the budget of seconds is used up. A command that takes longer
        than the patience has no times.
        """
        for command in commands.values():
            self.run(command)
        found: dict[str, list[float]] = {name: [] for name in commands}
        begin = time.perf_counter()
        for _ in range(count):
            for name, command in commands.items():
                sample = self.run(command)
                if sample is not None:
                    found[name].append(sample.seconds)
            if time.perf_counter() - begin > budget:
                break
        return found


class _Tree:
    """Looks at the memory of a process and its descendants until it ends."""

    EVERY = 0.02

    def __init__(self, pid: int) -> None:
        import psutil

        self.peak = 0
        self._stop = threading.Event()
        self._errors = (psutil.Error, OSError)
        self._root = psutil.Process(pid)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        pause = self.EVERY
        while not self._stop.wait(pause):
            begin = time.perf_counter()
            try:
                family = [self._root, *self._root.children(recursive=True)]
            except self._errors:
                continue
            self.peak = max(self.peak, sum(map(self._size, family)))
            # A look walks all pages: of a large process, seldom, that it is not slowed down.
            pause = max(self.EVERY, 5 * (time.perf_counter() - begin))

    def _size(self, process: object) -> int:
        try:
            info = process.memory_full_info()  # type: ignore[attr-defined]
        except self._errors:
            return 0
        # Proportional: a page that a fork shares counts in parts. Elsewhere than on Linux, resident.
        return int(getattr(info, "pss", 0) or info.rss)

    def end(self) -> int:
        """Return the peak."""
        self._stop.set()
        self._thread.join()
        return self.peak


def environment() -> dict[str, str]:
    """Return what processes are started with: no CI system, no configuration of the person's own."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    home = tempfile.gettempdir()
    return {
        **kept, "HOME": home, "LANG": "C.UTF-8", "NO_COLOR": "1", "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip
