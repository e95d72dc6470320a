"""Runs commands as processes of their own, with a fault planted where a rule judges.

Importing the gate takes longer than judging a line. So one process imports it, and forks one for each command:
that one becomes the command, with its own folder, environment and streams, and runs the real program, which
forks the child that judges. As root, the process gives up its power to read what nobody may.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.support import NOW, ROOT, environment

PATIENCE = 60.0
_AT_ONCE = 6
_DROPPED = "-dac_override,-dac_read_search"


class Panic(BaseException):
    """What compiled code raises when it breaks: not an Exception."""


def _raise(kind: type[BaseException]) -> Callable[[], None]:
    def act() -> None:
        raise kind("planted")

    return act


ACTS: dict[str, Callable[[], object]] = {
    "an error": _raise(ValueError),
    "an error of another kind": _raise(RuntimeError),
    "a panic": _raise(Panic),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "crashed": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "stopped": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "hung": lambda: time.sleep(1000),
}
"""What a rule does in the place of judging."""


@dataclass(frozen=True)
class Job:
    """A command to run.

    Attributes:
        plant: `check NAME`, `function NAME`, `node NAME` or `engine METHOD`: what acts; nothing by default.
        act: One of ACTS.
        stdout: A file that standard output goes to; a pipe by default.
        largest: Bytes that a file may have, from which on the disk is full.
    """

    args: Sequence[str]
    cwd: str
    plant: str = ""
    act: str = ""
    stdout: str = ""
    largest: int = -1
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a command ended; None for the code where it had to be killed."""

    code: int | None
    out: str
    err: str


class Faults:
    """The process that forks commands."""

    def __init__(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", "tests.fail_closed.faults"]
        if os.geteuid() == 0 and (program := shutil.which("setpriv")):
            command = [program, f"--bounding-set={_DROPPED}", f"--inh-caps={_DROPPED}", *command]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, jobs: Sequence[Job]) -> list[Ended]:
        """Run commands, some at a time; return how they ended, in order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([asdict(job) for job in jobs]) + "\n")
        self._process.stdin.flush()
        return [Ended(*row) for row in json.loads(self._process.stdout.readline())]

    def close(self) -> None:
        """End it."""
        self._process.communicate("")


def hidden(place: Path) -> bool:
    """Return whether a process of these cannot read a file without rights."""
    return os.geteuid() != 0 or shutil.which("setpriv") is not None


# --- in the process that forks ----------------------------------------------------------------------


def serve() -> None:
    """Run what is asked for on standard input."""
    for module in (
        "cli",
        "engine",
        "bulk",
        "settling",
        "proofs.compiled",
        "commands.check",
        "commands.offering",
    ):
        importlib.import_module(f"nsm_gate.{module}")
    for row in sys.stdin:
        print(json.dumps(_all([Job(**job) for job in json.loads(row)])), flush=True)


def _all(jobs: Sequence[Job]) -> list[tuple[int | None, str, str]]:
    waiting, running = list(enumerate(jobs)), dict[int, tuple[int, Any, int, float]]()
    ended: dict[int, tuple[int | None, str, str]] = {}
    while waiting or running:
        while waiting and len(running) < _AT_ONCE:
            number, job = waiting.pop(0)
            out = tempfile.TemporaryFile()  # noqa: SIM115
            # A pipe: a limit on the size of files is none on what is said of it.
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                _become(job, out.fileno(), writer)
            os.close(writer)
            running[pid] = (number, out, reader, time.monotonic())
        for pid, (number, out, err, since) in list(running.items()):
            late = time.monotonic() - since > PATIENCE
            if late:
                os.kill(pid, signal.SIGKILL)
            found, status = os.waitpid(pid, 0 if late else os.WNOHANG)
            if found:
                out.seek(0)
                with out, os.fdopen(err, "rb") as said:
                    os.set_blocking(err, False)
                    text = said.read() or b""
                    code = None if late else os.waitstatus_to_exitcode(status)
                    ended[number] = (code, out.read().decode(), text.decode())
                del running[pid]
        time.sleep(0.005)
    return [ended[number] for number in range(len(jobs))]


def _become(job: Job, out: int, err: int) -> None:
    code = 99
    try:
        os.dup2(os.open(job.stdout, os.O_WRONLY) if job.stdout else out, 1)
        os.dup2(err, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", 1)  # noqa: SIM115
        os.chdir(job.cwd)
        kept = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
        os.environ.clear()
        os.environ.update(kept | job.env)
        sys.argv = ["nsm-gate", *job.args]
        from nsm_gate import cli
        from nsm_gate.__main__ import program

        cli.main.__defaults__ = (lambda: NOW, None)  # the clock
        if job.plant:
            _plant(*job.plant.split(" ", 1), ACTS[job.act])
        if job.largest >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (job.largest, job.largest))
        code = program()
        sys.stdout.flush()
    except OSError:
        code = 120  # as the interpreter ends where standard output cannot be flushed
    finally:
        os._exit(code)


def _plant(kind: str, name: str, act: Callable[[], object]) -> None:
    def instead(*_args: Any, **_options: Any) -> Iterator[Any]:
        act()
        return iter(())

    if kind == "check":
        from nsm_gate import checks, problems

        for some in (problems._LINE_CHECKS, problems._VERDICT_CHECKS):
            some[:] = [check._replace(run=instead) if check.id == name else check for check in some]
        old, by_id = checks.CHECKS, checks.BY_ID
        new = tuple(c._replace(run=instead) if c.id == name else c for c in old)
        for module in [m for n, m in sys.modules.items() if n.startswith("nsm_gate")]:
            for attribute, before, after in (
                ("CHECKS", old, new), ("BY_ID", by_id, {check.id: check for check in new}),
            ):  # fmt: skip
                if getattr(module, attribute, None) is before:
                    setattr(module, attribute, after)
    elif kind == "function":
        from nsm_gate.functions import FUNCTIONS

        FUNCTIONS[name] = FUNCTIONS[name]._replace(call=instead)  # type: ignore[index]
    elif kind == "node":
        from nsm_gate import expressions

        getattr(expressions, name).value = instead
    else:
        from nsm_gate.schema import Validator

        before = getattr(Validator, name)

        def judged(self: Any, value: Any) -> Any:
            # The configuration is held against a schema, too, before any line is judged.
            if isinstance(value, dict) and "run_data" in value:
                act()
            return before(self, value)

        setattr(Validator, name, judged)


if __name__ == "__main__":
    serve()
