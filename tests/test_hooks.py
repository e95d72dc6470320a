"""The hooks do their work under real pre-commit and real prek: real commits, merges and pushes.

Both runners install the hooks from a snapshot of this checkout, uncommitted work included, and build their
environment once a run of the tests.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, Repo, a_run, edited, environment, lines

LOG = "experiments/training_log.jsonl"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push")
OLD, GOOD, OTHER = (f"planning_{name}_20251101" for name in ("old", "good", "other"))
BAD_FINDINGS = {"findings": ...}

# --- what a runner prints ---------------------------------------------------------------------------

_NAMES = {"experiment logs": "nsm-gate", "history of experiment logs": "nsm-gate-history"}
_HEADING = re.compile(r"nsm-gate \(([^)]+)\)\.+(?:\(no files to check\))?(Passed|Failed|Skipped)")
_ABOUT = re.compile(r"- (hook id|description|duration|exit code): ")


@dataclass(frozen=True)
class Attempt:
    """What git or a runner did: whether it succeeded, and what it said.

    nsm-gate speaks in the format `text`, nsm-gate-history in `concise`.

    Attributes:
        hooks: Hook id -> Passed, Failed or Skipped, for each hook that the runner lists.
        told: Hook id -> what the hook printed.
    """

    passed: bool
    said: str
    hooks: dict[str, str]
    told: dict[str, str]

    def rules(self, hook: str = "nsm-gate") -> list[str]:
        """Return the rules that a hook found broken, as errors."""
        found = re.finditer(r"^ *(?:✗|\S+:\d+:\d+: error) ([a-z-]+) ", self.told.get(hook, ""), re.MULTILINE)
        return [match[1] for match in found]

    def pointed(self) -> list[str]:
        """Return the values that nsm-gate's carets point to."""
        rows = self.told["nsm-gate"].split("\n")
        pairs = itertools.pairwise(rows)
        return [a[b.index("^") : len(b.rstrip())] for a, b in pairs if b.strip() and not b.strip(" ^")]


def parse(passed: bool, said: str) -> Attempt:
    """Take a runner's output apart."""
    hooks: dict[str, str] = {}
    told: dict[str, list[str]] = {}
    current: list[str] = []
    for row in said.split("\n"):
        heading = _HEADING.fullmatch(row)
        if heading:
            name = _NAMES[heading[1]]
            hooks[name] = heading[2]
            current = told.setdefault(name, [])
        elif not _ABOUT.match(row):
            current.append(row)
    return Attempt(passed, said, hooks, {name: "\n".join(rows).strip("\n") for name, rows in told.items()})


