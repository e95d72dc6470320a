"""Which base and which head: every row of the design's table, on real repositories."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Repo, Result, a_run, check, edited, environment, gate, lines

LOG = "training_log.jsonl"
ZEROS = "0" * 40


def run(number: int) -> dict[str, Any]:
    """Return a clean run; runs of different numbers have different keys, times and results."""
    return a_run(f"planning_run{number}_20251101", number)


def runs(*numbers: int) -> list[dict[str, Any]]:
    return [run(number) for number in numbers]


@dataclass(frozen=True)
class Said:
    """What one call of the gate said, in three formats at once."""

    code: int
    judged: list[int]
    base: str
    why: str
    rules: list[tuple[str, int]]
    report: Any
    text: str
    concise: str


def ask(where: Repo | Path, *args: str, env: Mapping[str, str] | None = None) -> Said:
    """Run `nsm-gate check`; hold text and concise against the JSON, and return what they say."""
    place = where.path if isinstance(where, Repo) else where
    environ = env or (where.env if isinstance(where, Repo) else environment(place))
    folder = Path(environ["HOME"])
    files = [f"--output-format={name}:{folder / name}" for name in ("json", "concise")]
    result = gate("check", "--output-format=text", *files, *args, cwd=place, env=environ)
    assert (result.err, result.code) == ("", result.code if result.code < 2 else "judged")
    report = json.loads((folder / "json").read_text())
    concise, text = (folder / "concise").read_text(), result.out
    found = re.search(r"^(?:checked .* against|found no log to check; base:) (.*) \((.*)\)$", concise, re.M)
    assert found is not None
    base, why = found.groups()
    assert f"({why})" in text.splitlines()[0]
    assert ("every line" if base == "none" and report["logs"] else base) in text.splitlines()[0]
    assert all(log["base"] == base for log in report["logs"])
    judged = sorted({verdict["line"] for verdict in report["verdicts"] if verdict["path"] == LOG})
    rules = sorted((finding["rule"], finding["line"]) for finding in report["findings"])
    return Said(result.code, judged, base, why, rules, report, text, concise)


def refused(where: Repo | Path, *args: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a check that cannot judge; return the error object, which is all that JSON shows."""
    place = where.path if isinstance(where, Repo) else where
    result = check(*args, cwd=place, env=env or (where.env if isinstance(where, Repo) else None))
    assert result.code == 2, result.out
    assert list(result.json) == ["error"]
    error: dict[str, Any] = result.json["error"]
    # On stderr, what people wrote is escaped and cut.
    assert error["message"].split("\n")[0][:200] in result.err
    assert error["hint"][:200] in result.err
    return error


