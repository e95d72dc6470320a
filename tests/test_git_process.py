"""`edge.git_process` and what is asked ahead: real processes, some of which misbehave."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nsm_gate.cli import main
from nsm_gate.edge.discovery import Ahead, discover
from nsm_gate.edge.git_process import Command, Talk, run
from nsm_gate.errors import GateError
from tests.support import ROOT, Repo, a_run, edited, gate

WAYS = ("posix_spawn", "Popen")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Start processes as on Linux, and as where there is no posix_spawn."""
    if request.param == "Popen":
        monkeypatch.delattr(os, "posix_spawn")
    return str(request.param)


def fake_git(folder: Path, script: str) -> dict[str, str]:
    """Return an environment in which git is a shell script."""
    place = folder / "bin" / "git"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
    return {**os.environ, "PATH": f"{place.parent}{os.pathsep}{os.environ['PATH']}"}


def children() -> set[int]:
    """Return the processes that this one started and has not waited for, a browser of other tests among them."""
    own = os.getpid()
    found = set()
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since
        if int(after_name[1]) == own:
            found.add(int(place.parent.name))
    return found


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "lab")
    made.write("experiments/training_log.jsonl", [a_run("baseline_first_20251101")])
    made.commit("a run")
    return made


def test_a_command_answers_on_both_streams(tmp_path, way):
    # More of each than a pipe holds, and the complaints first.
    env = fake_git(tmp_path, "head -c 300000 /dev/zero >&2; head -c 200000 /dev/zero; exit 3")
    done = run(("any",), str(tmp_path), env)
    assert (done.returncode, len(done.stdout), len(done.stderr)) == (3, 200_000, 300_000)


def test_a_command_has_its_folder_its_environment_and_no_input(tmp_path, way):
    env = fake_git(tmp_path, 'echo "$1 $2" "$GIVEN" "$(cat | wc -c)"')
    done = run(("any",), str(tmp_path), {**env, "GIVEN": "it"})
    assert done.stdout.decode().split() == ["-C", str(tmp_path), "it", "0"]


def passes_on(handle: int) -> bool:
    try:
        return os.get_inheritable(handle)
    except OSError:
        return False


def test_a_command_inherits_no_file_and_ignores_no_broken_pipe(tmp_path, way):
    reader, writer = os.pipe()
    env = fake_git(tmp_path, "ls -l /proc/$$/fd; grep SigIgn /proc/$$/status")
    said = run(("any",), str(tmp_path), env).stdout.decode()
    handles = dict(row.split()[-3::2] for row in said.splitlines() if " -> " in row)
    os.close(reader)
    os.close(writer)
    # Beside its streams the shell has its script open, and what this process itself was given to pass on.
    given = {str(handle) for handle in range(3, 1024) if passes_on(handle)}
    opened = {place for handle, place in handles.items() if handle not in {"0", "1", "2", *given}}
    assert opened <= {str(tmp_path / "bin" / "git")}
    ignored = int(said.split("SigIgn:")[1].split()[0], 16)
    assert not ignored & (1 << 12 | 1 << 24)  # SIGPIPE, SIGXFSZ


def test_a_command_that_is_killed_says_so(tmp_path, way):
    assert run(("any",), str(tmp_path), fake_git(tmp_path, "kill -9 $$")).returncode == -9


def test_a_command_that_nobody_waits_for_is_ended(tmp_path, way):
    env = fake_git(tmp_path, "exec sleep 600")
    before = children()
    Command(("any",), str(tmp_path), env).drop()
    assert children() == before


def test_a_git_that_is_not_there(tmp_path, way):
    for path in (str(tmp_path), ""):
        with pytest.raises(FileNotFoundError):
            run(("version",), str(tmp_path), {"PATH": path})


def test_a_talk_goes_on(repo, way):
    talk = Talk(("cat-file", "--batch-check"), str(repo.path), repo.env)
    for _ in range(2):
        talk.stdin.write(b"HEAD\n")
        talk.stdin.flush()
        assert talk.stdout.readline().split()[1] == b"commit"
    talk.end()


