"""Every call that appending makes to the system fails in turn, or the process is killed there: nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.edge import appending, durable, locks, pending
from nsm_gate.edge.appending import Done, Target, append_lines
from nsm_gate.edge.locks import Patience
from nsm_gate.errors import GateError
from tests.support import a_run, environment, lines

OLD = [b'{"id": "a"}', b'{"id": "b"}']
TORN = b'{"id": "torn", "pa'
ONE = [b'{"id": "c"}']
MANY = [b'{"id": "c"}', b'{"id": "d"}', b'{"id": "e"}']
CALLS = ("open", "write", "pread", "fsync", "ftruncate", "fstat", "lstat", "unlink", "close", "flock")
SCENES: dict[str, tuple[bytes | None, list[bytes]]] = {
    "one entry": (b"\n".join(OLD) + b"\n", ONE),
    "many entries": (b"\n".join(OLD) + b"\n", MANY),
    "a new log": (None, ONE),
    "a new log of many": (None, MANY),
    "a torn tail": (b"\n".join(OLD) + b"\n" + TORN, MANY),
    "no last newline": (b"\n".join(OLD), MANY),
}


@dataclass
class Saboteur:
    """Stands for `os` and `fcntl` in the modules that append, and lets one call fail.

    Attributes:
        at: Number of the call, from 1.
        how: What happens there: an errno, or `kill`; of a write, `half` of it is done before.
    """

    at: int
    how: str
    calls: int = 0
    met: str = ""

    def wrap(self, module: Any) -> Any:
        saboteur = self

        class Module:
            def __getattr__(self, name: str) -> Any:
                found = getattr(module, name)
                return saboteur.guard(name, found) if name in CALLS else found

        return Module()

    def guard(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls != self.at:
                return call(*args, **options)
            self.met = name
            if name == "write" and self.how.startswith("half"):
                call(args[0], args[1][: max(1, len(args[1]) // 2)])
            if self.how.endswith("kill"):
                os.kill(os.getpid(), signal.SIGKILL)
            number = errno.EIO if self.how == "EIO" else errno.ENOSPC
            raise OSError(number, os.strerror(number))

        return guarded


def decide(wanted: list[bytes]) -> Callable[[list[bytes]], list[bytes]]:
    """Return the decision to append what is not there yet."""
    return lambda lines: [line for line in wanted if line not in lines]


def append(log: Path, wanted: list[bytes]) -> Done:
    return append_lines(Target(str(log), log.name, 1 << 20, 1 << 20), decide(wanted), Patience(20))


def sabotaged(log: Path, wanted: list[bytes], at: int, how: str) -> tuple[str, str]:
    """Append in a process of its own; return how that ended, and the call that was let fail."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the tests have threads, which the child does not use
        pid = os.fork()
    if not pid:
        try:
            saboteur = Saboteur(at, how)
            faulty = saboteur.wrap(os)
            for module in (appending, durable, locks, pending):
                module.os = faulty  # type: ignore[attr-defined]
            own = saboteur.wrap(locks._fcntl())
            locks._fcntl = lambda: own
            try:
                append(log, wanted)
                end = "done"
            except GateError as error:
                end = f"error: {error}"
            except BaseException as error:
                end = f"escaped: {error!r}"
            os.write(writer, json.dumps([end, saboteur.met]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        told = file.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "killed", how
    end, met = json.loads(told)
    return end, met


def names(log: Path) -> Counter[str]:
    """Return how often each id stands in the log; every line of it must be an entry."""
    data = log.read_bytes()
    assert data.endswith(b"\n")
    return Counter(json.loads(line)["id"] for line in data.split(b"\n")[:-1])


def beside(log: Path) -> list[str]:
    """Return the files that appending left beside a log."""
    return sorted(path.name for path in log.parent.iterdir() if path != log)


@pytest.mark.parametrize("how", ["ENOSPC", "EIO", "half ENOSPC", "kill", "half kill"])
@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_torn_lost_or_doubled_whatever_call_fails(tmp_path: Path, scene: str, how: str) -> None:
    before, wanted = SCENES[scene]
    met = Counter[str]()
    for at in range(1, 200):
        folder = tmp_path / str(at)
        folder.mkdir()
        log = folder / "jobs.jsonl"
        if before is not None:
            log.write_bytes(before)
        end, call = sabotaged(log, wanted, at, how)
        after = log.read_bytes() if log.exists() else None
        aside = folder / "jobs.jsonl.torn"
        kept = aside.read_bytes() if aside.exists() else b""
        if end == "done" and not call:
            break
        assert not end.startswith("escaped"), (at, call, end)
        met[call] += 1
        if end == "done":
            # A call that may fail, such as dropping a note that has served: then all is there.
            assert names(log) >= Counter(json.loads(line)["id"] for line in wanted), (at, call)
        elif end.startswith("error") and "cannot be taken back" not in end:
            whole = before.removesuffix(TORN) if before is not None and kept else before
            # A new log that could not be locked may be left, empty: another writer may wait for it.
            assert (after or None) in (before, whole), (at, call, end)
        if before is not None:
            assert after is not None
            assert after.startswith(b"\n".join(OLD)), (at, call, end)
            assert TORN not in before or TORN in after + kept, (at, call, end)
        # The same once more: it is success, and all is there once.
        append(log, wanted)
        found = names(log)
        assert found == Counter(
            {json.loads(line)["id"]: 1 for line in ([] if before is None else OLD) + wanted}
        )
        if before is not None and TORN in before:
            # Killed while it was set aside, a part of it may stand there once more.
            assert aside.read_bytes().split(b"\n")[-2] == TORN
            assert beside(log) == ["jobs.jsonl.torn"]
        elif aside.exists():
            # A killed writer's line, torn and never acknowledged.
            assert any(line.startswith(aside.read_bytes().rstrip(b"\n")) for line in wanted), (at, call)
    else:
        raise AssertionError("there is no end of calls")
    assert at > 8
    if not how.endswith("kill"):
        assert {"open", "write", "fsync", "fstat", "flock", "pread"} <= set(met)


@pytest.mark.parametrize("how", ["kill", "half kill"])
def test_entries_appended_together_are_all_there_or_none_after_a_kill(tmp_path: Path, how: str) -> None:
    ends = set()
    for at in range(1, 200):
        folder = tmp_path / str(at)
        folder.mkdir()
        log = folder / "jobs.jsonl"
        log.write_bytes(b"\n".join(OLD) + b"\n")
        end, call = sabotaged(log, MANY, at, how)
        if end == "done" and not call:
            break
        append(log, [b'{"id": "later"}'])
        found = [json.loads(line)["id"] for line in log.read_bytes().splitlines()]
        assert found in (["a", "b", "later"], ["a", "b", "c", "d", "e", "later"]), (at, found)
        assert beside(log) == []
        ends.add(len(found))
    assert ends == {3, 6}


def test_what_an_interrupted_writer_noted_is_kept_where_others_wrote_behind_it(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(OLD[0] + b"\n")
    payload = b"\n".join(MANY) + b"\n"
    pending.note(str(log), len(OLD[0]) + 1, payload)
    log.write_bytes(OLD[0] + b"\n" + payload[:15] + b'\n{"id": "foreign"}\n')
    append(log, [b'{"id": "later"}'])
    assert b'{"id": "foreign"}\n{"id": "later"}\n' in log.read_bytes()
    assert (tmp_path / "jobs.jsonl.torn").read_bytes() == payload
    assert beside(log) == ["jobs.jsonl.torn"]


def test_a_note_that_is_no_note_is_not_acted_upon(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    payload = b"\n".join(MANY) + b"\n"
    for text in (b"", b"x", b"0 9999 1\n" + payload, b"0 %d 1\n" % len(payload) + payload):
        log.write_bytes(MANY[0] + b"\n")
        (tmp_path / ".jobs.jsonl.nsm-gate-pending").write_bytes(text)
        append(log, ONE)
        assert log.read_bytes() == MANY[0] + b"\n"
        assert beside(log) == []


# --- a disk that is full ------------------------------------------------------------------------------------

UNWRITTEN = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Python takes a module that it could write only in part for a whole one."""
FULL = """
import resource, sys
from pathlib import Path
from tests.test_append_faults import append
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
append(Path(sys.argv[1]), [b'{"id": "c", "pad": "%s"}' % (b"x" * 50_000), b'{"id": "d"}'])
"""


def full(log: Path, limit: int = 0) -> subprocess.CompletedProcess[bytes]:
    """Append 50 KB in a process of its own, in which no file may have more than `limit` bytes."""
    return subprocess.run(
        [sys.executable, "-c", FULL, str(log), str(limit)],
        env={**os.environ, **UNWRITTEN},
        capture_output=True,
        check=False,
    )


def test_a_file_that_may_not_grow_stays_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "jobs.jsonl"
    log.write_bytes(OLD[0] + b"\n")
    for limit in (20, 4096, 30_000, 50_030):
        done = full(log, limit)
        assert done.returncode == 1
        assert b"cannot be written: File too large" in done.stderr
        assert (log.read_bytes(), beside(log)) == (OLD[0] + b"\n", [])
    assert full(log).returncode == 0
    assert names(log) == Counter({"a": 1, "c": 1, "d": 1})


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        log = disk / "jobs.jsonl"
        log.write_bytes(OLD[0] + b"\n")
        (disk / "ballast").write_bytes(b"x" * 40_000)
        done = full(log)
        assert done.returncode == 1
        assert b"No space left on device" in done.stderr
        assert log.read_bytes() == OLD[0] + b"\n"
        assert beside(log) == ["ballast"]
        (disk / "ballast").unlink()
        append(log, ONE)
        assert names(log) == Counter({"a": 1, "c": 1})
    finally:
        subprocess.run(["umount", disk], check=True)


def test_the_command_says_that_the_disk_is_full(tmp_path: Path) -> None:
    log = tmp_path / "training_log.jsonl"
    log.write_bytes(lines(a_run()))
    code = """
import resource, sys
from nsm_gate.__main__ import program
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
sys.argv = ["nsm-gate", "append", "training_log.jsonl"]
sys.exit(program())
"""
    entry = lines(a_run("planning_two_20251101", 1))
    env = environment(tmp_path, **UNWRITTEN)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, input=entry, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == (
        b"nsm-gate: error: training_log.jsonl: cannot be written: File too large\n  nothing was appended\n"
    )
    assert (log.read_bytes(), beside(log)) == (lines(a_run()), [])


def test_a_read_only_file_system_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    log = tmp_path / "disk/jobs.jsonl"
    log.write_bytes(OLD[0] + b"\n")
    if subprocess.run(
        ["mount", "--bind", log.parent, log.parent], capture_output=True, check=False
    ).returncode:
        pytest.skip("this user may not mount")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", log.parent], check=True)
        with pytest.raises(GateError, match="cannot be opened for writing: Read-only file system"):
            append(log, ONE)
    finally:
        subprocess.run(["umount", log.parent], check=True)
    assert (log.read_bytes(), beside(log)) == (OLD[0] + b"\n", [])
