"""Many writers, locks that are held, logs that are replaced under a writer: one entry, one line, always."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import nsm_gate
from nsm_gate.edge.appending import Target, append_lines
from nsm_gate.edge.locks import Patience
from nsm_gate.errors import GateError
from tests.support import ROOT, Repo, a_run, edited, gate, gate_process, lines

LOG = "experiments/training_log.jsonl"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Work in a repository with one logged run."""
    repo = Repo.init(tmp_path / "lab")
    for name, value in repo.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.path)
    repo.write(LOG, [a_run("planning_one_20251101")])
    repo.commit("Log a run")
    return repo


def names(log: str = LOG) -> list[str]:
    """Return the runs of a log; every line must be one."""
    entries = [json.loads(line) for line in Path(log).read_bytes().split(b"\n")[:-1]]
    return [entry["run_data"]["run_id"].split("_")[1] for entry in entries]


# --- many writers, and kills ----------------------------------------------------------------------------------


def torture(*args: str) -> str:
    """Run the torture as a program of its own; return what it found."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", *args], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b""), done.stdout.decode()
    return done.stdout.decode()


@pytest.mark.parametrize(
    "args",
    [("kills", "200", "--bare"), ("kills", "60"), ("writers", "16", "40", "--bare"), ("writers", "8", "8")],
    ids=" ".join,
)
def test_nothing_is_torn_lost_or_doubled(args: tuple[str, ...]) -> None:
    assert "0 torn, 0 lost, 0 doubled, 0 in part" in torture(*args)


@pytest.mark.skipif(
    not os.environ.get("NSM_GATE_TORTURE"), reason="takes an hour: set NSM_GATE_TORTURE, or make torture"
)
@pytest.mark.parametrize(
    "args",
    [
        ("kills", "10000", "--bare"), ("kills", "10000"), ("writers", "64", "500", "--bare"),
        ("writers", "64", "500", "--together", "10"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_nothing_is_torn_lost_or_doubled_in_the_long_run(args: tuple[str, ...]) -> None:
    assert "0 torn, 0 lost, 0 doubled, 0 in part" in torture(*args)


def test_threads_of_one_program_wait_for_each_other(lab: Repo) -> None:
    wrong: list[BaseException] = []

    def work(writer: int) -> None:
        try:
            for number in range(3):
                nsm_gate.append(LOG, a_run(f"planning_w{writer}n{number}_20251101", 10 * writer + number + 1))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(names()) == sorted(["one", *(f"w{w}n{n}" for w in range(6) for n in range(3))])


def test_of_writers_of_one_run_id_into_several_logs_one_succeeds(lab: Repo) -> None:
    logs = []
    for number in range(6):
        (lab.path / f"sweep{number}").mkdir()
        logs.append(f"sweep{number}/training_log.jsonl")
    (lab.path / "run.json").write_bytes(lines(a_run("planning_two_20251101", 1)))
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", "nsm_gate", "append", log, "run.json"], stdout=subprocess.DEVNULL
        )
        for log in logs
    ]
    assert sorted(program.wait() for program in programs) == [0, 1, 1, 1, 1, 1]
    assert sum(Path(log).exists() for log in logs) == 1


def test_time_stamps_follow_the_order_of_the_lines(lab: Repo) -> None:
    runs = [edited(a_run(f"planning_p{n}_20251101", n + 1), entry__timestamp=...) for n in range(6)]
    programs = []
    for run in runs:
        program = subprocess.Popen(
            [sys.executable, "-m", "nsm_gate", "append", "-q", LOG], stdin=subprocess.PIPE
        )
        programs.append(program)
        assert program.stdin is not None
        program.stdin.write(lines(run))
        program.stdin.close()
    assert [program.wait() for program in programs] == [0] * 6
    stamps = [json.loads(line)["timestamp"] for line in Path(LOG).read_bytes().splitlines()[1:]]
    assert len(stamps) == 6
    assert stamps == sorted(stamps)


# --- locks ----------------------------------------------------------------------------------------------------


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Hold the lock of a file or folder, as another program does."""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


@pytest.mark.parametrize("what", [LOG, "."])
def test_a_lock_that_is_held_is_an_error_in_the_end(lab: Repo, what: str) -> None:
    run = lines(a_run("planning_two_20251101", 1))
    with held(lab.path / what):
        result = gate("append", LOG, "--lock-timeout", "0.2", cwd=lab.path, env=lab.env, stdin=run)
        assert (result.code, result.out) == (2, "")
        assert result.err == (
            f"nsm-gate: error: {LOG}: another program has held its lock for 0.2 seconds\n"
            "  try again later, or wait longer: --lock-timeout SECONDS\n"
        )
        with pytest.raises(GateError, match="has held its lock for 0 seconds"):
            nsm_gate.append(LOG, a_run("planning_two_20251101", 1), lock_timeout=0)
    assert names() == ["one"]
    assert gate("append", LOG, cwd=lab.path, env=lab.env, stdin=run).code == 0