def test_standard_streams_may_be_closed(repo):
    code = (
        "import os, sys; os.close(0); os.close(2)\n"
        "from nsm_gate.edge.discovery import discover\n"
        "git = discover(sys.argv[1], os.environ); print(git.commit('HEAD'), len(git.tracked())); git.close()"
    )
    command = [sys.executable, "-c", code, str(repo.path)]
    env = {**repo.env, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [repo.git("rev-parse", "HEAD").strip(), "1"]


@pytest.mark.parametrize("cut", (0, 5))
def test_a_file_that_git_gives_in_part_is_no_shorter_file(tmp_path, repo, cut, way):
    real = next(p for p in os.environ["PATH"].split(os.pathsep) if os.access(f"{p}/git", os.X_OK))
    answer = "1111111111111111111111111111111111111111 blob 10"
    env = fake_git(
        tmp_path,
        f'case "$*" in *cat-file*) read name; echo "{answer}"; printf "%.{cut}s" 0123456789; exit 1;; esac\n'
        f'exec {real}/git "$@"',
    )
    git = discover(str(repo.path), env)
    assert git is not None
    with pytest.raises(GateError, match="git cannot read"):
        git.object("1" * 40)
    git.close()


# --- asked ahead ----------------------------------------------------------------------------------


def test_what_was_asked_ahead_is_what_is_asked_later(repo):
    repo.append("experiments/training_log.jsonl", a_run("baseline_second_20251102"))
    repo.git("add", "-A")
    ahead = Ahead(str(repo.path), repo.env)
    ahead.go_on()
    early = discover(str(repo.path), repo.env, ahead=ahead)
    late = discover(str(repo.path), repo.env)
    assert early is not None
    assert late is not None
    head = late.commit("HEAD")
    assert head is not None
    for one in (early, late):
        assert (one.root, one.shallow, one.commit("HEAD")) == (str(repo.path), False, head)
    assert early.tree(head) == late.tree(head)
    assert early.index() == late.index() != late.tree(head)
    early.close()
    late.close()
    ahead.close()


@pytest.mark.parametrize("began", (False, True))
def test_what_was_asked_of_another_folder_is_not_taken(repo, tmp_path, began):
    other = Repo.init(tmp_path / "other")
    before = children()
    ahead = Ahead(str(repo.path), repo.env)
    if began:
        ahead.go_on()
    git = discover(str(other.path), other.env, ahead=ahead)
    assert git is not None
    assert git.root == str(other.path)
    git.close()
    changed = discover(str(repo.path), {**repo.env, "GIT_DIR": str(other.path / ".git")}, ahead=ahead)
    assert changed is not None
    assert changed.tracked() == {}
    changed.close()
    ahead.close()
    assert children() == before


def test_a_commit_that_came_meanwhile_is_seen(repo):
    ahead = Ahead(str(repo.path), repo.env)
    ahead.go_on()
    repo.write("experiments/other.jsonl", [a_run("baseline_other_20251103")])
    repo.commit("another")
    git = discover(str(repo.path), repo.env, ahead=ahead)
    assert git is not None
    head = git.commit("HEAD")
    assert head == repo.git("rev-parse", "HEAD").strip()
    assert "experiments/other.jsonl" in git.tree(str(head))
    git.close()


@pytest.mark.parametrize("words", (["check", "--staged", "--never"], ["check", "--staged", "--help"]))
def test_no_process_is_left_where_nothing_is_judged(repo, words, capsys):
    before = children()
    main(words, io.BytesIO(), io.StringIO(), io.StringIO(), repo.env, str(repo.path))
    assert children() == before


def test_outside_of_a_repository_nothing_is_asked_ahead_in_vain(tmp_path):
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    result = gate("check", "--staged", cwd=tmp_path, env=env)
    assert result.code == 2
    assert "--staged needs a git repository" in result.err


def test_without_git_the_hook_says_so(repo):
    result = gate("check", "--staged", cwd=repo.path, env={**repo.env, "PATH": str(repo.path)})
    assert result.code == 2
    assert "git is not installed" in result.err


def test_a_folder_with_a_line_break_in_its_name_is_refused(tmp_path):
    repo = Repo.init(tmp_path / "la\nb")
    repo.write("experiments/training_log.jsonl", [edited(a_run("baseline_first_20251101"))])
    repo.git("add", "-A")
    for words in (("check", "--staged"), ("check", "--all")):
        result = gate(*words, cwd=repo.path, env=repo.env)
        assert result.code == 2
        assert "the path of the repository holds a line break" in result.err