def short(repo: Repo, name: str = "HEAD") -> str:
    return repo.git("rev-parse", name)[:7]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository whose main holds runs 0 and 1, in two commits, and no remote."""
    made = Repo.init(tmp_path / "r")
    made.write(LOG, runs(0))
    made.commit("first")
    made.append(LOG, run(1))
    made.commit("second")
    return made


@pytest.fixture
def clone(repo: Repo, tmp_path: Path) -> Repo:
    """A clone with main checked out, which tracks origin/main."""
    return Repo.clone(repo, tmp_path / "clone")


def branch_with_main_ahead(repo: Repo) -> None:
    """Make a branch topic with run 2, while main gets run 3; topic is checked out."""
    repo.git("checkout", "-q", "-b", "topic")
    repo.append(LOG, run(2))
    repo.commit("on topic")
    repo.git("checkout", "-q", "main")
    repo.append(LOG, run(3))
    repo.commit("on main")
    repo.git("checkout", "-q", "topic")


def merge_union(repo: Repo, *names: str) -> None:
    """Merge branches (options too) and keep the lines of both sides, ours first."""
    repo.git("-c", f"core.attributesFile={attributes(repo)}", "merge", "-q", "--no-edit", *names)


def attributes(repo: Repo) -> Path:
    place = repo.path.parent / "union-attributes"
    place.write_text("*.jsonl merge=union\n")
    return place


# --- --staged -----------------------------------------------------------------------------------------


def test_staged_compares_the_index_with_head(repo: Repo) -> None:
    repo.append(LOG, run(2))
    repo.git("add", LOG)
    repo.append(LOG, run(3))
    said = ask(repo, "--staged")
    assert (said.code, said.judged) == (0, [3])
    assert (said.base, said.why) == (f"HEAD: {short(repo)}", "--staged")
    assert said.report["logs"][0]["lines"] == 3


def test_something_staged_is_judged_without_being_asked(repo: Repo) -> None:
    repo.append(LOG, run(2))
    repo.git("add", LOG)
    repo.append(LOG, run(3))
    said = ask(repo)
    assert (said.code, said.judged) == (0, [3])
    assert (said.base, said.why) == (f"HEAD: {short(repo)}", "something is staged")


@pytest.mark.parametrize("relative", [True, False])
def test_staged_honours_git_index_file(repo: Repo, relative: bool) -> None:
    index = ".git/other-index" if relative else str(repo.path / ".git/other-index")
    repo.append(LOG, run(2))
    repo.git("read-tree", "HEAD", GIT_INDEX_FILE=index)
    repo.git("add", LOG, GIT_INDEX_FILE=index)
    said = ask(repo, "--staged", env={**repo.env, "GIT_INDEX_FILE": index})
    assert (said.judged, said.why) == ([3], "--staged")
    assert ask(repo, "--staged").why == "nothing is staged"


@pytest.mark.parametrize("where", ["repository", "linked worktree"])
@pytest.mark.parametrize("how", ["commit", "commit -a", "commit -- path", "commit -a from a subfolder"])
def test_a_commit_hook_judges_what_the_commit_holds(repo: Repo, where: str, how: str) -> None:
    report = repo.path.parent / "report.json"
    command = f"{shlex.quote(sys.executable)} -m nsm_gate check --staged --output-format json:{report}"
    hook = repo.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {command}\n")
    hook.chmod(0o755)
    if where == "linked worktree":
        repo.git("worktree", "add", "-q", "-b", "other", "../linked")
        repo = Repo(repo.path.parent / "linked", repo.env)
    repo.write("a/b/notes.txt", "x")
    repo.git("add", "a")
    repo.append(LOG, run(2))
    old = repo.git("rev-parse", "HEAD")
    if how == "commit":
        repo.git("add", LOG)
        repo.append(LOG, run(3))
    match how.removeprefix("commit").split():
        case ["-a", *rest]:
            place = Repo(repo.path / "a/b", repo.env) if rest else repo
            place.git("commit", "-q", "-a", "-m", "x")
        case ["--", _]:
            repo.git("commit", "-q", "-m", "x", "--", LOG)
        case _:
            repo.git("commit", "-q", "-m", "x")
    found = json.loads(report.read_text())
    assert found["logs"] == [
        {"path": LOG, "log": "training_log", "base": f"HEAD: {old[:7]}", "lines": 3, "appended": 1}
    ]
    assert found["verdicts"][0]["run"] == run(2)["run_data"]["run_id"]


def test_a_commit_hook_stops_a_commit_that_rewrites_history(repo: Repo) -> None:
    hook = repo.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nsm_gate check --staged\n")
    hook.chmod(0o755)
    old = repo.git("rev-parse", "HEAD")
    repo.write(LOG, [edited(run(0), best_val_accuracy=0.9), run(1)])
    done = subprocess.run(
        ["git", "commit", "-a", "-m", "x"], cwd=repo.path, env=repo.env, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"history-rewritten" in done.stdout + done.stderr
    assert repo.git("rev-parse", "HEAD") == old


def test_a_commit_hook_may_change_the_folder(repo: Repo) -> None:
    # Git hands GIT_INDEX_FILE to hooks as a path from the root, and reads it so from every folder.
    report = repo.path.parent / "report.json"
    command = f"{shlex.quote(sys.executable)} -m nsm_gate check --staged --output-format json:{report}"
    hook = repo.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ncd sub && {command}\n")
    hook.chmod(0o755)
    repo.write("sub/notes.txt", "x")
    repo.append(LOG, run(2))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "x")
    (log,) = json.loads(report.read_text())["logs"]
    assert (log["lines"], log["appended"]) == (3, 1)


@pytest.mark.parametrize("born", [True, False])
def test_a_log_that_git_merely_intends_to_add_is_not_staged(repo: Repo, tmp_path: Path, born: bool) -> None:
    # The index then holds the name with an empty file, and git itself shows nothing as staged.
    repo = repo if born else Repo.init(tmp_path / "unborn")
    repo.write(f"new/{LOG}", [edited(run(5), findings="TODO")])
    repo.git("add", "-N", f"new/{LOG}")
    for args in ((), ("--staged",)):
        said = ask(repo, *args)
        assert (said.code, said.rules) == (1, [("missing-findings", 1)])


def test_a_linked_worktree_has_an_index_of_its_own(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "other", "../linked")
    linked = Repo(repo.path.parent / "linked", repo.env)
    linked.append(LOG, run(2))
    linked.git("add", LOG)
    assert (ask(linked, "--staged").judged, ask(linked, "--staged").why) == ([3], "--staged")
    assert ask(repo, "--staged").why == "nothing is staged"


@pytest.mark.parametrize("relative", [True, False])
def test_git_dir_and_git_work_tree_are_honoured(repo: Repo, relative: bool) -> None:
    repo.append(LOG, run(2))
    repo.git("add", LOG)
    (repo.path / ".git").rename(repo.path.parent / "elsewhere.git")
    place = "../elsewhere.git" if relative else str(repo.path.parent / "elsewhere.git")
    env = {**repo.env, "GIT_DIR": place, "GIT_WORK_TREE": "." if relative else str(repo.path)}
    said = ask(repo, "--staged", env=env)
    assert (said.judged, said.why) == ([3], "--staged")


def test_staged_falls_through_where_nothing_is_staged(clone: Repo) -> None:
    clone.append(LOG, run(2))
    said = ask(clone, "--staged")
    assert (said.code, said.judged) == (0, [3])
    assert said.base == f"merge base of the upstream: {short(clone)}"
    assert said.why == "nothing is staged"


def test_on_an_unborn_branch_every_staged_line_is_new(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, runs(0, 1))
    repo.git("add", LOG)
    repo.append(LOG, run(2))
    said = ask(repo, "--staged")
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")
    assert said.why == "--staged, and nothing is committed yet"


# --- what is local may be amended -----------------------------------------------------------------------


@pytest.fixture
def local(clone: Repo) -> Repo:
    """A clone with runs 2 and 3 committed but not pushed."""
    clone.append(LOG, run(2), run(3))
    clone.commit("not pushed")
    return clone


AMENDED = edited(run(2), findings="The same run, described with more care than at first.")


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize(
    "now, judged",
    [
        ([run(2), edited(run(3), findings=AMENDED["run_data"]["findings"])], [4]),
        ([AMENDED, run(3)], [3]),
        ([run(3)], []),
        ([run(2)], []),
        ([], []),
    ],
    ids=["last amended", "another amended", "one dropped", "last dropped", "both dropped"],
)
def test_a_line_that_is_not_published_may_be_amended_or_dropped(
    local: Repo, now: list[Any], judged: list[int], staged: bool
) -> None:
    local.write(LOG, [*runs(0, 1), *now])
    if staged:
        local.git("add", LOG)
    said = ask(local)
    # Without staging, the base is the upstream's: every local line is new.
    assert (said.code, said.rules) == (0, [])
    assert said.judged == (judged if staged else list(range(3, 3 + len(now))))


@pytest.mark.parametrize("args", [(), ("--staged",), ("--base", "HEAD"), ("--base", "origin/main")])
def test_a_published_line_may_not(local: Repo, args: tuple[str, ...]) -> None:
    local.write(LOG, [run(0), edited(run(1), best_val_accuracy=0.7), *runs(2, 3)])
    if args in ((), ("--staged",)):
        local.git("add", LOG)
    said = ask(local, *args)
    assert said.code == 1
    assert ("history-rewritten", 2) in said.rules


def test_without_an_upstream_what_is_committed_is_published(repo: Repo) -> None:
    repo.git("branch", "-m", "main", "work")
    repo.write(LOG, [run(0), edited(run(1), best_val_accuracy=0.7)])
    assert ("history-rewritten", 2) in ask(repo).rules
    repo.git("add", LOG)
    assert ("history-rewritten", 2) in ask(repo, "--staged").rules


# --- a merge under way ----------------------------------------------------------------------------------


def test_while_a_merge_is_under_way_the_bases_are_all_parents(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    merge_union(repo, "main", "--no-commit")
    for args in (("--staged",), ()):
        said = ask(repo, *args)
        assert (said.code, said.judged, said.rules) == (0, [], [])
        assert said.base == f"the parents of the merge: {short(repo)}, {short(repo, 'main')}"
        assert said.why.endswith(", and a merge is under way")


def test_a_line_that_a_merge_makes_up_is_judged_and_an_inserted_one_is_a_warning(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    merge_union(repo, "main", "--no-commit")
    repo.write(LOG, runs(0, 1, 2, 9, 3))
    repo.git("add", LOG)
    said = ask(repo, "--staged")
    assert said.judged == [4]
    assert [f["severity"] for f in said.report["findings"] if f["rule"] == "inserted-line"] == ["warning"]


def test_a_merge_that_drops_a_published_line_rewrites_history(clone: Repo) -> None:
    clone.git("checkout", "-q", "-b", "topic", "HEAD^")
    clone.append(LOG, run(2))
    clone.commit("on topic")
    clone.git("merge", "-q", "--no-commit", "-s", "ours", "main")
    said = ask(clone, "--staged")
    assert (said.code, said.rules) == (1, [("history-rewritten", 2)])


def test_both_parents_adding_one_key_is_a_duplicate_although_neither_line_is_new(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    repo.append(LOG, edited(run(3), best_val_accuracy=0.7))
    repo.commit("the same run, otherwise")
    merge_union(repo, "main", "--no-commit")
    said = ask(repo, "--staged")
    assert (said.code, said.judged) == (1, [])
    assert [rule for rule, _ in said.rules] == ["duplicate-run"]


def test_an_octopus_merge_has_three_parents(repo: Repo) -> None:
    for number, name in enumerate(["one", "two"], 2):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(f"{name}/{LOG}", runs(number))
        repo.commit(name)
    repo.git("checkout", "-q", "main")
    repo.write(f"three/{LOG}", runs(4))
    repo.commit("three")
    merge_union(repo, "one", "--no-commit", "two")
    said = ask(repo, "--staged")
    assert said.report["summary"]["checked"] == 0
    assert said.base == "the parents of the merge: " + ", ".join(
        short(repo, name) for name in ("HEAD", "one", "two")
    )


def test_a_merge_in_a_linked_worktree_is_seen_there_only(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    repo.git("checkout", "-q", "main")
    repo.git("worktree", "add", "-q", "../linked", "topic")
    linked = Repo(repo.path.parent / "linked", repo.env)
    merge_union(linked, "main", "--no-commit")
    assert ask(linked, "--staged").judged == []
    assert ask(linked, "--staged").why.endswith("a merge is under way")
    assert ask(repo, "--staged").why == "nothing is staged"


def test_the_hook_of_git_merge_knows_the_parents_before_merge_head_exists(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    report = repo.path.parent / "report.json"
    command = f"{shlex.quote(sys.executable)} -m nsm_gate check --staged --output-format json:{report}"
    hook = repo.path / ".git/hooks/pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntest ! -e .git/MERGE_HEAD && exec {command}\n")
    hook.chmod(0o755)
    parents = f"{short(repo)}, {short(repo, 'main')}"
    merge_union(repo, "main")
    (log,) = json.loads(report.read_text())["logs"]
    assert (log["appended"], log["base"]) == (0, f"the parents of the merge: {parents}")
    assert repo.git("rev-list", "--parents", "-1", "HEAD").count(" ") == 2


def test_a_log_in_conflict_cannot_be_judged(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    repo.git("merge", "-q", "main", check=False)
    error = refused(repo, "--staged")
    assert (error["message"], error["path"]) == ("the file is in conflict", LOG)


# --- --base and its override ----------------------------------------------------------------------------


def test_base_is_the_merge_base_and_head_the_work_tree(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    repo.append(LOG, run(4))
    said = ask(repo, "--base", "main")
    assert (said.code, said.judged) == (0, [3, 4])
    assert said.base == f"merge base of main: {short(repo, 'main^')}"
    assert said.why == "--base main"


@pytest.mark.parametrize("name", ["main", "refs/heads/main", "v1", "HEAD~1", "@", "SHA", "SHORT"])
def test_base_takes_every_name_of_a_commit(repo: Repo, name: str) -> None:
    repo.git("tag", "-a", "-m", "annotated", "v1")
    repo.append(LOG, run(2))
    name = {"SHA": repo.git("rev-parse", "HEAD"), "SHORT": short(repo)}.get(name, name)
    expected = "HEAD~1" if name == "HEAD~1" else "HEAD"
    said = ask(repo, "--base", name)
    assert said.base.endswith(f": {short(repo, expected)}")
    assert said.judged == ([2, 3] if name == "HEAD~1" else [3])


def test_the_environment_overrides_the_base_and_says_so(repo: Repo) -> None:
    repo.append(LOG, run(2))
    repo.git("add", LOG)
    said = ask(repo, env={**repo.env, "NSM_GATE_BASE": "HEAD~1"})
    assert said.judged == [2, 3]
    assert said.base == f"merge base of HEAD~1: {short(repo, 'HEAD~1')}"
    assert said.why == "NSM_GATE_BASE overrides the base"


def test_an_option_wins_over_the_environment(repo: Repo) -> None:
    env = {**repo.env, "NSM_GATE_BASE": "HEAD~1"}
    repo.append(LOG, run(2))
    assert ask(repo, "--base", "HEAD", env=env).why == "--base HEAD"
    assert ask(repo, "--all", env=env).why == "--all judges every line"
    repo.git("add", LOG)
    assert ask(repo, "--staged", env=env).why == "--staged"


def test_the_environment_wins_over_what_ci_says(repo: Repo, tmp_path: Path) -> None:
    env = github(repo, tmp_path, "push", push_event(repo, "HEAD~1"))
    said = ask(repo, env={**env, "NSM_GATE_BASE": "HEAD"})
    assert (said.judged, said.why) == ([], "NSM_GATE_BASE overrides the base")


GARBAGE = [
    "no-such-branch", "--output=x", "-n", "--all", "HEAD\nHEAD", "main..HEAD", "^HEAD", f"HEAD:{LOG}",
    "HEAD^{tree}", "HEAD~99", "HEAD@{99}", "@{upstream}", "@{-1}", "$(touch x)", "a b", " ", "deadbeef" * 5,
    "x" * 5000,
]  # fmt: skip


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", [*GARBAGE, ""], ids=lambda name: repr(name)[:24])
def test_a_base_that_is_no_commit_is_refused_and_nothing_is_written(repo: Repo, name: str) -> None:
    repo.append(LOG, run(2))
    before = tree_of(repo.path)
    error = refused(repo, f"--base={name}")
    assert error["message"]
    assert error["hint"]
    assert tree_of(repo.path) == before


@pytest.mark.parametrize("name", GARBAGE, ids=lambda name: repr(name)[:24])
def test_an_override_that_is_no_commit_is_refused_and_nothing_is_written(repo: Repo, name: str) -> None:
    repo.append(LOG, run(2))
    before = tree_of(repo.path)
    error = refused(repo, env={**repo.env, "NSM_GATE_BASE": name})
    assert "NSM_GATE_BASE" in error["message"]
    assert tree_of(repo.path) == before


def test_base_without_a_common_commit_is_refused(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "island")
    repo.commit("alone")
    error = refused(repo, "--base", "main")
    assert error["message"] == "main and HEAD have no common commit"


def test_two_ways_to_name_the_base_are_one_too_many(repo: Repo) -> None:
    result = gate("check", "--base", "HEAD", "--all", cwd=repo.path, env=repo.env)
    assert (result.code, result.out) == (2, "")
    assert "not allowed with" in result.err


# --- hook runners -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [(), ("--staged",)])
def test_a_hook_runner_names_the_range(repo: Repo, args: tuple[str, ...]) -> None:
    branch_with_main_ahead(repo)
    repo.append(LOG, run(4))
    repo.git("add", LOG)
    first, last = repo.git("rev-parse", "main"), repo.git("rev-parse", "topic")
    env = {**repo.env, "PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": first, "PRE_COMMIT_TO_REF": last}
    said = ask(repo, *args, env=env)
    assert (said.code, said.judged) == (0, [3])
    assert said.base == f"merge base of {first[:7]}: {short(repo, 'main^')}"
    assert said.why == "PRE_COMMIT_FROM_REF names the range"
    assert said.report["logs"][0]["lines"] == 3


def test_the_range_ends_at_its_own_head(repo: Repo) -> None:
    repo.append(LOG, run(2))
    repo.commit("third")
    env = {**repo.env, "PRE_COMMIT_FROM_REF": "HEAD~2", "PRE_COMMIT_TO_REF": "HEAD~1"}
    said = ask(repo, env=env)
    assert (said.judged, said.report["logs"][0]["lines"]) == ([2], 2)


def test_a_push_of_the_whole_history_names_no_range(repo: Repo) -> None:
    # So pre-commit calls its hooks for a remote that has no commit of the branch.
    env = {**repo.env, "PRE_COMMIT": "1", "PRE_COMMIT_REMOTE_NAME": "origin"}
    said = ask(repo, "--staged", env={**env, "PRE_COMMIT_LOCAL_BRANCH": "refs/heads/main"})
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")
    assert said.why == "the push sends the whole history"


def test_a_pushed_branch_is_not_blamed_for_what_it_merged_from_main(repo: Repo) -> None:
    branch_with_main_ahead(repo)
    before = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    merge_union(repo, "main")
    repo.append(LOG, run(4))
    repo.commit("after the merge")
    said = ask(repo, env={**repo.env, "PRE_COMMIT_FROM_REF": before, "PRE_COMMIT_TO_REF": "HEAD"})
    assert (said.code, said.judged) == (0, [5])
    assert said.base == f"merge base of {before[:7]}: {before[:7]} and of origin/main: {short(repo, 'main')}"


def test_a_range_that_is_not_there_is_refused(repo: Repo) -> None:
    env = {**repo.env, "PRE_COMMIT_FROM_REF": "1" * 40, "PRE_COMMIT_TO_REF": "HEAD"}
    assert "PRE_COMMIT_FROM_REF" in refused(repo, env=env)["message"]


# --- GitHub -----------------------------------------------------------------------------------------------


def github(repo: Repo, folder: Path, name: str, event: Any, ref: str = "refs/heads/main") -> dict[str, str]:
    """Return the environment of a workflow, with its event file written."""
    file = folder / "event.json"
    file.write_text(json.dumps(event))
    return {
        **repo.env, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(file), "GITHUB_REF": ref, "GITHUB_SHA": repo.git("rev-parse", "HEAD"),
    }  # fmt: skip


REPOSITORY = {"id": 1, "name": "r", "full_name": "o/r", "private": False, "default_branch": "main"}


def push_event(repo: Repo, before: str, branch: str = "main", **more: Any) -> dict[str, Any]:
    if set(before) != {"0"}:
        before = repo.git("rev-parse", before, check=False) or before
    return {
        "ref": f"refs/heads/{branch}", "before": before, "after": repo.git("rev-parse", "HEAD"),
        "created": set(before) == {"0"}, "deleted": False, "forced": False, "base_ref": None,
        "commits": [], "head_commit": {"id": repo.git("rev-parse", "HEAD")}, "repository": REPOSITORY,
        "pusher": {"name": "a", "email": "a@example.org"}, "sender": {"login": "a"}, **more,
    }  # fmt: skip


def pull_request_event(base: str, head: str) -> dict[str, Any]:
    return {
        "action": "synchronize", "number": 1, "repository": REPOSITORY, "sender": {"login": "a"},
        "pull_request": {
            "number": 1, "state": "open", "draft": False, "merged": False,
            "base": {"label": "o:main", "ref": "main", "sha": base, "repo": REPOSITORY},
            "head": {"label": "o:topic", "ref": "topic", "sha": head, "repo": REPOSITORY},
        },
    }  # fmt: skip


def merge_ref(repo: Repo, topic: str = "topic") -> str:
    """Do what GitHub does: merge a branch into main under refs/pull/1/merge, and check that out."""
    repo.git("checkout", "-q", "--detach", "main")
    merge_union(repo, topic, "--no-ff")
    repo.git("update-ref", "refs/pull/1/merge", "HEAD")
    return repo.git("rev-parse", "HEAD")


def pull_request(repo: Repo, folder: Path, base: str = "main", head: str = "topic") -> dict[str, str]:
    """Return the environment of a pull request's workflow, whatever that checks out."""
    event = pull_request_event(repo.git("rev-parse", base), repo.git("rev-parse", head))
    env = github(repo, folder, "pull_request", event, "refs/pull/1/merge")
    # GITHUB_SHA is the merge commit that GitHub made; a checkout of the head does not have it.
    merge = repo.git("rev-parse", "--verify", "-q", "refs/pull/1/merge", check=False)
    return {**env, "GITHUB_SHA": merge or "5" * 40}


