"""The child that judges: it dies with all that it started, and it is not taken for hung where it is not."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import Repo, a_run, environment, gate_process, lines

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

JUDGEMENT = """\
import os, signal, subprocess, sys, time
from nsm_gate.commands.watch import watched
from nsm_gate.whereabouts import HERE, mark

def spin():
    while True:
        pass

def note(pid):
    with open(sys.argv[1], "a") as file:
        file.write(f"{pid}\\n")

def work(watch):
    note(os.getpid())
    watch.tell(seconds=SECONDS, at="runs/a.jsonl", formats=["json"])
    WORK

def refuse(error, formats):
    print(error, "|", error.hint, "|", error.path, error.line, formats, flush=True)

sys.exit(watched(work, refuse))
"""
WORKERS = """
    for number in (1, 2):
        pid = os.fork()
        if pid == 0:
            watch.work(number)
            if number == 2:
                HERE.file("")
            else:
                HERE.file("runs/b.jsonl")
                HERE.line(7)
                HERE.doing(mark("rule schema, by b.schema.json"))
            spin()
        note(pid)
    command = subprocess.Popen(["sleep", "1000"])
    note(command.pid)
    note(0)
    END
"""


class Judgement:
    """A judgement that runs, and the processes that it started."""

    def __init__(self, folder: Path, work: str, seconds: float = 600, **options: object) -> None:
        script, self.pids_at = folder / "judgement.py", folder / "pids"
        script.write_text(JUDGEMENT.replace("SECONDS", str(seconds)).replace("WORK", work.strip()))
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(self.pids_at)],
            cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            **options,  # type: ignore[call-overload]
        )  # fmt: skip

    def pids(self) -> list[int]:
        """Return the child, its workers and the command that it runs, once all are there."""
        found = until(lambda: self.pids_at.exists() and self.pids_at.read_text().split()[-1:] == ["0"])
        assert found, self.process.communicate()
        return [int(word) for word in self.pids_at.read_text().split()[:-1]]

    def end(self) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def until(holds: Callable[[], bool]) -> bool:
    """Return whether something holds within half a minute."""
    for _ in range(600):
        if holds():
            return True
        time.sleep(0.05)
    return False


def lives(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        if Path("/proc/self/stat").exists():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state not in "ZX"


def all_gone(pids: list[int]) -> bool:
    """Return whether no process of several runs any more, or will not soon."""
    assert len(pids) == 4
    return until(lambda: not any(map(lives, pids)))


@pytest.mark.parametrize("end", ["spin()", "time.sleep(1000)", "os.waitpid(-1, 0)"])
def test_after_a_time_out_no_process_is_left(tmp_path: Path, end: str) -> None:
    judgement = Judgement(tmp_path, WORKERS.replace("END", end), seconds=1)
    pids = judgement.pids()
    code, out, err = judgement.end()
    assert (code, err) == (2, "")
    assert out == (
        "runs/b.jsonl:7: not judged within 1 second: it was at rule schema, by b.schema.json | "
        "look for a schema or a line that explodes, or raise limits.seconds | runs/b.jsonl 7 ['json']\n"
    )
    assert all_gone(pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_after_a_signal_to_the_parent_no_process_is_left(tmp_path: Path, number: signal.Signals) -> None:
    judgement = Judgement(
        tmp_path, WORKERS.replace("END", "spin()"),
        # Who starts the tests in the background has signals ignored, and so would their children.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )  # fmt: skip
    pids = judgement.pids()
    judgement.process.send_signal(number)
    assert judgement.end() == (2, "interrupted |  | None None ['json']\n", "")
    assert all_gone(pids)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a closed pipe ends it when it is told next")
def test_after_the_parent_was_killed_no_process_is_left(tmp_path: Path) -> None:
    judgement = Judgement(tmp_path, WORKERS.replace("END", "spin()"))
    pids = judgement.pids()
    judgement.process.kill()
    judgement.end()
    assert all_gone(pids)


def test_a_closed_pipe_ends_a_judgement_that_tells(tmp_path: Path) -> None:
    # Where the kernel does not signal: that is taken away here.
    deaf = "signal.signal(signal.SIGIO, signal.SIG_IGN); note(0)\n"
    judgement = Judgement(tmp_path, f"{deaf}    while True: watch.tell(); time.sleep(0.05)")
    (pid,) = judgement.pids()
    judgement.process.kill()
    judgement.end()
    assert until(lambda: not lives(pid))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            signal.SIGKILL,
            "signal 9 (Killed): it was at rule schema, by b.schema.json | look at the machine's",
        ),
        (
            signal.SIGSEGV,
            "signal 11 (Segmentation fault): it was at rule schema, by b.schema.json | look for",
        ),
        (signal.SIGTERM, "signal 15 (Terminated): it was at rule schema, by b.schema.json |  |"),
    ],
)
def test_a_killed_child_is_exit_2_although_its_workers_live_on(
    tmp_path: Path, number: signal.Signals, said: str
) -> None:
    judgement = Judgement(tmp_path, WORKERS.replace("END", "spin()"))
    pids = judgement.pids()
    os.kill(pids[0], number)
    code, out, err = judgement.end()
    assert (code, err) == (2, "")
    assert out.startswith(f"runs/b.jsonl:7: the judgement was killed by {said}")
    assert all_gone(pids)


def test_a_child_that_breaks_off_is_exit_2_and_says_so(tmp_path: Path) -> None:
    judgement = Judgement(tmp_path, 'HERE.line(3); raise MemoryError("no memory to say more")')
    code, out, _ = judgement.end()
    assert (code, out.partition(" | ")[0]) == (2, "runs/a.jsonl:3: the judgement broke off")


def test_what_goes_on_without_a_word_is_not_taken_for_hung(tmp_path: Path) -> None:
    judgement = Judgement(
        tmp_path, "for n in range(1, 16): HERE.line(n); time.sleep(0.2)\n    return 1", seconds=1.5
    )
    assert judgement.end() == (1, "", "")


def test_a_judgement_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    judgement = Judgement(
        tmp_path,
        "note(0)\n    while not os.path.exists('go'): pass\n    return 0",
        seconds=2,
        start_new_session=True,
    )
    (child,) = judgement.pids()
    # What Ctrl-Z sends, to the process group of the foreground.
    judgement.process.send_signal(signal.SIGTSTP)
    for pid in (judgement.process.pid, child):
        assert until(lambda pid=pid: " T " in Path(f"/proc/{pid}/stat").read_text()), pid  # type: ignore[misc]
    time.sleep(3)  # longer than it may stand still
    (tmp_path / "go").touch()
    judgement.process.send_signal(signal.SIGCONT)
    assert judgement.end() == (0, "", "")


def test_a_judgement_that_was_stopped_by_force_goes_on_where_it_was(tmp_path: Path) -> None:
    judgement = Judgement(
        tmp_path, "note(0)\n    while not os.path.exists('go'): time.sleep(0.01)\n    return 0", seconds=2
    )
    (child,) = judgement.pids()
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in (judgement.process.pid, child):
            os.kill(pid, number)
        time.sleep(3 if number == signal.SIGSTOP else 0.5)  # longer than it may stand still
    (tmp_path / "go").touch()
    assert judgement.end() == (0, "", "")


def test_whoever_ignores_the_end_of_children_gets_the_exit_code(tmp_path: Path) -> None:
    judgement = Judgement(
        tmp_path, "return 1", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    )
    assert judgement.end() == (1, "", "")


def test_nohup_is_heeded(tmp_path: Path) -> None:
    judgement = Judgement(
        tmp_path, "note(0)\n    while not os.path.exists('go'): pass\n    return 0",
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    judgement.pids()
    judgement.process.send_signal(signal.SIGHUP)
    (tmp_path / "go").touch()
    assert judgement.end() == (0, "", "")


# --- through the command ----------------------------------------------------------------------------


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Return a repository with a log of many lines, each with a finding."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "limits: {seconds: 1}\n")
    repo.write("training_log.jsonl", [{**a_run(f"odd_{n}_20251101", n), "odd": n} for n in range(400)])
    return repo


def test_who_reads_slowly_gets_the_whole_report(repo: Repo) -> None:
    whole = gate_process("check", "--all", "-v", cwd=repo.path, env=repo.env)
    assert len(whole.out) > 3 * 65536  # more than a pipe holds
    running = subprocess.Popen(
        [sys.executable, "-m", "nsm_gate", "check", "--all", "-v"],
        cwd=repo.path, env=repo.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(4)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (whole.code, "")
    assert out == whole.out


def test_standard_input_may_be_the_terminal(tmp_path: Path) -> None:
    def is_read() -> bool:
        # Cooked, as a person types: a line ends with a return, the text with Ctrl-D.
        return bool(termios.tcgetattr(terminal)[3] & termios.ICANON)

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.environ.update(environment(tmp_path))
        command = ["-m", "nsm_gate", "check", "-", "--stdin-log", "baselines", "--output-format", "json:out"]
        os.execv(sys.executable, [sys.executable, *command])
    assert until(is_read)
    os.write(terminal, b'{"branch": "main"}\n\x04')
    ended: list[int] = []

    def has_ended() -> bool:
        found, status = os.waitpid(pid, os.WNOHANG)
        ended.extend([os.waitstatus_to_exitcode(status)] if found else [])
        return bool(found)

    assert until(has_ended)
    os.close(terminal)
    assert ended == [1]
    assert json.loads((tmp_path / "out").read_text())["summary"]["checked"] == 1


def test_a_git_that_hangs_is_named_and_does_not_outlive_the_gate(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", lines(a_run()))
    os.mkfifo(repo.path / ".gitignore")  # git waits for somebody to write to it
    repo.write("nsm-gate.yaml", "limits: {seconds: 2}\n")
    done = gate_process("check", "--all", cwd=repo.path, env=repo.env)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "nsm-gate: error: the set-up: not judged within 2 seconds: it was at git ls-files\n"
        "  see whether git hangs here by itself, or raise limits.seconds\n"
    )
    waiting = [
        name
        for name in os.listdir("/proc")
        if name.isdigit() and _at(name) == str(repo.path.resolve())
    ]  # fmt: skip
    assert waiting == []


def _at(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
