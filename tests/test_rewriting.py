"""A log is rewritten in one step: whatever happens on the way, the old or the new file is there, whole."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nsm_gate.edge import pending, rewriting
from nsm_gate.edge.locks import Patience
from nsm_gate.errors import GateError
from tests.support import Repo, a_run, environment, gate, lines

LOG = "training_log.jsonl"
ROWS = b"".join(lines(a_run(f"planning_n{n}_20251101", n)).replace(b"\n", b"\r\n") for n in range(3))
FIXED = ROWS.replace(b"\r", b"")


def folder_of(place: Path) -> list[str]:
    """Return what lies beside a log, without git's own folder."""
    return sorted(name for name in os.listdir(place) if name != ".git")


@pytest.fixture
def project(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, ROWS)
    return repo


def run(repo: Repo, *before: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, after some preparations in it."""
    script = "\n".join([*before, "import sys", "from nsm_gate.cli import main", "import io, os", textwrap.dedent("""\
        sys.exit(main(["fix"], io.BytesIO(), sys.stdout, sys.stderr, os.environ, os.getcwd()))""")])  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", script], cwd=repo.path, env=repo.env, capture_output=True, check=False
    )


# --- what may happen on the way -----------------------------------------------------------------------

STEPS = ("open", "write", "fsync", "chmod", "replace", "fstat", "close")
KILL = """\
import os, signal
def dying(name, real=None):
    real = getattr(os, name)
    def call(*args, **options):
        global left
        if before:
            left -= 1
            if left < 0: os.kill(os.getpid(), signal.SIGKILL)
        done = real(*args, **options)
        if not before:
            left -= 1
            if left < 0: os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(os, name, call)
left, before = {left}, {before}
import nsm_gate.cli, nsm_gate.commands.fixing as fixing
real = fixing.rewrite
def rewrite(*args):
    for name in {steps!r}:
        dying(name)
    return real(*args)
fixing.rewrite = rewrite
"""


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_kill_at_any_step_leaves_the_old_or_the_new_log_whole(project: Repo, before: bool) -> None:
    place = project.path / LOG
    seen = set()
    for left in range(200):
        place.write_bytes(ROWS)
        done = run(project, KILL.format(left=left, before=before, steps=STEPS))
        now = place.read_bytes()
        assert now in (ROWS, FIXED)
        seen.add(now)
        if done.returncode != -signal.SIGKILL:
            assert (done.returncode, now) == (1, FIXED), done.stderr.decode()
            break
        assert done.returncode == -signal.SIGKILL
    else:
        pytest.fail("it never ended by itself")
    assert left >= len(STEPS)
    assert seen == {ROWS, FIXED}


def test_kills_at_random_moments_leave_a_whole_log(project: Repo) -> None:
    place = project.path / LOG
    pick = random.Random(3)
    began = time.monotonic()
    run(project)
    whole = time.monotonic() - began
    for _ in range(12):
        place.write_bytes(ROWS)
        running = subprocess.Popen(
            [sys.executable, "-m", "nsm_gate", "fix"], cwd=project.path, env=project.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(pick.uniform(0.3, 1.1) * whole)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert place.read_bytes() in (ROWS, FIXED)


@pytest.mark.parametrize("size", [0, 100, len(FIXED) - 1])
def test_a_full_disk_leaves_the_old_log_and_nothing_beside_it(project: Repo, size: int) -> None:
    # From the rewrite on: before, Python may write what it compiled.
    full = f"""\
import signal, resource, nsm_gate.cli, nsm_gate.commands.fixing as fixing
real = fixing.rewrite
def rewrite(*args):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
    return real(*args)
fixing.rewrite = rewrite
"""
    done = run(project, full)
    assert (done.returncode, (project.path / LOG).read_bytes()) == (2, ROWS)
    assert folder_of(project.path) == [LOG]
    assert f"{LOG}: cannot be written: File too large\n  it stays as it is" in done.stderr.decode()


@pytest.mark.parametrize("step", ["write", "fsync", "chmod", "replace"])
def test_an_error_at_any_step_leaves_the_old_log_and_nothing_beside_it(project: Repo, step: str) -> None:
    fault = f"""\
import os, errno, nsm_gate.edge.writing as writing
def fail(*args, **options): raise OSError(errno.ENOSPC, "No space left on device")
class Os:
    def __getattr__(self, name): return fail if name == "{step}" else getattr(os, name)
writing.os = Os()
class File:
    def __init__(self, inner): self.inner = inner
    def __enter__(self): return self
    def __exit__(self, *args): self.inner.close()
    def write(self, data): return fail() if "{step}" == "write" else self.inner.write(data)
    def flush(self): self.inner.flush()
writing.open = lambda *args: File(open(*args))
"""
    done = run(project, fault)
    assert (done.returncode, (project.path / LOG).read_bytes()) == (2, ROWS), done.stderr.decode()
    assert folder_of(project.path) == [LOG]
    assert "cannot be written: No space left on device" in done.stderr.decode()


def test_one_log_that_cannot_be_written_does_not_keep_the_others_from_it(project: Repo) -> None:
    other = project.write(f"sub/{LOG}", lines(a_run("planning_other_20251101", 9)).replace(b"\n", b"\r\n"))
    os.link(other, project.path / "elsewhere")
    result = gate("fix", cwd=project.path, env=project.env)
    assert result.code == 2
    assert (project.path / LOG).read_bytes() == FIXED
    assert other.read_bytes().endswith(b"\r\n")
    assert "3 fixes made in 3 lines" in result.out
    assert f"to stage what was fixed: git add {LOG}\n" in result.out
    assert f"nsm-gate: error: sub/{LOG}: it has a second name, a hard link" in result.err


# --- the file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o755, 0o664])
def test_the_permissions_stay(project: Repo, mode: int) -> None:
    place = project.path / LOG
    place.chmod(mode)
    assert gate("fix", cwd=project.path, env=project.env).code == 1
    assert stat.S_IMODE(place.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_stays(project: Repo) -> None:
    place = project.path / LOG
    os.chown(place, 12345, 23456)
    assert gate("fix", cwd=project.path, env=project.env).code == 1
    assert (place.stat().st_uid, place.stat().st_gid) == (12345, 23456)


def test_nothing_to_fix_leaves_the_very_file(project: Repo) -> None:
    place = project.path / LOG
    place.write_bytes(FIXED)
    before = place.stat()
    assert gate("fix", cwd=project.path, env=project.env).code == 0
    assert (place.stat().st_ino, place.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def linked(place: Path) -> None:
    place.rename(place.with_name("real"))
    place.symlink_to("real")


def piped(place: Path) -> None:
    place.unlink()
    os.mkfifo(place)


def in_a_folder(place: Path) -> None:
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize(
    ("change", "args", "said"),
    [
        (linked, (), "the log is a symbolic link"),
        (linked, (LOG,), "the log is a symbolic link"),
        (piped, (LOG,), "the log is not a regular file"),
        (in_a_folder, (LOG,), "no such file in the work tree"),
    ],
)
def test_what_is_no_log_is_refused_before_anything_is_changed(
    project: Repo, change: Callable[[Path], None], args: tuple[str, ...], said: str
) -> None:
    other = project.write(f"sub/{LOG}", ROWS)
    change(project.path / LOG)
    result = gate("fix", *args, cwd=project.path, env=project.env)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert other.read_bytes() == ROWS


def test_a_log_behind_a_linked_folder_is_mended_where_it_is(project: Repo) -> None:
    project.write(f"real/{LOG}", ROWS)
    (project.path / "sub").symlink_to("real")
    result = gate("fix", f"sub/{LOG}", cwd=project.path, env=project.env)
    assert (result.code, (project.path / "real" / LOG).read_bytes()) == (1, FIXED)
    assert f"git add real/{LOG}" in result.out
    assert (project.path / "sub").is_symlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_log_is_refused(project: Repo) -> None:
    (project.path / LOG).chmod(0o444)
    result = gate("fix", cwd=project.path, env=project.env)
    assert (result.code, (project.path / LOG).read_bytes()) == (2, ROWS)
    assert "cannot be written: Permission denied" in result.err


def test_carriage_returns_that_git_takes_out_stay_on_the_disk(project: Repo) -> None:
    project.git("config", "core.autocrlf", "true")
    naive = FIXED.replace(b"00:31Z", b"00:31").replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    (project.path / LOG).write_bytes(naive)
    assert gate("fix", cwd=project.path, env=project.env).code == 1
    # The line that had no newline gets one, and no carriage return of its own.
    assert (project.path / LOG).read_bytes() == ROWS.removesuffix(b"\r\n") + b"\n"


# --- others who write ---------------------------------------------------------------------------------


def test_what_was_appended_since_it_was_read_is_kept_behind(tmp_path: Path) -> None:
    place = tmp_path / LOG
    place.write_bytes(ROWS + b'{"later": 1}\n')
    rewriting.rewrite(str(place), LOG, ROWS, FIXED, Patience(60))
    assert place.read_bytes() == FIXED + b'{"later": 1}\n'


@pytest.mark.parametrize("now", [ROWS[:-1], b"x" + ROWS, b"", FIXED])
def test_a_log_that_was_changed_otherwise_is_left_alone(tmp_path: Path, now: bytes) -> None:
    place = tmp_path / LOG
    place.write_bytes(now)
    with pytest.raises(GateError, match="it was changed meanwhile"):
        rewriting.rewrite(str(place), LOG, ROWS, FIXED, Patience(60))
    assert place.read_bytes() == now


def test_bytes_behind_a_line_without_its_newline_are_a_change_of_that_line(tmp_path: Path) -> None:
    place = tmp_path / LOG
    place.write_bytes(b'{"a": 1}, "b": 2}\n')
    with pytest.raises(GateError, match="it was changed meanwhile"):
        rewriting.rewrite(str(place), LOG, b'{"a": 1}', b'{"a": 1}\n', Patience(60))


def test_a_line_of_a_writer_that_knows_no_lock_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens the log before the exchange, and writes right in it: what it wrote is in the old file."""
    place = tmp_path / LOG
    place.write_bytes(ROWS)
    real = os.replace

    def exchange(source: str, target: str) -> None:
        with open(place, "ab") as writer:
            real(source, target)
            writer.write(b'{"late": 1}\n')

    monkeypatch.setattr(os, "replace", exchange)
    rewriting.rewrite(str(place), LOG, ROWS, FIXED, Patience(60))
    assert place.read_bytes() == FIXED + b'{"late": 1}\n'


def test_a_writer_that_comes_while_the_new_file_is_written_stops_the_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / LOG
    place.write_bytes(ROWS)
    real = rewriting.replace

    def slow(target: str, chunks: object) -> None:
        with open(place, "ab") as writer:
            writer.write(b'{"late": 1}\n')
        real(target, chunks)

    monkeypatch.setattr(rewriting, "replace", slow)
    with pytest.raises(GateError, match="it was changed meanwhile"):
        rewriting.rewrite(str(place), LOG, ROWS, FIXED, Patience(60))
    assert place.read_bytes() == ROWS + b'{"late": 1}\n'
    assert folder_of(tmp_path) == [LOG]


def test_a_lock_that_nobody_lets_go_of_is_an_error_that_says_so(project: Repo) -> None:
    with open(project.path / LOG, "rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        result = gate("fix", "--lock-timeout", "0.2", cwd=project.path, env=project.env)
    assert (result.code, (project.path / LOG).read_bytes()) == (2, ROWS)
    assert f"{LOG}: another program has held its lock for 0.2 seconds\n  try again later" in result.err
    assert "git add" not in result.out


def test_lines_of_a_killed_append_go_where_they_belong_before_the_log_is_rewritten(tmp_path: Path) -> None:
    place = tmp_path / LOG
    more = b'{"first": 1}\n{"second": 2}\n'
    place.write_bytes(ROWS)
    pending.note(str(place), len(ROWS), more)
    with open(place, "ab") as file:
        file.write(more[:15])
    rewriting.rewrite(str(place), LOG, ROWS, FIXED, Patience(1))
    assert place.read_bytes() == FIXED + more
    assert folder_of(tmp_path) == [LOG]


APPENDER = """\
import sys
from nsm_gate.edge.appending import Target, append_lines
from nsm_gate.edge.locks import Patience
place, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
for number in range(count):
    line = b'{"writer": "%s", "number": %d}\\r' % (name, number)
    append_lines(Target(place, place, 1 << 20, 1 << 20), lambda _lines: [line], Patience(60))
"""


def test_writers_that_take_the_lock_lose_nothing_to_rewrites(tmp_path: Path) -> None:
    place = tmp_path / LOG
    place.write_bytes(b"")
    count = 100
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(place), str(count), name], env=environment(tmp_path)
        )
        for name in "ab"
    ]
    rewrites = 0
    while any(writer.poll() is None for writer in writers):
        before = place.read_bytes()
        if before:
            rewriting.rewrite(str(place), LOG, before, before.replace(b"\r", b""), Patience(60))
            rewrites += 1
    assert [writer.wait() for writer in writers] == [0, 0]
    found = [json.loads(row) for row in place.read_bytes().split(b"\n")[:-1]]
    assert rewrites > 0
    for name in "ab":
        assert [row["number"] for row in found if row["writer"] == name] == list(range(count))