def test_a_pull_request_on_its_merge_ref_is_compared_with_the_first_parent(
    repo: Repo, tmp_path: Path
) -> None:
    branch_with_main_ahead(repo)
    merge_ref(repo)
    # The event may be older than the merge: its base is where main was then.
    said = ask(repo, env=pull_request(repo, tmp_path, base="main^"))
    assert (said.code, said.judged) == (0, [4])
    assert said.base == f"HEAD^1 of the merge ref: {short(repo, 'main')}"
    assert said.why == "pull request"


def test_a_pull_request_on_a_checkout_of_its_head_is_compared_with_the_merge_base(
    repo: Repo, tmp_path: Path
) -> None:
    branch_with_main_ahead(repo)
    said = ask(repo, env=pull_request(repo, tmp_path))
    assert (said.code, said.judged) == (0, [3])
    assert said.base == f"merge base of pull_request.base.sha: {short(repo, 'main^')}"
    assert said.why == "pull request"


def test_a_merge_commit_at_the_head_of_a_branch_is_not_the_merge_ref(repo: Repo, tmp_path: Path) -> None:
    # GITHUB_REF is refs/pull/1/merge even where the workflow checks out the pull request's head.
    branch_with_main_ahead(repo)
    merge_union(repo, "main")
    said = ask(repo, env=pull_request(repo, tmp_path))
    assert said.judged == [3]
    assert said.base == f"merge base of pull_request.base.sha: {short(repo, 'main')}"