# --- the runners ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Runner:
    """A hook runner whose environment for the hooks is built, and a project that has them installed."""

    name: str
    home: Path

    @property
    def template(self) -> Path:
        """Return a project with one published line, and the hooks installed."""
        return self.home / "template"

    def environment(self) -> dict[str, str]:
        """Return what a commit sees: nothing of the machine, and never this checkout's own package."""
        env = environment(self.home, **homes(self.home))
        env["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), env.get("PATH", "")))
        return {k: v for k, v in env.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV")}


def homes(folder: Path) -> dict[str, str]:
    return {"PRE_COMMIT_HOME": str(folder / "pre-commit"), "PREK_HOME": str(folder / "prek")}


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of this run of the tests, made by the first worker that asks for it."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / name, base / f"{name}.made"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def snapshot(folder: Path) -> None:
    """Commit this checkout as it is, without touching its own repository."""
    env = environment(folder)
    for args in (
        ("init", "-q", "--bare", "-b", "main", "."),
        ("--work-tree", str(ROOT), "add", "-A"),
        ("--work-tree", str(ROOT), "commit", "-q", "-m", "a snapshot"),
    ):
        subprocess.run(["git", "--git-dir=.", *args], cwd=folder, env=env, check=True, capture_output=True)


@pytest.fixture(scope="session", params=("pre-commit", "prek"))
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    name = str(request.param)
    source = once(tmp_path_factory, "snapshot", snapshot)

    def make(home: Path) -> None:
        made = Runner(name, home)
        repo = Repo.init(made.template, "--template=", env=made.environment())
        head = Repo(source, made.environment()).git("rev-parse", "HEAD")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        repo.write(".pre-commit-config.yaml", CONFIG.format(source=source, head=head, version=version))
        repo.write("README.md", "A project.\n")
        repo.write(LOG, [a_run(OLD)])
        repo.commit("what was there before")
        install(made)

    return Runner(name, once(tmp_path_factory, f"hooks-{name}", make))


CONFIG = """\
default_language_version: {{python: {version}}}
repos:
- repo: {source}
  rev: {head}
  hooks:
  - id: nsm-gate
  - id: nsm-gate-history
"""


def install(runner: Runner) -> None:
    """Install the git hooks, and build the environment with the machine's own settings for packages."""
    hidden = ("GIT_", "PRE_COMMIT", "PREK_", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV")
    env = {k: v for k, v in os.environ.items() if not k.startswith(hidden)} | homes(runner.home)
    # prek builds with uv, which takes no virtual environment's interpreter: show it the one behind this.
    base = str(Path(sys.base_prefix) / "bin")
    env["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), base, env.get("PATH", "")))
    # Where there is no uv, pip gets it: prek's own ways need more of the network than a package index.
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "PREK_UV_SOURCE": "pip", "UV_PYTHON_DOWNLOADS": "never"}
    for args in (("install", *(f"--hook-type={stage}" for stage in STAGES)), ("install-hooks",)):
        done = subprocess.run(
            [tool(runner.name), *args], cwd=runner.template, env=env, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{done.stdout.decode()}{done.stderr.decode()}"


def tool(name: str) -> str:
    """Return a command that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


class Project(Repo):
    """A project with the hooks installed. `commit` of the parent class goes past them."""

    def __init__(self, path: Path, runner: Runner) -> None:
        super().__init__(path, runner.environment())
        self.runner = runner

    def past_hooks(self, message: str = "unseen by the hooks") -> str:
        """Commit everything as someone without the hooks would."""
        return self.commit(message, "--no-verify")

    def attempt(self, *args: str) -> Attempt:
        """Run git, hooks and all."""
        return self._run("git", *args)

    def try_commit(self, *args: str) -> Attempt:
        """Stage everything and commit it through the hooks."""
        self.git("add", "-A")
        return self.attempt("commit", "-q", "-m", "a change", *args)

    def run_hooks(self, *args: str) -> Attempt:
        """Run the hooks by hand."""
        return self._run(tool(self.runner.name), "run", *args)

    def _run(self, *command: str) -> Attempt:
        done = subprocess.run(
            command, cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return parse(done.returncode == 0, done.stdout.decode())

    def with_remote(self) -> Project:
        """Push to a bare remote what is there, past the hooks."""
        self.git("init", "-q", "--bare", "-b", "main", "--template=", "../remote.git")
        self.git("remote", "add", "origin", "../remote.git")
        self.git("push", "-q", "--no-verify", "-u", "origin", "main")
        return self

    def remote(self, branch: str) -> str:
        """Return the commit that the remote has for a branch, or nothing."""
        return self.git("ls-remote", "origin", f"refs/heads/{branch}").partition("\t")[0]


@pytest.fixture
def project(runner: Runner, tmp_path: Path) -> Project:
    """A project on main, with one logged line and no remote."""
    shutil.copytree(runner.template, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", runner)


# --- commits ----------------------------------------------------------------------------------------


def test_a_good_run_is_committed_and_its_verdicts_are_shown(project: Project) -> None:
    project.append(LOG, a_run(GOOD, 1))
    attempt = project.try_commit()
    assert attempt.passed
    assert attempt.hooks == {"nsm-gate": "Passed", "nsm-gate-history": "Passed"}
    assert "1 appended line" in attempt.told["nsm-gate"]
    assert re.search(r"✓ accuracy +0\.61 +> 0\.55 ", attempt.told["nsm-gate"])
    assert "1 run: 1 met all criteria" in attempt.told["nsm-gate"]
    assert attempt.told["nsm-gate-history"] == ""
    assert project.git("show", f"HEAD:{LOG}").count("\n") == 1


def test_a_missed_criterion_is_committed_with_its_warning_and_verdict(project: Project) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), final_metrics__accuracy=0.43, best_val_accuracy=0.43))
    attempt = project.try_commit()
    assert attempt.passed
    assert re.search(r"✗ accuracy +0\.43 +> 0\.55 +-0\.12", attempt.told["nsm-gate"])
    assert "0 errors, 1 warning · 1 run: 1 missed 1" in attempt.told["nsm-gate"]


CONCISE = "  - id: nsm-gate\n    args: [--output-format, concise]\n"


@pytest.mark.parametrize(
    ("rule", "entry", "value"),
    (
        ("duplicate-run", a_run(OLD, 1), f'"{OLD}"'),
        (
            "timestamp-not-utc",
            edited(a_run(GOOD, 1), start_time="2025-11-01T02:01:00+02:00"),
            '"2025-11-01T02:01:00+02:00"',
        ),
        ("missing-findings", edited(a_run(GOOD, 1), findings="TODO"), '"TODO"'),
    ),
    ids=("duplicate-run", "timestamp-not-utc", "missing-findings"),
)
def test_a_bad_run_is_blocked_with_rule_line_and_column(
    project: Project, rule: str, entry: dict[str, Any], value: str
) -> None:
    config = project.path / ".pre-commit-config.yaml"
    config.write_text(config.read_text().replace("  - id: nsm-gate\n", CONCISE))
    before = project.past_hooks()
    project.append(LOG, entry)
    attempt = project.try_commit()
    assert not attempt.passed
    assert project.git("rev-parse", "HEAD") == before
    column = lines(entry).decode().index(value) + 1
    errors = [row.strip() for row in attempt.told["nsm-gate"].split("\n") if ": error " in row]
    assert [row.split(" ")[:3] for row in errors] == [[f"{LOG}:2:{column}:", "error", rule]]


def test_an_edited_old_line_is_blocked_and_the_edit_is_shown(project: Project) -> None:
    project.write(LOG, [edited(a_run(OLD), final_metrics__accuracy=0.99), a_run(GOOD, 1)])
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.rules() == attempt.rules("nsm-gate-history") == ["history-rewritten"]
    fact = "run_data.final_metrics.accuracy was 0.61, is now 0.99"
    assert f"line 1: {fact}" in attempt.told["nsm-gate"]
    assert attempt.pointed() == ["0.61"]
    column = lines(a_run(OLD)).decode().index('0.61, "accuracy_class_0"') + 1
    assert f"{LOG}:1:{column}: error history-rewritten {fact}" in attempt.told["nsm-gate-history"]


def test_a_running_run_is_completed_by_a_later_line(project: Project) -> None:
    running = edited(
        a_run(GOOD, 1), status="running", findings=None, end_time=None,
        final_metrics=None, best_val_accuracy=None, training_time_seconds=None,
    )  # fmt: skip
    project.append(LOG, running)
    assert project.try_commit().passed
    project.append(LOG, a_run(GOOD, 1))
    attempt = project.try_commit()
    assert attempt.passed
    assert "1 run: 1 met all criteria" in attempt.told["nsm-gate"]


def test_a_commit_of_other_files_runs_nothing_and_shows_nothing(project: Project) -> None:
    project.write("README.md", "Another text.\n")
    attempt = project.try_commit()
    assert attempt.passed
    assert attempt.hooks == {"nsm-gate": "Skipped", "nsm-gate-history": "Passed"}
    assert attempt.told == {"nsm-gate": "", "nsm-gate-history": ""}


@pytest.mark.parametrize("to", (None, "archive/training_log.jsonl", "experiments/training_log.bak"))
def test_a_deleted_or_renamed_log_is_blocked(project: Project, to: str | None) -> None:
    if to is None:
        project.git("rm", "-q", LOG)
    else:
        project.write(to, b"")
        project.git("mv", "-f", LOG, to)
    attempt = project.try_commit()
    assert not attempt.passed
    # A deletion is no file to check: the hook on .jsonl files does not even run.
    assert attempt.hooks["nsm-gate"] == ("Failed" if to and to.endswith(".jsonl") else "Skipped")
    assert attempt.rules("nsm-gate-history") == ["history-rewritten"]
    assert ("renamed to " if to and to.endswith(".jsonl") else "deleted") in attempt.told["nsm-gate-history"]


def test_a_log_replaced_by_a_link_is_blocked(project: Project) -> None:
    project.git("mv", LOG, "elsewhere.txt")
    (project.path / LOG).parent.mkdir(exist_ok=True)
    (project.path / LOG).symlink_to("../elsewhere.txt")
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.hooks == {"nsm-gate": "Skipped", "nsm-gate-history": "Failed"}
    assert attempt.rules("nsm-gate-history") == ["not-a-log"]


def test_unstaged_lines_are_not_judged(project: Project) -> None:
    project.append(LOG, a_run(GOOD, 1))
    project.git("add", "-A")
    bad = edited(a_run(OTHER, 2), **BAD_FINDINGS)
    project.append(LOG, bad)
    attempt = project.attempt("commit", "-q", "-m", "only what is staged")
    assert attempt.passed
    assert "1 appended line" in attempt.told["nsm-gate"]
    assert (project.path / LOG).read_bytes() == lines(a_run(OLD), a_run(GOOD, 1), bad)


def test_commit_all_judges_what_it_stages_itself(project: Project) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    attempt = project.attempt("commit", "-q", "-a", "-m", "everything")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]


def test_a_partial_commit_judges_its_own_paths_only(project: Project) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.write("README.md", "Another text.\n")
    project.git("add", "-A")
    without = project.attempt("commit", "-q", "-m", "only the text", "--", "README.md")
    assert without.passed
    assert without.hooks == {"nsm-gate": "Skipped", "nsm-gate-history": "Passed"}
    within = project.attempt("commit", "-q", "-m", "only the log", "--", LOG)
    assert not within.passed
    assert within.rules() == ["missing-findings"]


def test_a_line_that_only_this_clone_has_may_be_amended(project: Project) -> None:
    project.with_remote()
    project.append(LOG, a_run(GOOD, 1))
    project.past_hooks()
    project.write(LOG, [a_run(OLD), edited(a_run(GOOD, 1), findings="Beats the random baseline by far.")])
    amended = project.try_commit("--amend")
    assert amended.passed
    assert "1 met all criteria" in amended.told["nsm-gate"]

    project.git("push", "-q", "--no-verify")
    project.write(LOG, [a_run(OLD), a_run(GOOD, 1)])
    published = project.try_commit("--amend")
    assert not published.passed
    assert published.rules("nsm-gate-history") == ["history-rewritten"]


def test_an_amended_local_line_may_stand_before_another_local_line(project: Project) -> None:
    project.with_remote()
    project.append(LOG, a_run(GOOD, 1), a_run(OTHER, 2))
    project.past_hooks()
    better = edited(a_run(GOOD, 1), findings="Beats the random baseline by far.")
    project.write(LOG, [a_run(OLD), better, a_run(OTHER, 2)])
    attempt = project.try_commit("--amend")
    assert attempt.rules() == []
    assert attempt.passed


def test_a_linked_work_tree_is_judged_like_any_other(project: Project) -> None:
    project.git("worktree", "add", "-q", "-b", "beside", "../beside")
    beside = Project(project.path.parent / "beside", project.runner)
    beside.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.append(LOG, a_run(OLD, 1))
    attempt = beside.try_commit()
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]


# --- merges -----------------------------------------------------------------------------------------


def branches(project: Project, ours: dict[str, Any], theirs: dict[str, Any], *, union: bool = False) -> None:
    """Append a line on main and another on a branch `theirs`, both past the hooks; stay on main."""
    if union:
        project.write(".gitattributes", "*.jsonl merge=union\n")
        project.past_hooks()
    project.git("checkout", "-q", "-b", "theirs")
    project.append(LOG, theirs)
    project.past_hooks()
    project.git("checkout", "-q", "main")
    project.append(LOG, ours)
    project.past_hooks()


def test_an_automatic_merge_does_not_blame_the_lines_of_either_branch(project: Project) -> None:
    bad = {"findings": ..., "start_time": "2025-11-01T02:01:00+02:00"}
    branches(project, edited(a_run(GOOD, 1), **bad), edited(a_run(OTHER, 2), **bad), union=True)
    attempt = project.attempt("merge", "-q", "--no-edit", "theirs")
    assert attempt.passed
    assert attempt.hooks == {"nsm-gate": "Passed", "nsm-gate-history": "Passed"}
    assert "0 appended lines" in attempt.told["nsm-gate"]
    assert "the parents of the merge" in attempt.told["nsm-gate"]
    assert attempt.told["nsm-gate-history"] == ""
    assert project.git("rev-list", "--count", "--merges", "HEAD") == "1"


def test_an_automatic_merge_of_one_run_logged_twice_is_blocked(project: Project) -> None:
    branches(project, a_run(GOOD, 1), edited(a_run(GOOD, 2)), union=True)
    attempt = project.attempt("merge", "-q", "--no-edit", "theirs")
    assert not attempt.passed
    assert attempt.rules() == ["duplicate-run"]
    assert project.git("rev-list", "--count", "--merges", "HEAD") == "0"


def test_an_octopus_merge_of_one_run_in_two_logs_is_blocked(project: Project) -> None:
    for number, branch in enumerate(("one", "two"), 1):
        project.git("checkout", "-q", "-b", branch, "main")
        project.append(f"{branch}/training_log.jsonl", a_run(GOOD, number))
        project.past_hooks()
    project.git("checkout", "-q", "main")
    project.append(LOG, a_run(OTHER, 3))
    project.past_hooks()
    attempt = project.attempt("merge", "-q", "--no-edit", "one", "two")
    assert not attempt.passed
    assert attempt.rules() == ["duplicate-run"]


def conflict(project: Project, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    branches(project, ours, theirs)
    assert "CONFLICT" in project.git("merge", "theirs", check=False)


def test_a_conflict_resolved_by_hand_blames_no_branch(project: Project) -> None:
    ours, theirs = (edited(a_run(name, 1), **BAD_FINDINGS) for name in (GOOD, OTHER))
    conflict(project, ours, theirs)
    project.write(LOG, [a_run(OLD), ours, theirs])
    attempt = project.try_commit()
    assert attempt.passed
    assert attempt.hooks == {"nsm-gate": "Passed", "nsm-gate-history": "Passed"}
    assert "0 appended lines" in attempt.told["nsm-gate"]


def test_a_line_that_a_merge_adds_of_its_own_is_judged(project: Project) -> None:
    conflict(project, a_run(GOOD, 1), a_run(OTHER, 2))
    smuggled = edited(a_run("planning_new_20251101", 3), **BAD_FINDINGS)
    project.write(LOG, [a_run(OLD), a_run(GOOD, 1), a_run(OTHER, 2), smuggled])
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]


def test_one_run_logged_on_both_branches_is_found_when_the_conflict_is_resolved(project: Project) -> None:
    conflict(project, a_run(GOOD, 1), a_run(GOOD, 2))
    project.write(LOG, [a_run(OLD), a_run(GOOD, 1), a_run(GOOD, 2)])
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.rules() == ["duplicate-run"]
    # The repair that the message asks for gets through.
    project.write(LOG, [a_run(OLD), a_run(GOOD, 1)])
    assert project.try_commit().passed


def test_one_run_logged_in_two_logs_is_found_when_another_file_conflicts(project: Project) -> None:
    # Runners check only what conflicted then, so that the hook on .jsonl files does not run.
    project.git("checkout", "-q", "-b", "theirs")
    project.append("theirs/training_log.jsonl", a_run(GOOD, 1))
    project.write("README.md", "Their text.\n")
    project.past_hooks()
    project.git("checkout", "-q", "main")
    project.append("ours/training_log.jsonl", a_run(GOOD, 2))
    project.write("README.md", "Our text.\n")
    project.past_hooks()
    assert "CONFLICT" in project.git("merge", "theirs", check=False)
    project.write("README.md", "Their text. Our text.\n")
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.hooks == {"nsm-gate": "Skipped", "nsm-gate-history": "Failed"}
    assert attempt.rules("nsm-gate-history") == ["duplicate-run"]


def test_a_merge_that_drops_a_published_line_is_blocked(project: Project) -> None:
    project.with_remote()
    project.git("checkout", "-q", "-b", "feature")
    project.append(LOG, a_run(OTHER, 2))
    project.past_hooks()
    project.git("checkout", "-q", "main")
    project.append(LOG, a_run(GOOD, 1))
    project.past_hooks()
    project.git("push", "-q", "--no-verify")
    project.git("checkout", "-q", "feature")
    assert "CONFLICT" in project.git("merge", "main", check=False)
    project.git("checkout", "--ours", "--", LOG)
    attempt = project.try_commit()
    assert not attempt.passed
    assert attempt.rules("nsm-gate-history") == ["history-rewritten"]


# --- pushes -----------------------------------------------------------------------------------------


def test_the_first_push_of_a_branch_is_judged_from_where_it_left_the_remote(project: Project) -> None:
    project.append(LOG, edited(a_run(OTHER, 1), **BAD_FINDINGS))
    project.past_hooks("logged before there were hooks")
    project.with_remote()
    project.git("checkout", "-q", "-b", "feature")
    project.append(LOG, a_run(GOOD, 2))
    project.past_hooks()
    attempt = project.attempt("push", "-q", "-u", "origin", "feature")
    assert attempt.passed
    assert attempt.hooks == {"nsm-gate": "Passed", "nsm-gate-history": "Passed"}
    assert "1 appended line" in attempt.told["nsm-gate"]
    assert "PRE_COMMIT_FROM_REF" in attempt.told["nsm-gate"]
    assert project.remote("feature") == project.git("rev-parse", "HEAD")


def test_a_later_push_is_judged_by_its_commits_whatever_else_is_staged(project: Project) -> None:
    project.with_remote()
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    project.write("README.md", "Another text.\n")
    project.git("add", "-A")
    attempt = project.attempt("push", "-q")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]
    assert project.remote("main") == project.git("rev-parse", "HEAD~1")


def test_a_push_of_another_branch_judges_that_branch(project: Project) -> None:
    project.with_remote()
    project.git("checkout", "-q", "-b", "feature")
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    project.git("checkout", "-q", "main")
    attempt = project.attempt("push", "-q", "origin", "feature")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]
    assert project.remote("feature") == ""


def test_a_push_that_deletes_a_log_is_blocked(project: Project) -> None:
    project.with_remote()
    project.git("rm", "-q", LOG)
    project.past_hooks()
    attempt = project.attempt("push", "-q")
    assert not attempt.passed
    assert attempt.rules("nsm-gate-history") == ["history-rewritten"]


@pytest.mark.parametrize("staged", (False, True), ids=("nothing staged", "something staged"))
def test_the_first_push_of_all_judges_every_commit(project: Project, staged: bool) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    project.append(LOG, edited(a_run(OTHER, 2), start_time="2025-11-01T02:02:00+02:00"))
    project.past_hooks()
    project.git("init", "-q", "--bare", "--template=", "../remote.git")
    project.git("remote", "add", "origin", "../remote.git")
    if staged:
        project.write("README.md", "Another text.\n")
        project.git("add", "-A")
    attempt = project.attempt("push", "-q", "-u", "origin", "main")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings", "timestamp-not-utc"]
    assert project.remote("main") == ""


def test_a_push_is_not_blamed_for_what_it_merged_from_the_default_branch(project: Project) -> None:
    project.with_remote()
    project.git("checkout", "-q", "-b", "feature")
    project.write("README.md", "Another text.\n")
    project.past_hooks()
    project.git("push", "-q", "--no-verify", "-u", "origin", "feature")
    project.git("checkout", "-q", "main")
    project.append(LOG, edited(a_run(OTHER, 1), **BAD_FINDINGS))
    project.past_hooks("by someone without the hooks")
    project.git("push", "-q", "--no-verify")
    project.git("checkout", "-q", "feature")
    project.git("merge", "-q", "--no-verify", "--no-edit", "main")
    attempt = project.attempt("push", "-q")
    assert attempt.rules() == []
    assert attempt.passed


# --- by hand ----------------------------------------------------------------------------------------


def test_all_files_judges_since_the_upstream(project: Project) -> None:
    project.with_remote()
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    project.append(LOG, a_run(OTHER, 2))
    project.past_hooks()
    attempt = project.run_hooks("--all-files")
    assert not attempt.passed
    assert "2 appended lines" in attempt.told["nsm-gate"]
    assert attempt.rules() == ["missing-findings"]


@pytest.mark.parametrize("remote", (False, True), ids=("no upstream", "upstream is HEAD"))
def test_all_files_is_never_an_empty_pass(project: Project, remote: bool) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    if remote:
        project.with_remote()
    attempt = project.run_hooks("--all-files")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]
    assert "first parent" in attempt.told["nsm-gate"]


def test_all_files_on_the_first_commit_judges_every_line(project: Project) -> None:
    attempt = project.run_hooks("--all-files")
    assert attempt.passed
    assert "1 line · every line" in attempt.told["nsm-gate"]
    assert "1 met all criteria" in attempt.told["nsm-gate"]


def test_a_named_range_is_judged_as_a_range(project: Project) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.past_hooks()
    project.append(LOG, a_run(OTHER, 2))
    project.past_hooks()
    later = project.run_hooks("--from-ref", "HEAD~1", "--to-ref", "HEAD")
    assert later.passed
    assert "1 run: 1 met all criteria" in later.told["nsm-gate"]
    both = project.run_hooks("--from-ref", "HEAD~2", "--to-ref", "HEAD")
    assert not both.passed
    assert both.rules() == ["missing-findings"]


def test_the_manual_stage_judges_what_is_staged(project: Project) -> None:
    project.append(LOG, edited(a_run(GOOD, 1), **BAD_FINDINGS))
    project.git("add", "-A")
    option = "--stage" if project.runner.name == "prek" else "--hook-stage"
    attempt = project.run_hooks(option, "manual")
    assert not attempt.passed
    assert attempt.rules() == ["missing-findings"]
    assert attempt.hooks["nsm-gate-history"] == "Passed"