def test_a_lock_is_waited_for(lab: Repo) -> None:
    with held(lab.path / LOG) as handle:
        timer = threading.Timer(0.5, fcntl.flock, (handle, fcntl.LOCK_UN))
        timer.start()
        result = gate_process(
            "append", LOG, cwd=lab.path, env=lab.env, stdin=lines(a_run("planning_two_20251101", 1))
        )
        timer.join()
    assert (result.code, names()) == (0, ["one", "two"])


@pytest.mark.parametrize("text", ["-1", "soon", "nan", "inf"])
def test_a_time_that_is_none_is_a_mistake(lab: Repo, text: str) -> None:
    result = gate("append", LOG, f"--lock-timeout={text}", cwd=lab.path, env=lab.env)
    assert result.code == 2
    assert "--lock-timeout" in result.err


def test_a_child_that_outlives_a_killed_writer_does_not_keep_its_lock(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')
    code = """
import os, sys, time
from nsm_gate.edge.appending import Target, append_lines
from nsm_gate.edge.locks import Patience

def decide(lines):
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
    print(child, flush=True)
    time.sleep(60)

append_lines(Target(sys.argv[1], "log", 1 << 20, 1 << 20), decide, Patience(5))
"""
    with subprocess.Popen([sys.executable, "-c", code, str(log)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        child = int(writer.stdout.readline())
        writer.kill()
        writer.wait()
        try:
            append(log, b'{"id": "b"}', patience=5)
        finally:
            os.kill(child, signal.SIGKILL)
    assert log.read_bytes() == b'{"id": "a"}\n{"id": "b"}\n'


# --- what other programs do meanwhile ---------------------------------------------------------------------------


def append(log: Path, line: bytes, *meanwhile: object, patience: float = 20) -> None:
    """Append a line; each time that the log has been looked at, one thing happens to it."""
    steps = list(meanwhile)

    def decide(lines: Sequence[bytes]) -> list[bytes]:
        step = steps.pop(0) if steps else None
        if callable(step):
            step()
        return [] if line in lines else [line]

    append_lines(Target(str(log), log.name, 1 << 20, 1 << 20), decide, Patience(patience))


def replaced(log: Path, data: bytes) -> None:
    """Replace a log as git and editors do."""
    new = log.with_suffix(".new")
    new.write_bytes(data)
    new.replace(log)


def foreign(log: Path, data: bytes) -> None:
    """Append to a log without asking for its lock."""
    with open(log, "ab") as file:
        file.write(data)


def test_a_log_that_is_replaced_meanwhile_gets_the_entry_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')
    append(log, b'{"id": "b"}', lambda: replaced(log, b'{"id": "z"}\n'), log.unlink)
    assert log.read_bytes() == b'{"id": "b"}\n'


def test_a_log_that_is_replaced_while_its_lock_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')
    with held(log) as handle:
        thread = threading.Thread(target=append, args=(log, b'{"id": "b"}'))
        thread.start()
        time.sleep(0.2)
        replaced(log, b'{"id": "z"}\n')
        fcntl.flock(handle, fcntl.LOCK_UN)
        thread.join()
    assert log.read_bytes() == b'{"id": "z"}\n{"id": "b"}\n'


def test_lines_of_a_program_that_does_not_ask_for_the_lock_are_seen(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')
    append(log, b'{"id": "b"}', lambda: foreign(log, b'{"id": "b"}\n'))
    assert log.read_bytes() == b'{"id": "a"}\n{"id": "b"}\n'


def test_a_log_that_never_rests_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b"")
    busy = [lambda: foreign(log, b'{"id": "z"}\n')] * 100
    with pytest.raises(GateError, match="other programs keep changing the log"):
        append(log, b'{"id": "b"}', *busy)
    assert b'"b"' not in log.read_bytes()


def test_lines_that_others_wrote_behind_a_failed_write_are_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')

    def failing(_handle: int) -> None:
        foreign(log, b'{"id": "z"}\n')
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("nsm_gate.edge.appending.sync", failing)
    with pytest.raises(GateError, match="a part of it was written, and cannot be taken back"):
        append(log, b'{"id": "b"}')
    assert log.read_bytes() == b'{"id": "a"}\n{"id": "b"}\n{"id": "z"}\n'


def test_a_log_that_may_only_grow_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(b'{"id": "a"}\n')
    if subprocess.run(["chattr", "+a", log], capture_output=True, check=False).returncode:
        pytest.skip("the file system keeps no attributes, or this user may not set them")
    try:
        append(log, b'{"id": "b"}')
        assert log.read_bytes() == b'{"id": "a"}\n{"id": "b"}\n'
        foreign(log, b'{"torn')
        with pytest.raises(GateError, match="cannot be written: Operation not permitted"):
            append(log, b'{"id": "c"}')
        assert log.read_bytes() == b'{"id": "a"}\n{"id": "b"}\n{"torn'
    finally:
        subprocess.run(["chattr", "-a", log], check=True)