def test_a_pull_request_is_judged_by_its_commit_and_not_by_what_lies_on_disk(
    repo: Repo, tmp_path: Path
) -> None:
    branch_with_main_ahead(repo)
    merge_ref(repo)
    repo.append(LOG, run(7))
    repo.git("add", LOG)
    assert ask(repo, env=pull_request(repo, tmp_path)).judged == [4]


@pytest.mark.parametrize("checkout", ["merge ref", "head"])
def test_a_pull_request_that_edits_or_inserts_a_line_fails(repo: Repo, tmp_path: Path, checkout: str) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.write(LOG, [edited(run(0), best_val_accuracy=0.9), run(2), run(1)])
    repo.commit("rewrites")
    if checkout == "merge ref":
        merge_ref(repo)
    said = ask(repo, env=pull_request(repo, tmp_path))
    assert said.code == 1
    assert {rule for rule, _ in said.rules} >= {"history-rewritten", "inserted-line"}
    # GitHub's own merge commit joins nothing that the pull request did not.
    severities = {f["rule"]: f["severity"] for f in said.report["findings"]}
    assert severities["inserted-line"] == "error"


@pytest.mark.parametrize("args", [(), ("--staged",)])
def test_a_push_is_compared_with_what_was_there_before(
    repo: Repo, tmp_path: Path, args: tuple[str, ...]
) -> None:
    repo.append(LOG, run(2))
    repo.commit("third")
    repo.append(LOG, run(9))
    said = ask(repo, *args, env=github(repo, tmp_path, "push", push_event(repo, "HEAD~2")))
    assert (said.code, said.judged) == (0, [2, 3])
    assert said.base == f"the push's before: {short(repo, 'HEAD~2')}"
    assert said.why == "GitHub push"


def test_a_force_push_that_drops_a_published_line_shows(repo: Repo, tmp_path: Path) -> None:
    old = repo.git("rev-parse", "HEAD")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.append(LOG, run(2))
    repo.commit("instead")
    said = ask(repo, env=github(repo, tmp_path, "push", push_event(repo, old, forced=True)))
    assert (said.code, said.judged) == (1, [2])
    assert said.rules == [("history-rewritten", 2)]


@pytest.mark.parametrize(
    "before, why",
    [
        (ZEROS, "GitHub push, a new branch"),
        ("1234567" * 5 + "12345", "GitHub push, its before 1234567 is gone"),
    ],
    ids=["zeros", "gone"],
)
def test_a_push_without_its_before_is_compared_with_the_default_branch(
    repo: Repo, tmp_path: Path, before: str, why: str
) -> None:
    branch_with_main_ahead(repo)
    repo.append(LOG, run(4))
    repo.commit("again on topic")
    other = Repo.clone(repo, tmp_path / "ci", "--branch", "topic")
    env = github(other, tmp_path, "push", push_event(other, before, "topic"), "refs/heads/topic")
    said = ask(other, env=env)
    assert (said.code, said.judged) == (0, [3, 4])
    assert said.base == f"merge base of origin/main: {short(repo, 'main^')}"
    assert said.why == why


def test_the_default_branch_is_the_one_that_the_event_names(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "trunk", "HEAD~1")
    other = Repo.clone(repo, tmp_path / "ci")
    event = push_event(other, ZEROS, repository={**REPOSITORY, "default_branch": "trunk"})
    said = ask(other, env=github(other, tmp_path, "push", event))
    assert said.judged == [2]
    assert said.base == f"merge base of origin/trunk: {short(repo, 'trunk')}"


def test_a_push_that_makes_the_default_branch_is_compared_with_the_first_parent(
    repo: Repo, tmp_path: Path
) -> None:
    other = Repo.clone(repo, tmp_path / "ci")
    said = ask(other, env=github(other, tmp_path, "push", push_event(other, ZEROS)))
    assert said.judged == [2]
    assert said.base == f"first parent: {short(repo, 'HEAD~1')}"
    assert said.why == "GitHub push, a new branch, and the merge base of origin/main is HEAD"


