"""Plays a case: lays it out in a folder, runs the gate on it, and watches what it does meanwhile."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nsm_gate.cli import main
from tests.hostile.case import Case, Scene
from tests.support import NOW, Repo, a_run, environment, lines

SECONDS = 15
"""What a run may take of the processor: some hundred times what one takes."""
PATIENCE = 45
"""What it may take by the clock, on a machine that has other things to do: less than the gate's own limit."""
LOG = "experiments/training_log.jsonl"
COMMITTED = (a_run("planning_one_20251101", 0), a_run("planning_two_20251101", 1))


@dataclass
class Outcome:
    """What a run gave and did.

    Attributes:
        code: Exit code; negative is a signal, None no end within the time.
        started: Programs that the gate, or git on its behalf, started.
        connected: Addresses that it tried to reach.
        written: Files below the root that it wrote, changed or removed.
        marked: Whether something hostile was executed.
        left: Whether a process of it was still there afterwards.
        seconds: What it took of the processor, with the programs that it started.
    """

    code: int | None
    out: str
    err: str
    started: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    marked: bool = False
    left: bool = False
    seconds: float = 0.0


class _Recorder:
    """An audit hook that listens while a case is played. Hooks cannot be taken out again."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        sys.addaudithook(self.hear)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.outcome is None:
            return
        if event in ("subprocess.Popen", "os.posix_spawn"):
            self.outcome.started.append(os.path.basename(os.fsdecode(args[0])))
        elif event in ("os.system", "os.exec", "os.spawn", "pty.spawn", "os.startfile"):
            self.outcome.started.append(f"{event} {args[0]!r}")
        elif event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request"):
            self.outcome.connected.append(f"{event} {args[1:]!r}")


@cache
def _recorder() -> _Recorder:
    return _Recorder()


@cache
def _template() -> Path:
    """Return a repository with two committed runs, once a process: cases get copies of it."""
    import atexit
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="nsm-gate-hostile-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repo = Repo.init(folder / "root", "--template=")
    repo.write(LOG, COMMITTED)
    repo.commit("log")
    return repo.path


def lay_out(case: Case, folder: Path) -> Scene:
    """Make the scene of a case in a folder of its own."""
    root, outside = folder / "root", folder / "outside"
    outside.mkdir()
    env = environment(outside)
    if case.git:
        shutil.copytree(_template(), root, symlinks=True)
    else:
        root.mkdir()
        # Nothing around the temporary folder counts as the repository of the case.
        env["GIT_CEILING_DIRECTORIES"] = str(folder)
    scene = Scene(root, outside, folder / "marker", Repo(root, env))
    for name, data in case.files.items():
        scene.repo.write(name, data)
    if case.make is not None:
        case.make(scene)
    scene.marker.unlink(missing_ok=True)
    return scene


def _surroundings(case: Case, scene: Scene) -> dict[str, str]:
    given = {name: value.replace("{outside}", str(scene.outside)) for name, value in case.env.items()}
    # Git's own account of the programs that it starts.
    return {**scene.repo.env, "GIT_TRACE2_EVENT": str(scene.outside / "trace2"), **given}


def _arguments(case: Case, scene: Scene) -> list[str]:
    return [word.replace("{outside}", str(scene.outside)) for word in case.command]


def _state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return every file below a folder with its kind, size and time of change."""
    found = {}
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in (*folders, *files):
            place = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                info = os.lstat(place)
                what = (
                    (info.st_mode, 0, 0)
                    if name in folders
                    else (info.st_mode, info.st_size, info.st_mtime_ns)
                )
                found[os.fsdecode(os.path.relpath(place, os.fsencode(root)))] = what
    return found


def _processor() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextlib.contextmanager
def _witnessed(scene: Scene, outcome: Outcome) -> Iterator[None]:
    """Keep account of what is written, and of what git starts."""
    before, began = _state(scene.root), _processor()
    yield
    outcome.seconds = _processor() - began
    after = _state(scene.root)
    outcome.written += sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    outcome.marked = scene.marker.exists()
    trace = scene.outside / "trace2"
    if trace.is_file():
        for row in trace.read_text("utf-8", "replace").split("\n")[:-1]:
            event = json.loads(row)
            if event.get("event") in ("child_start", "exec"):
                words = event.get("argv") or [event.get("exe", "?")]
                # Git runs its own parts as `git ...`, and as `argv` without the word where it is built in.
                own = event.get("child_class") is None and event.get("use_shell") is not True
                outcome.started.append(
                    "git" if own and os.path.basename(words[0]) == "git" else f"by git: {' '.join(words)}"
                )


def play(case: Case, scene: Scene) -> Outcome:
    """Run a case in this process: real files and real git, streams and environment handed in."""
    outcome = Outcome(None, "", "")
    out, err = io.StringIO(), io.StringIO()
    recorder = _recorder()
    # A watchdog thread of C: it ends this process even where compiled code hangs, and says where.
    faulthandler.dump_traceback_later(PATIENCE, exit=True, file=sys.__stderr__)
    recorder.outcome = outcome
    try:
        with _witnessed(scene, outcome):
            outcome.code = main(
                _arguments(case, scene), io.BytesIO(case.stdin), out, err, _surroundings(case, scene),
                str(scene.root), lambda: NOW,
            )  # fmt: skip
    finally:
        recorder.outcome = None
        faulthandler.cancel_dump_traceback_later()
    outcome.out, outcome.err = out.getvalue(), err.getvalue()
    return outcome


def play_apart(case: Case, scene: Scene) -> Outcome:
    """Run a case as people do: the console script, in a process of its own."""
    outcome = Outcome(None, "", "")
    with _witnessed(scene, outcome):
        running = subprocess.Popen(
            [*_console(), *_arguments(case, scene)],
            cwd=scene.root, env=_surroundings(case, scene), start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = running.communicate(case.stdin, timeout=PATIENCE)
            outcome.code = running.returncode
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            out, err = running.communicate()
        try:
            os.killpg(running.pid, signal.SIGKILL)
            outcome.left = True
        except ProcessLookupError:
            pass
    outcome.out, outcome.err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    return outcome


def _console() -> list[str]:
    script = Path(sys.executable).parent / "nsm-gate"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "nsm_gate"]


def log_of(*extra: Mapping[str, Any] | bytes) -> bytes:
    """Return the committed log with more behind it: entries, or bytes as they are."""
    return lines(*COMMITTED) + b"".join(e if isinstance(e, bytes) else lines(e) for e in extra)