def test_a_merge_group_names_its_base(repo: Repo, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD~1")
    head = repo.git("rev-parse", "HEAD")
    ref = f"refs/heads/gh-readonly-queue/main/pr-1-{base}"
    event = {
        "action": "checks_requested", "repository": REPOSITORY, "sender": {"login": "a"},
        "merge_group": {
            "head_sha": head, "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/main",
            "head_commit": {"id": head},
        },
    }  # fmt: skip
    repo.append(LOG, run(9))
    said = ask(repo, env=github(repo, tmp_path, "merge_group", event, ref))
    assert (said.code, said.judged) == (0, [2])
    assert said.base == f"merge_group.base_sha: {base[:7]}"
    assert said.why == "merge_group.base_sha names the base"


def test_another_event_has_no_base_of_its_own(repo: Repo, tmp_path: Path) -> None:
    env = github(repo, tmp_path, "schedule", {"schedule": "0 0 * * *"})
    said = ask(repo, env=env)
    assert (said.judged, said.base) == ([2], f"first parent: {short(repo, 'HEAD~1')}")


@pytest.mark.parametrize("event", ["pull_request", "push", "merge_group"])
@pytest.mark.parametrize("content", [None, "", "[1, 2", "[]", "{}"])
def test_an_event_file_that_says_nothing_is_never_a_silent_pass(
    repo: Repo, tmp_path: Path, event: str, content: str | None
) -> None:
    branch_with_main_ahead(repo)
    env = github(repo, tmp_path, event, {}, "refs/heads/topic")
    if content is None:
        env["GITHUB_EVENT_PATH"] = str(tmp_path / "missing.json")
    else:
        (tmp_path / "event.json").write_text(content)
    if event == "push" and content in ("[]", "{}"):
        # As after zeros: the default branch, as far as the clone knows one.
        assert ask(repo, env=env).judged == [3]
    else:
        refused(repo, env=env)


def test_an_event_without_a_file_is_refused(repo: Repo, tmp_path: Path) -> None:
    env = github(repo, tmp_path, "push", {})
    del env["GITHUB_EVENT_PATH"]
    assert refused(repo, env=env)["message"] == "GITHUB_EVENT_PATH is not set"


# --- GitLab -----------------------------------------------------------------------------------------------


def test_a_gitlab_merge_request_names_its_base(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD~1")
    env = {**repo.env, "CI": "true", "GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    repo.append(LOG, run(9))
    said = ask(repo, env=env)
    assert (said.code, said.judged) == (0, [2])
    assert said.base == f"CI_MERGE_REQUEST_DIFF_BASE_SHA: {base[:7]}"
    assert said.why == "CI_MERGE_REQUEST_DIFF_BASE_SHA names the base"


def test_a_gitlab_base_that_is_not_there_is_refused(repo: Repo) -> None:
    env = {**repo.env, "GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "1" * 40}
    assert refused(repo, env=env)["hint"].startswith("fetch it: git fetch --no-tags origin 1111111")


# --- nothing is said, nothing is staged ---------------------------------------------------------------------


def test_the_upstream_comes_first(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "trunk", "HEAD~1")
    clone = Repo.clone(repo, tmp_path / "clone")
    clone.git("branch", "-q", "--set-upstream-to", "origin/trunk")
    clone.append(LOG, run(2))
    said = ask(clone)
    assert said.judged == [2, 3]
    assert said.base == f"merge base of the upstream: {short(repo, 'trunk')}"


@pytest.mark.parametrize(
    "kept, name",
    [
        (["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main"], "origin/HEAD"),
        (["refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main"], "origin/main"),
        (["refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"], "origin/master"),
        (["refs/heads/main", "refs/heads/master"], "main"),
        (["refs/heads/master"], "master"),
    ],
)
def test_then_the_default_branch_as_far_as_it_is_known(repo: Repo, kept: Sequence[str], name: str) -> None:
    # The first of the refs is where it should be looked for; the others hold one line less.
    repo.git("checkout", "-q", "-b", "work")
    repo.git("branch", "-q", "-D", "main")
    for ref in kept:
        repo.git("update-ref", ref, "HEAD" if ref == kept[0] else "HEAD~1")
    repo.append(LOG, run(2))
    said = ask(repo)
    assert (said.judged, said.base) == ([3], f"merge base of {name}: {short(repo)}")
    assert said.why == "nothing is staged"


def test_and_head_where_there_is_none(repo: Repo) -> None:
    repo.git("branch", "-m", "main", "work")
    repo.append(LOG, run(2))
    said = ask(repo)
    assert (said.judged, said.base) == ([3], f"HEAD: {short(repo)}")
    assert said.why == "nothing is staged, and there is no upstream branch"


def test_a_branch_behind_main_is_not_blamed_for_the_lines_of_main(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    clone = Repo.clone(repo, tmp_path / "clone", "--branch", "topic")
    clone.git("branch", "-q", "--set-upstream-to", "origin/main")
    for args in ((), ("--base", "origin/main")):
        said = ask(clone, *args)
        assert (said.code, said.judged, said.rules) == (0, [3], [])


def test_a_detached_head_is_compared_with_the_default_branch(clone: Repo) -> None:
    clone.git("checkout", "-q", "--detach")
    clone.append(LOG, run(2))
    said = ask(clone)
    assert (said.judged, said.base) == ([3], f"merge base of origin/HEAD: {short(clone)}")


def test_a_pulled_merge_is_compared_as_one_change(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    clone = Repo.clone(repo, tmp_path / "clone", "--branch", "topic")
    merge_union(clone, "origin/main")
    said = ask(clone, "--base", "origin/topic")
    assert said.judged == [4]


# --- CI and hook runners where that would be HEAD itself ------------------------------------------------------


@pytest.mark.parametrize("variable", ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "PRE_COMMIT"])
def test_in_ci_and_under_hook_runners_the_first_parent_stands_in_for_head(clone: Repo, variable: str) -> None:
    value = "1" if variable == "PRE_COMMIT" else "true"
    said = ask(clone, env={**clone.env, variable: value})
    assert (said.code, said.judged) == (0, [2])
    assert said.base == f"first parent: {short(clone, 'HEAD~1')}"
    assert said.why == "nothing is staged, and the merge base of the upstream is HEAD"


@pytest.mark.parametrize("variable", ["CI", "PRE_COMMIT"])
def test_so_it_is_where_there_is_no_upstream(repo: Repo, variable: str) -> None:
    repo.git("branch", "-m", "main", "work")
    said = ask(repo, env={**repo.env, variable: "1"})
    assert (said.judged, said.base) == ([2], f"first parent: {short(repo, 'HEAD~1')}")


def test_all_files_of_a_hook_runner_is_no_empty_pass(clone: Repo) -> None:
    # `pre-commit run --all-files` calls the hook's own entry, `--staged`, with nothing staged.
    clone.write(LOG, [*runs(0), edited(run(1), findings="TODO")])
    clone.commit("bad")
    clone.git("push", "-q", "origin", "HEAD:refs/heads/other")
    clone.git("branch", "-q", "--set-upstream-to", "origin/other")
    said = ask(clone, "--staged", env={**clone.env, "PRE_COMMIT": "1"})
    assert said.code == 1
    assert ("missing-findings", 2) in said.rules


def test_a_ci_variable_that_says_no_counts_as_unset(clone: Repo) -> None:
    for value in ("", "0", "false"):
        said = ask(clone, env={**clone.env, "CI": value})
        assert (said.judged, said.base) == ([], f"merge base of the upstream: {short(clone)}")


def test_in_ci_a_branch_ahead_of_its_upstream_is_compared_with_that(local: Repo) -> None:
    said = ask(local, env={**local.env, "CI": "true"})
    assert (said.judged, said.base) == ([3, 4], f"merge base of the upstream: {short(local, 'origin/main')}")


def test_of_a_first_commit_every_line_is_judged_in_ci(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, runs(0, 1))
    repo.commit("first")
    said = ask(repo, env={**repo.env, "CI": "true"})
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")
    assert said.why.endswith("HEAD is the first commit")


@pytest.mark.parametrize("in_ci", [False, True])
def test_on_an_unborn_branch_every_line_is_judged(tmp_path: Path, in_ci: bool) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, runs(0, 1))
    said = ask(repo, env={**repo.env, **({"CI": "true"} if in_ci else {})})
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")
    assert said.why == "nothing is committed yet"


def test_on_an_unborn_branch_there_is_no_merge_base(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, runs(0))
    refused(repo, "--base", "HEAD")
    refused(repo, "--base", "main")


# --- outside git, without git, --all -------------------------------------------------------------------------


def test_outside_git_every_line_is_judged(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(lines(*runs(0, 1)))
    said = ask(tmp_path)
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")
    assert said.why == "outside git every line is judged"


@pytest.mark.parametrize("args", [("--staged",), ("--base", "main"), ("--base", "")])
def test_outside_git_there_is_no_base_to_ask_for(tmp_path: Path, args: tuple[str, ...]) -> None:
    (tmp_path / LOG).write_bytes(lines(*runs(0, 1)))
    error = refused(tmp_path, *args)
    assert "needs a git repository" in error["message"]
    assert "--all" in error["hint"]


def test_all_judges_every_line_of_the_work_tree(repo: Repo) -> None:
    repo.append(LOG, run(2))
    repo.git("add", LOG)
    repo.append(LOG, run(3))
    said = ask(repo, "--all")
    assert (said.code, said.judged, said.base) == (0, [1, 2, 3, 4], "none")
    assert said.why == "--all judges every line"


def test_all_wins_over_what_ci_says(repo: Repo, tmp_path: Path) -> None:
    env = github(repo, tmp_path, "push", push_event(repo, "HEAD"))
    assert ask(repo, "--all", env=env).judged == [1, 2]


def without_git(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    empty = folder / "no-programs"
    empty.mkdir()
    return {**env, "PATH": str(empty)}


def test_without_git_a_repository_cannot_be_judged(repo: Repo, tmp_path: Path) -> None:
    error = refused(repo, env=without_git(repo.env, tmp_path))
    assert error["message"] == "git is not installed, and the log's history is in git"
    assert "--all" in error["hint"]


def test_without_git_its_own_advice_helps(repo: Repo, tmp_path: Path) -> None:
    repo.append(LOG, run(2))
    said = ask(repo, "--all", env=without_git(repo.env, tmp_path))
    assert (said.code, said.judged) == (0, [1, 2, 3])


def test_without_git_and_without_a_repository_every_line_is_judged(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(lines(*runs(0, 1)))
    said = ask(tmp_path, env=without_git(environment(tmp_path), tmp_path))
    assert (said.code, said.judged, said.base) == (0, [1, 2], "none")


def test_a_git_folder_without_a_work_tree_is_refused(repo: Repo) -> None:
    for place in (repo.path / ".git", repo.path / ".git/refs"):
        assert refused(place, env=repo.env)["message"].startswith("git refuses this repository")


def test_a_repository_that_git_distrusts_is_refused(repo: Repo) -> None:
    error = refused(repo, env={**repo.env, "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"})
    assert "dubious ownership" in error["message"]
    assert f"safe.directory {repo.path}" in error["hint"]


# --- shallow clones: the hint, run as it is printed, helps ------------------------------------------------------


def fetch(repo: Repo, error: Mapping[str, Any]) -> str:
    """Run the fetch command of a hint, exactly; return it."""
    found = re.search(r"git fetch [^(]*", error["hint"])
    assert found is not None, error
    command = found[0].strip()
    args = shlex.split(command)
    assert args[0] == "git"
    repo.git(*args[1:])
    return command


def advised(repo: Repo, *args: str, env: Mapping[str, str] | None = None) -> Said:
    """Fail for want of history, follow the hint, and judge."""
    fetch(repo, refused(repo, *args, env=env))
    return ask(repo, *args, env=env)


def shallow(source: Repo, place: Path, *options: str) -> Repo:
    return Repo.clone(source, place, "--depth", "1", *options)


def checked_out(source: Repo, place: Path, ref: str, name: str, depth: int = 1) -> Repo:
    """Do what actions/checkout does: fetch one ref, by its commit, into an empty repository."""
    repo = Repo.init(place, env=source.env)
    repo.git("remote", "add", "origin", f"file://{source.path}")
    commit = source.git("rev-parse", ref)
    repo.git("fetch", "-q", "--no-tags", f"--depth={depth}", "origin", f"+{commit}:{name}")
    if name.startswith("refs/remotes/origin/"):
        branch = name.removeprefix("refs/remotes/origin/")
        repo.git("checkout", "-q", "-f", "-B", branch, name)
    else:
        repo.git("checkout", "-q", "--detach", name)
    return repo


def test_a_shallow_pull_request_on_its_merge_ref(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    merge_ref(repo)
    env = pull_request(repo, tmp_path)
    ci = checked_out(repo, tmp_path / "ci", "refs/pull/1/merge", "refs/remotes/pull/1/merge")
    said = advised(ci, env=env)
    assert (said.code, said.judged) == (0, [4])
    assert said.base == f"HEAD^1 of the merge ref: {short(repo, 'main')}"


def test_a_pull_request_on_its_merge_ref_needs_two_commits_only(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    merge_ref(repo)
    env = pull_request(repo, tmp_path)
    ci = checked_out(repo, tmp_path / "ci", "refs/pull/1/merge", "refs/remotes/pull/1/merge", depth=2)
    assert ask(ci, env=env).judged == [4]


def test_a_shallow_pull_request_on_its_head(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    env = pull_request(repo, tmp_path)
    ci = checked_out(repo, tmp_path / "ci", "topic", "refs/remotes/pull/1/head")
    said = advised(ci, env=env)
    assert (said.judged, said.base) == ([3], f"merge base of pull_request.base.sha: {short(repo, 'main^')}")


def test_a_shallow_pull_request_on_its_head_with_the_base_at_hand(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    env = pull_request(repo, tmp_path)
    ci = checked_out(repo, tmp_path / "ci", "topic", "refs/remotes/pull/1/head")
    ci.git("fetch", "-q", "--depth=1", "origin", "main")
    said = advised(ci, env=env)
    assert said.judged == [3]


def test_a_shallow_push(repo: Repo, tmp_path: Path) -> None:
    repo.append(LOG, run(2))
    repo.commit("third")
    env = github(repo, tmp_path, "push", push_event(repo, "HEAD~2"))
    ci = checked_out(repo, tmp_path / "ci", "main", "refs/remotes/origin/main")
    said = advised(ci, env=env)
    assert (said.judged, said.base) == ([2, 3], f"the push's before: {short(repo, 'HEAD~2')}")


def test_a_shallow_push_of_a_merge_allows_what_a_full_clone_allows(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    repo.git("checkout", "-q", "main")
    before = repo.git("rev-parse", "HEAD")
    merge_union(repo, "topic", "--no-ff")
    repo.write(LOG, runs(0, 1, 2, 3))
    repo.commit("in the order of time", "--amend")
    env = github(repo, tmp_path, "push", push_event(repo, before))
    full = ask(repo, env=env)
    ci = checked_out(repo, tmp_path / "ci", "main", "refs/remotes/origin/main")
    said = advised(ci, env=env)
    assert (full.code, full.rules) == (0, [("inserted-line", 3)])
    assert (said.code, said.rules) == (full.code, full.rules)


def test_a_shallow_push_of_a_new_branch(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    repo.append(LOG, run(4))
    repo.commit("again on topic")
    env = github(repo, tmp_path, "push", push_event(repo, ZEROS, "topic"), "refs/heads/topic")
    ci = checked_out(repo, tmp_path / "ci", "topic", "refs/remotes/origin/topic")
    said = advised(ci, env=env)
    assert (said.judged, said.base) == ([3, 4], f"merge base of origin/main: {short(repo, 'main^')}")


def test_a_shallow_merge_group(repo: Repo, tmp_path: Path) -> None:
    base, head = repo.git("rev-parse", "HEAD~1"), repo.git("rev-parse", "HEAD")
    event = {"action": "checks_requested", "merge_group": {"head_sha": head, "base_sha": base}}
    env = github(repo, tmp_path, "merge_group", event)
    ci = checked_out(repo, tmp_path / "ci", "main", "refs/remotes/origin/main")
    assert advised(ci, env=env).judged == [2]


def test_a_shallow_gitlab_merge_request(repo: Repo, tmp_path: Path) -> None:
    base = repo.git("rev-parse", "HEAD~1")
    ci = shallow(repo, tmp_path / "ci")
    env = {**ci.env, "CI": "true", "GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    assert advised(ci, env=env).judged == [2]


@pytest.mark.parametrize("options", [(), ("--no-single-branch",)], ids=["one branch", "all branches"])
def test_a_shallow_clone_asked_for_a_branch_of_its_remote(
    repo: Repo, tmp_path: Path, options: tuple[str, ...]
) -> None:
    branch_with_main_ahead(repo)
    ci = shallow(repo, tmp_path / "ci", "--branch", "topic", *options)
    said = advised(ci, "--base", "origin/main")
    assert (said.code, said.judged) == (0, [3])
    assert said.base == f"merge base of origin/main: {short(repo, 'main^')}"


def test_a_full_clone_of_one_branch_asked_for_another(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    ci = Repo.clone(repo, tmp_path / "ci", "--single-branch", "--branch", "topic")
    assert advised(ci, "--base", "origin/main").judged == [3]


@pytest.mark.parametrize("name", ["HEAD~1", "HEAD^", "@~1"])
def test_a_shallow_clone_asked_for_an_older_commit(repo: Repo, tmp_path: Path, name: str) -> None:
    ci = shallow(repo, tmp_path / "ci")
    assert advised(ci, "--base", name).judged == [2]


def test_a_branch_that_was_never_fetched_is_asked_for_by_its_plain_name(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    ci = shallow(repo, tmp_path / "ci", "--branch", "topic")
    assert advised(ci, "--base", "main").judged == [3]


def test_a_shallow_clone_whose_first_parent_is_missing(repo: Repo, tmp_path: Path) -> None:
    ci = shallow(repo, tmp_path / "ci")
    said = advised(ci, env={**ci.env, "CI": "true"})
    assert (said.judged, said.base) == ([2], f"first parent: {short(repo, 'HEAD~1')}")


def test_a_shallow_detached_checkout_whose_first_parent_is_missing(repo: Repo, tmp_path: Path) -> None:
    branch_with_main_ahead(repo)
    ci = checked_out(repo, tmp_path / "ci", "topic", "refs/remotes/pull/1/head")
    said = advised(ci, env={**ci.env, "CI": "true"})
    assert (said.judged, said.base) == ([3], f"first parent: {short(repo, 'topic~1')}")


def test_a_shallow_clone_with_all_that_it_needs_is_judged(repo: Repo, tmp_path: Path) -> None:
    clone = shallow(repo, tmp_path / "clone")
    clone.append(LOG, run(2))
    assert ask(clone).judged == [3]
    clone.git("add", LOG)
    assert ask(clone, "--staged").judged == [3]
    assert ask(clone, "--base", "origin/main").judged == [3]


# --- logs that come, go and move ------------------------------------------------------------------------------


@pytest.mark.parametrize("staged", [True, False])
def test_a_new_log_is_judged_whole(repo: Repo, staged: bool) -> None:
    repo.write(f"new/{LOG}", runs(5, 6))
    if staged:
        repo.git("add", "-A")
    said = ask(repo)
    assert said.code == 0
    assert {(v["path"], v["line"]) for v in said.report["verdicts"]} == {
        (f"new/{LOG}", 1),
        (f"new/{LOG}", 2),
    }
    assert {log["path"]: log["appended"] for log in said.report["logs"]} == {LOG: 0, f"new/{LOG}": 2}


@pytest.mark.parametrize("how", ["staged", "on disk", "committed"])
def test_a_deleted_log_is_history_rewritten(clone: Repo, how: str) -> None:
    (clone.path / LOG).unlink()
    if how != "on disk":
        clone.git("add", "-A")
    if how == "committed":
        clone.commit("gone")
    said = ask(clone)
    assert (said.code, said.rules) == (1, [("history-rewritten", 1)])
    (finding,) = said.report["findings"]
    assert finding["message"] == "the log was deleted, with 2 published lines"
    assert said.report["logs"] == [
        {"path": LOG, "log": "training_log", "base": said.base, "lines": 0, "appended": 0}
    ]


def test_an_emptied_log_lost_its_lines(repo: Repo) -> None:
    repo.write(LOG, "")
    said = ask(repo)
    assert (said.code, said.rules) == (1, [("history-rewritten", 1), ("history-rewritten", 2)])


@pytest.mark.parametrize("where", [f"moved/{LOG}", "archive/old.jsonl"], ids=["to a log", "to another file"])
def test_a_renamed_log_is_history_rewritten(repo: Repo, where: str) -> None:
    (repo.path / where).parent.mkdir()
    repo.git("mv", LOG, where)
    said = ask(repo)
    assert said.code == 1
    (finding,) = [f for f in said.report["findings"] if f["rule"] == "history-rewritten"]
    assert finding["path"] == LOG
    assert finding["message"] == f"the log was renamed to {where}, with 2 published lines"


def test_a_log_that_nobody_else_has_may_be_deleted(clone: Repo) -> None:
    clone.write(f"new/{LOG}", runs(5))
    clone.commit("local")
    clone.git("rm", "-q", f"new/{LOG}")
    said = ask(clone, "--staged")
    assert (said.code, said.rules) == (0, [])


def test_a_deleted_log_that_was_excluded_is_nobodys_business(repo: Repo) -> None:
    repo.write("nsm-gate.yaml", f"exclude: ['{LOG}']\n")
    repo.commit("exclude")
    repo.git("rm", "-q", LOG)
    assert ask(repo).code == 0


def test_nothing_appended_is_fine_and_says_so(repo: Repo) -> None:
    said = ask(repo)
    assert (said.code, said.judged, said.rules) == (0, [], [])
    assert f"checked 0 appended lines of {LOG} against merge base of main: {short(repo)}" in said.concise
    assert said.text.startswith(f"{LOG} · 0 appended lines · against merge base of main: {short(repo)}")
    assert "no appended line to judge" in said.text
    assert said.report["summary"]["checked"] == 0


def test_a_repository_without_a_log_says_so(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("notes.txt", "x")
    repo.commit("first")
    said = ask(repo)
    assert (said.code, said.report["logs"]) == (0, [])
    assert "no log" in said.text
    assert said.base == f"merge base of main: {short(repo)}"


@pytest.mark.parametrize("name", ["with space", "caf\u00e9", "two\nrows", '"quoted"', "-", "[a]*"])
def test_a_log_may_lie_in_a_folder_of_any_name(repo: Repo, name: str) -> None:
    repo.write(".gitattributes", "*.jsonl text eol=crlf\n")
    repo.write(f"{name}/{LOG}", runs(5))
    repo.commit("named")
    repo.write(f"{name}/{LOG}", with_crlf(*runs(5, 6)))
    for result in (repo.check(), repo.check(f"./{name}")):
        assert (result.code, result.findings) == (0, [])
        assert {log["path"]: log["appended"] for log in result.json["logs"]}[f"{name}/{LOG}"] == 1


def test_a_repository_of_sha256_is_judged(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r", "--object-format=sha256")
    repo.write(LOG, runs(0))
    repo.commit("first")
    repo.append(LOG, run(1))
    assert ask(repo).judged == [2]
    repo.git("add", LOG)
    assert ask(repo, "--staged").base == f"HEAD: {short(repo)}"


def test_a_log_outside_of_a_sparse_checkout_is_not_deleted(repo: Repo) -> None:
    repo.write(f"deep/{LOG}", runs(5))
    repo.write("src/code.txt", "x")
    repo.commit("third")
    repo.git("sparse-checkout", "set", "src")
    assert not (repo.path / "deep").exists()
    said = ask(repo)
    assert (said.code, said.rules) == (0, [])
    assert {log["path"]: log["lines"] for log in said.report["logs"]} == {LOG: 2, f"deep/{LOG}": 1}
    repo.write(f"new/{LOG}", [edited(run(5), findings="Logged under a name that is taken already.")])
    assert ("duplicate-run", 1) in ask(repo).rules


# --- one log kind over many files ------------------------------------------------------------------------------

KIND = """\
log: single_runs
files: ["runs/*.jsonl"]
schema: single_runs.schema.json
key: [id]
status: status
criteria: {score: "> 0"}
"""


@pytest.fixture
def many(tmp_path: Path) -> Repo:
    """A repository with a log kind of its own: one file a run."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    repo.write("rules/runs.yaml", KIND)
    members = {name: {} for name in ("id", "status", "score")}
    repo.write("rules/single_runs.schema.json", json.dumps({"type": "object", "properties": members}))
    repo.write("runs/b.jsonl", [entry("b")])
    repo.commit("first")
    return repo


def entry(name: str, status: str = "completed", score: int = 1) -> dict[str, Any]:
    return {"id": name, "status": status, "score": score}


def duplicates(result: Result) -> list[tuple[str, int, str]]:
    return [(f["path"], f["line"], f["message"]) for f in result.findings if f["rule"] == "duplicate-run"]


def test_a_log_kind_may_span_many_files(many: Repo) -> None:
    many.write("runs/a.jsonl", [entry("a")])
    many.write("runs/c.jsonl", [entry("c")])
    result = many.check()
    assert (result.code, result.findings) == (0, [])
    assert [(log["path"], log["appended"]) for log in result.json["logs"]] == [
        ("runs/a.jsonl", 1),
        ("runs/b.jsonl", 0),
        ("runs/c.jsonl", 1),
    ]


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_key_is_unique_across_the_files_of_its_kind(many: Repo, name: str) -> None:
    many.write(f"runs/{name}.jsonl", [entry("b")])
    result = many.check()
    assert result.code == 1
    # The line that was there before is the earlier one, wherever it stands.
    assert duplicates(result) == [(f"runs/{name}.jsonl", 1, "id 'b' already used on line 1 of runs/b.jsonl")]


def test_two_new_files_may_not_share_a_key(many: Repo) -> None:
    many.write("runs/a.jsonl", [entry("x")])
    many.write("runs/c.jsonl", [entry("x", score=2)])
    assert [row[:2] for row in duplicates(many.check())] == [("runs/c.jsonl", 1)]


@pytest.mark.parametrize("args", [(), ("--all",)])
def test_a_key_is_unique_even_where_only_one_file_is_asked_for(many: Repo, args: tuple[str, ...]) -> None:
    many.write("runs/a.jsonl", [entry("x")])
    many.write("runs/c.jsonl", [entry("x", score=2)])
    result = many.check(*args, "runs/c.jsonl")
    assert [row[:2] for row in duplicates(result)] == [("runs/c.jsonl", 1)]


def test_a_running_run_is_completed_in_another_file(many: Repo) -> None:
    many.write("runs/c.jsonl", [entry("c", "running")])
    many.commit("started")
    many.write("runs/d.jsonl", [entry("c", "completed")])
    assert many.check("--base", "HEAD").findings == []


def test_two_branches_that_add_a_key_in_two_files_collide_when_merged(many: Repo) -> None:
    many.git("checkout", "-q", "-b", "topic")
    many.write("runs/x.jsonl", [entry("same")])
    many.commit("topic")
    many.git("checkout", "-q", "main")
    many.write("runs/y.jsonl", [entry("same", score=2)])
    many.commit("main")
    many.git("merge", "-q", "--no-commit", "topic")
    result = many.check("--staged")
    assert [row[:2] for row in duplicates(result)] == [("runs/y.jsonl", 1)]
    assert result.json["summary"]["checked"] == 0


# --- standard input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("kind", ["training_log", None])
def test_standard_input_is_judged_line_by_line(repo: Repo, kind: str | None, inside: bool) -> None:
    bad = edited(run(6), findings="TODO")
    named = ["--stdin-log", kind] if kind else []
    place = repo.path if inside else repo.path.parent
    result = check("-", *named, cwd=place, env=repo.env, stdin=lines(run(5), bad))
    assert (result.code, result.rules()) == (1, [("missing-findings", 2)])
    assert result.findings[0]["path"] == "<stdin>"
    (log,) = result.json["logs"]
    assert (log["log"], log["base"], log["lines"], log["appended"]) == ("training_log", "none", 2, 2)


def test_standard_input_says_why_every_line_is_judged(tmp_path: Path) -> None:
    result = gate("check", "--output-format=concise", "-", cwd=tmp_path, stdin=lines(run(0)))
    assert result.code == 0
    assert result.out.startswith(
        "checked 1 line of <stdin> against none (every line of standard input is judged)"
    )


@pytest.mark.parametrize("args", [(), ("--all",)])
def test_standard_input_needs_no_git(repo: Repo, tmp_path: Path, args: tuple[str, ...]) -> None:
    env = without_git(repo.env, tmp_path)
    result = check("-", *args, cwd=repo.path, env=env, stdin=lines(run(5)))
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("data", [b"", b"{}\n", b"not json\n", b'{"x": 1}\n'])
def test_standard_input_whose_kind_cannot_be_told_is_refused(tmp_path: Path, data: bytes) -> None:
    result = check("-", cwd=tmp_path, stdin=data)
    assert result.code == 2
    assert result.json["error"]["hint"].startswith("name it with --stdin-log")


@pytest.mark.parametrize(
    "args", [("-", "--base=HEAD"), ("-", "--staged"), ("-", LOG), ("-", "--stdin-log=x")]
)
def test_standard_input_is_judged_alone(repo: Repo, args: tuple[str, ...]) -> None:
    result = check(*args, cwd=repo.path, env=repo.env, stdin=lines(run(5)))
    assert result.code == 2


# --- line endings ----------------------------------------------------------------------------------------------


def with_crlf(*entries: Any) -> bytes:
    return lines(*entries).replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "attribute, autocrlf",
    [("eol=crlf", ""), ("text eol=crlf", ""), ("text=auto", "true"), ("", "true"), ("", "input")],
)
def test_a_work_tree_in_crlf_of_a_blob_in_lf_has_no_new_line(
    repo: Repo, attribute: str, autocrlf: str
) -> None:
    if attribute:
        repo.write(".gitattributes", f"*.jsonl {attribute}\n")
        repo.commit("attributes")
    if autocrlf:
        repo.git("config", "core.autocrlf", autocrlf)
    repo.write(LOG, with_crlf(*runs(0, 1)))
    assert repo.git("diff", "--name-only") == ""
    said = ask(repo)
    assert (said.code, said.judged, said.rules) == (0, [], [])
    repo.write(LOG, with_crlf(*runs(0, 1, 2)))
    said = ask(repo)
    assert (said.code, said.judged, said.rules) == (0, [3], [])


def test_a_clone_that_git_writes_in_crlf_is_unchanged(repo: Repo, tmp_path: Path) -> None:
    repo.write(".gitattributes", "*.jsonl text eol=crlf\n")
    repo.commit("attributes")
    clone = Repo.clone(repo, tmp_path / "clone")
    assert (clone.path / LOG).read_bytes() == with_crlf(*runs(0, 1))
    for args in ((), ("--base", "HEAD~1"), ("--staged",)):
        assert ask(clone, *args).rules == []


@pytest.mark.parametrize("attribute", ["", "-text", "binary"])
def test_crlf_that_git_would_store_is_another_line(repo: Repo, attribute: str) -> None:
    if attribute:
        repo.write(".gitattributes", f"*.jsonl {attribute}\n")
        repo.commit("attributes")
        repo.git("config", "core.autocrlf", "true")
    repo.write(LOG, with_crlf(*runs(0, 1)))
    said = ask(repo)
    assert said.code == 1
    assert {("history-rewritten", 1), ("history-rewritten", 2)} <= set(said.rules)


def test_crlf_that_the_blob_already_holds_stays_as_it_is(repo: Repo) -> None:
    # Git leaves such a file alone under autocrlf: it would store CRLF again.
    repo.write(LOG, with_crlf(*runs(0, 1)))
    repo.commit("crlf")
    repo.git("config", "core.autocrlf", "true")
    (repo.path / LOG).touch()
    assert repo.git("diff", "--name-only") == ""
    said = ask(repo)
    assert (said.code, said.judged, said.rules) == (0, [], [])


def test_a_new_log_is_read_as_git_would_store_it(repo: Repo) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.write(f"new/{LOG}", with_crlf(*runs(5)))
    on_disk = ask(repo)
    repo.git("add", "-A")
    staged = ask(repo)
    assert (staged.code, staged.rules) == (0, [])
    assert (on_disk.code, on_disk.rules) == (0, [])


def test_a_last_line_that_gets_its_newline_is_no_new_line(repo: Repo) -> None:
    repo.write(LOG, lines(*runs(0, 1)).rstrip(b"\n"))
    repo.commit("no newline")
    repo.write(LOG, runs(0, 1, 2))
    said = ask(repo)
    assert (said.code, said.judged, said.rules) == (0, [3], [])


# --- paths on the command line ---------------------------------------------------------------------------------


@pytest.fixture
def two(repo: Repo) -> Repo:
    """A repository with a second log in a folder, and a new line in each."""
    repo.write(f"deep/er/{LOG}", runs(10))
    repo.write("deep/notes.jsonl", "{}\n")
    repo.commit("third")
    repo.append(LOG, run(2))
    repo.append(f"deep/er/{LOG}", run(11))
    return repo


def checked(result: Result) -> dict[str, int]:
    assert result.code == 0, result.out + result.err
    return {log["path"]: log["appended"] for log in result.json["logs"]}


DEEP = f"deep/er/{LOG}"


@pytest.mark.parametrize(
    "where, args, expected",
    [
        ("", [], [LOG, DEEP]),
        ("deep", [], [LOG, DEEP]),
        ("", [LOG], [LOG]),
        ("", [f"./{LOG}"], [LOG]),
        ("", ["deep"], [DEEP]),
        ("", ["deep/"], [DEEP]),
        ("", ["."], [LOG, DEEP]),
        ("", [DEEP, LOG], [LOG, DEEP]),
        ("", [DEEP, "deep"], [DEEP]),
        ("deep", ["er"], [DEEP]),
        ("deep/er", [LOG], [DEEP]),
        ("deep/er", [f"../../{LOG}"], [LOG]),
        ("deep/er", ["../.."], [LOG, DEEP]),
        ("deep", ["."], [DEEP]),
    ],
)
def test_a_path_names_a_log_or_a_folder_of_logs(
    two: Repo, where: str, args: list[str], expected: list[str]
) -> None:
    result = check(*args, cwd=two.path / where, env=two.env)
    assert checked(result) == dict.fromkeys(expected, 1)


def test_an_absolute_path_works_from_anywhere(two: Repo, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for where in (two.path, two.path / "deep", elsewhere):
        assert checked(check(str(two.path / DEEP), cwd=where, env=two.env)) == {DEEP: 1}


def test_the_repository_around_the_log_counts_and_not_the_one_around_the_caller(
    two: Repo, tmp_path: Path
) -> None:
    other = Repo.init(tmp_path / "other")
    other.write(LOG, runs(0))
    other.commit("first")
    result = other.check(f"../r/{LOG}")
    assert checked(result) == {LOG: 1}
    assert result.json["logs"][0]["base"] == f"merge base of main: {short(two)}"


@pytest.mark.parametrize(
    "path, fact",
    [
        ("missing.jsonl", "no such file in the work tree"),
        ("deep/missing", "no such file in the work tree"),
        ("missing/folder/log.jsonl", "no such file in the work tree"),
        ("deep/notes.jsonl", "is not claimed by any log kind"),
        ("empty", "no such file in the work tree"),
    ],
)
def test_a_path_that_is_no_log_is_refused(two: Repo, path: str, fact: str) -> None:
    (two.path / "empty").mkdir()
    error = refused(two, path)
    assert (error["message"], error["path"]) == (fact, path)


def test_a_folder_without_a_log_is_refused(two: Repo) -> None:
    two.write("docs/notes.txt", "x")
    two.git("add", "docs")
    error = refused(two, "--all", "docs")
    assert (error["message"], error["path"]) == ("this folder holds no log", "docs")


def test_an_excluded_log_that_is_named_is_meant(two: Repo) -> None:
    two.write("nsm-gate.yaml", "exclude: ['deep/**']\n")
    assert checked(two.check()) == {LOG: 1}
    assert checked(two.check(DEEP)) == {DEEP: 1}


def test_paths_of_two_repositories_are_refused(two: Repo, tmp_path: Path) -> None:
    other = Repo.init(tmp_path / "other")
    other.write(LOG, runs(0))
    error = refused(two, LOG, f"../other/{LOG}")
    assert "lies outside" in error["message"]
    assert error["hint"] == "check one repository at a time"


def test_a_log_outside_of_every_repository_is_judged_whole(two: Repo, tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(lines(*runs(20, 21)))
    result = check(f"../{LOG}", cwd=two.path, env=two.env)
    assert list(checked(result).values()) == [2]
    assert result.json["logs"][0]["base"] == "none"


def test_a_log_that_git_ignores_is_judged_where_it_is_named(two: Repo) -> None:
    two.write(".gitignore", "scratch/\n")
    two.commit("ignore")
    two.write(f"scratch/{LOG}", runs(20))
    assert f"scratch/{LOG}" not in checked(two.check())
    assert checked(two.check(f"scratch/{LOG}")) == {f"scratch/{LOG}": 1}


def test_a_deleted_log_that_is_named_is_reported(two: Repo) -> None:
    (two.path / DEEP).unlink()
    for name in (DEEP, "deep"):
        result = two.check(name)
        assert (result.code, result.rules()) == (1, [("history-rewritten", 1)])


def test_a_log_reached_through_a_link_to_its_repository_is_found(two: Repo, tmp_path: Path) -> None:
    link = tmp_path / "link"
    os.symlink(two.path, link)
    assert checked(check(LOG, cwd=link, env=two.env)) == {LOG: 1}
    assert checked(check(str(link / DEEP), cwd=two.path, env=two.env)) == {DEEP: 1}


def test_outside_git_paths_work_too(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / LOG).write_bytes(lines(run(number)))
    assert checked(check(cwd=tmp_path)) == {f"a/{LOG}": 1, f"b/{LOG}": 1}
    assert checked(check("a", cwd=tmp_path)) == {f"a/{LOG}": 1}
    assert len(checked(check(f"../b/{LOG}", cwd=tmp_path / "a"))) == 1


def test_the_gate_itself_finds_the_repository_from_a_process_of_its_own(two: Repo) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nsm_gate", "check", "--output-format", "concise"],
        cwd=two.path / "deep", env={**two.env, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"checked 1 appended line of {DEEP} against merge base of main".encode() in done.stdout
