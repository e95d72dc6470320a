"""Two branches that append to one log are joined by time under real git, and nothing else ever is."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import (
    Repo,
    Result,
    a_baseline,
    a_run,
    edited,
    environment,
    gate,
    gate_process,
    lines,
    with_command,
)

LOG = "experiments/training_log.jsonl"
MARKERS = (b"<<<<<<< ours", b"=======", b">>>>>>> theirs")


def a(name: str, minute: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a run of this name, logged in this minute."""
    return edited(a_run(f"planning_{name}_20251101", minute), **changes)


def names(data: bytes) -> list[str]:
    """Return the runs of a log in order, without what their names have in common."""
    entries = [json.loads(row) for row in data.split(b"\n") if row.startswith(b"{")]
    return [entry["run_data"]["run_id"].split("_")[1] for entry in entries]


class Project(Repo):
    """A project that `nsm-gate init --git-config` has set up, with one published line."""

    @classmethod
    def made(cls, folder: Path, *published: Any, log: str = LOG) -> Project:
        """Return the project: on main, with the lines committed."""
        project = cls(folder / "project", with_command(environment(folder), folder / "bin"))
        project.path.mkdir()
        project.git("init", "-q", "-b", "main")
        assert gate("init", "--git-config", cwd=project.path, env=project.env).code == 0
        project.write(log, list(published) or [a("old")])
        project.commit("what both branches begin with")
        return project

    def branch(self, name: str, *entries: Any, start: str = "main") -> Project:
        """Commit each entry by itself on a branch of its own."""
        self.git("checkout", "-q", "-b", name, start)
        for entry in entries:
            self.append(LOG, entry)
            self.commit(f"{name} logs a run")
        return self

    def attempt(self, *args: str) -> tuple[bool, str]:
        """Run git; return whether it succeeded, and what it said."""
        done = subprocess.run(
            ["git", *args], cwd=self.path, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        return done.returncode == 0, done.stdout.decode()

    @property
    def log(self) -> bytes:
        """Return the log's bytes."""
        return (self.path / LOG).read_bytes()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.made(tmp_path)


# --- joined -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ours", "theirs"), (("one", "two"), ("two", "one")))
def test_two_branches_that_append_are_joined_by_time_in_both_directions(
    project: Project, ours: str, theirs: str
) -> None:
    project.branch("one", a("p", 10), a("r", 30)).branch("two", a("q", 20), a("s", 40))
    project.git("checkout", "-q", ours)
    assert project.attempt("merge", "-q", theirs)[0]
    assert project.log == lines(a("old"), a("p", 10), a("q", 20), a("r", 30), a("s", 40))
    assert project.git("status", "--porcelain") == ""
    # Between lines of the other branch, as a merge may put them.
    report = project.check("--base", "HEAD~1")
    assert (report.code, report.rules("inserted-line")) == (0, [])


@pytest.mark.parametrize(("onto", "moved"), (("one", "two"), ("two", "one")))
def test_a_branch_of_several_commits_is_rebased(project: Project, onto: str, moved: str) -> None:
    project.branch("one", a("p", 10), a("r", 30), a("t", 50)).branch("two", a("q", 20), a("s", 40))
    project.git("checkout", "-q", moved)
    passed, said = project.attempt("rebase", "-q", onto)
    assert passed, said
    runs = {"one": ["p", "r", "t"], "two": ["q", "s"]}
    # Not by time: a line between published ones is an inserted one, however old it is.
    assert names(project.log) == ["old", *runs[onto], *runs[moved]]
    assert project.git("rev-list", "--count", f"{onto}..{moved}") == str(len(runs[moved]))
    report = project.check("--base", onto)
    assert (report.code, report.rules("timestamp-order")) == (0, [])


def test_what_is_picked_goes_behind_what_is_there(project: Project) -> None:
    project.branch("one", a("late", 50)).branch("two", a("early", 5))
    project.git("checkout", "-q", "one")
    assert project.attempt("cherry-pick", "two")[0]
    assert names(project.log) == ["old", "late", "early"]


def test_a_merge_that_a_rebase_makes_again_is_a_merge(project: Project) -> None:
    project.branch("one", a("p", 10)).branch("two", a("q", 20), a("s", 40))
    project.git("checkout", "-q", "one")
    project.append(LOG, a("r", 30))
    project.commit("more")
    project.git("merge", "-q", "two")
    assert names(project.log) == ["old", "p", "q", "r", "s"]
    project.git("checkout", "-q", "main")
    project.write("README.md", "Something else happened.\n")
    project.commit("on main")
    project.git("checkout", "-q", "one")
    assert project.attempt("rebase", "-q", "--rebase-merges", "main")[0]
    assert names(project.log) == ["old", "p", "q", "r", "s"]


def test_both_branches_merge_each_other_and_agree(project: Project) -> None:
    project.branch("one", a("p", 10)).branch("two", a("q", 20))
    project.git("merge", "-q", "one", "-m", "two merges one")
    project.git("checkout", "-q", "one")
    project.git("merge", "-q", "two~1", "-m", "one merges two")
    assert names(project.log) == ["old", "p", "q"]
    for branch, entry in (("one", a("r", 30)), ("two", a("s", 40))):
        project.git("checkout", "-q", branch)
        project.append(LOG, entry)
        project.commit(f"{branch} goes on")
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["old", "p", "q", "r", "s"]


def test_what_is_stashed_comes_back_behind_what_was_pulled(project: Project) -> None:
    project.branch("other", a("p", 10))
    project.git("checkout", "-q", "main")
    project.append(LOG, a("q", 5))
    project.git("stash")
    project.git("merge", "-q", "--ff-only", "other")
    assert project.attempt("stash", "pop", "-q")[0]
    assert names(project.log) == ["old", "p", "q"]


def test_a_line_that_both_sides_appended_is_kept_once(project: Project) -> None:
    project.branch("one", a("p", 10), a("r", 30)).branch("two", a("q", 20))
    project.append(LOG, a("r", 30))
    project.commit("the same run, by another hand")
    project.append(LOG, a("s", 40))
    project.commit("and one more")
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["old", "p", "q", "r", "s"]


def test_each_side_keeps_its_own_order_where_its_times_do_not(project: Project) -> None:
    project.branch("one", a("late", 50), a("early", 5)).branch("two", a("mid", 20))
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["old", "mid", "late", "early"]


def test_as_old_as_each_other_ours_comes_first(project: Project) -> None:
    project.branch("one", a("p", 10)).branch("two", a("q", 10))
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["old", "q", "p"]


def test_times_are_compared_and_not_their_texts(project: Project) -> None:
    naive = a("naive", 10, entry__timestamp="2025-11-01T00:10:00.5")
    project.branch("one", naive).branch("two", a("zulu", 10, entry__timestamp="2025-11-01T00:10:00Z"))
    project.git("checkout", "-q", "one")
    assert project.attempt("merge", "-q", "two")[0]
    assert names(project.log) == ["old", "zulu", "naive"]


def test_a_line_without_a_time_goes_with_the_line_before_it(project: Project) -> None:
    untimed = a("untimed", entry__timestamp=...)
    project.branch("one", a("p", 10), untimed, a("r", 30)).branch("two", a("q", 20))
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["old", "p", "untimed", "q", "r"]


def test_a_run_that_one_side_ends_is_no_conflict(project: Project) -> None:
    running = a("p", 10, status="running", final_metrics=None, best_val_accuracy=None, end_time=None)
    project.branch("one", running)
    project.branch("two", a("p", 10, entry__timestamp="2025-11-01T01:00:00Z"), start="one")
    project.git("checkout", "-q", "one")
    project.append(LOG, a("q", 20))
    project.commit("one goes on")
    assert project.attempt("merge", "-q", "two")[0]
    assert names(project.log) == ["old", "p", "q", "p"]


def test_logs_without_a_common_ancestor_are_joined(project: Project) -> None:
    project.git("rm", "-q", "--cached", LOG)
    (project.path / LOG).unlink()
    project.commit("no log yet")
    project.branch("one", a("p", 10)).branch("two", a("q", 20))
    assert project.attempt("merge", "-q", "one")[0]
    assert names(project.log) == ["p", "q"]


@pytest.mark.parametrize("log", ("experiments/[a] log's $x/training_log.jsonl", "-x/training_log.jsonl"))
def test_a_path_that_a_shell_could_misread_is_a_path(tmp_path: Path, log: str) -> None:
    project = Project.made(tmp_path, a("old"), log=log)
    for name, minute in (("one", 10), ("two", 20)):
        project.git("checkout", "-q", "-b", name, "main")
        project.append(log, a(name, minute))
        project.commit(name)
    assert project.attempt("merge", "-q", "one")[0]
    assert names((project.path / log).read_bytes()) == ["old", "one", "two"]


RUNS = """\
log: runs
files: [runs.jsonl]
schema: runs.schema.json
key: [id]
"""


def another_project(project: Project) -> Callable[[int], dict[str, Any]]:
    """Give the project a log kind of its own, without times; return what makes its entries."""
    project.git("checkout", "-q", "main")
    project.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    project.write("rules/runs.yaml", RUNS)
    project.write("rules/runs.schema.json", '{"type": "object", "required": ["id"]}')
    project.write(".gitattributes", "*.jsonl merge=nsm-gate\n")
    project.write("runs.jsonl", [{"id": 0}])
    project.commit("a log of another project")
    return lambda number: {"id": number}


@pytest.mark.parametrize("name", ("runs.jsonl", "unclaimed.jsonl"))
def test_where_no_time_can_be_read_ours_comes_first(project: Project, name: str) -> None:
    made = another_project(project)
    project.write(name, [made(0)])
    project.commit("a first line")
    for branch, numbers in (("one", (1, 2)), ("two", (3, 4))):
        project.git("checkout", "-q", "-b", branch, "main")
        project.append(name, *map(made, numbers))
        project.commit(branch)
    assert project.attempt("merge", "-q", "one")[0]
    assert (project.path / name).read_bytes() == lines(*map(made, (0, 3, 4, 1, 2)))


def test_a_key_of_another_project_counts_too(project: Project) -> None:
    another_project(project)
    for branch, entry in (("one", {"id": 1, "x": 1}), ("two", {"id": 1, "x": 2})):
        project.git("checkout", "-q", "-b", branch, "main")
        project.append("runs.jsonl", entry)
        project.commit(branch)
    passed, said = project.attempt("merge", "one")
    assert not passed
    assert "both sides added '1' with different content" in said


def test_baselines_are_known_by_branch_commit_and_experiment(project: Project) -> None:
    for branch, day in (("one", 21), ("two", 20)):
        project.git("checkout", "-q", "-b", branch, "main")
        project.write("baselines.jsonl", [a_baseline("3level_fusion", day, branch=branch)])
        project.commit(branch)
    assert project.attempt("merge", "-q", "one")[0]
    rows = (project.path / "baselines.jsonl").read_text().splitlines()
    assert [json.loads(row)["branch"] for row in rows] == ["two", "one"]


# --- refused ----------------------------------------------------------------------------------------

OLDER, OLD = a("older", 0), a("old", 1)

REFUSED: dict[str, tuple[bytes, bytes, str]] = {
    "a side changes a line": (
        lines(OLDER, edited(OLD, final_metrics__accuracy=0.9), a("p", 10)),
        lines(OLDER, OLD, a("q", 20)),
        "ours changed or dropped line 2 of the common history",
    ),
    "a side drops a line": (
        lines(OLDER, OLD, a("q", 20)),
        lines(OLD, a("p", 10)),
        "theirs changed or dropped line 1 of the common history",
    ),
    "a side swaps two lines": (
        lines(OLD, OLDER, a("q", 20)),
        lines(OLDER, OLD, a("p", 10)),
        "ours changed or dropped line 2 of the common history",
    ),
    "both sides insert": (
        lines(OLDER, a("p", 10), OLD, a("r", 30)),
        lines(OLDER, a("q", 20), OLD),
        "both sides added lines between those of the common history",
    ),
    "the last line is torn": (
        lines(OLDER, OLD, a("p", 10))[:-1],
        lines(OLDER, OLD, a("q", 20)),
        "the last line of ours is torn: no newline ends it",
    ),
    "a line is torn": (
        lines(OLDER, OLD, a("p", 10)),
        lines(OLDER, OLD) + lines(a("q", 20))[:100] + b"\n",
        "line 3 of theirs is no entry",
    ),
    "one run, two contents": (
        lines(OLDER, OLD, a("p", 10)),
        lines(OLDER, OLD, a("p", 10, findings="Another story about one and the same run.")),
        "both sides added 'planning_p_20251101' with different content: line 3 of ours and line 3 of theirs",
    ),
    "one run, ended in two ways": (
        lines(OLDER, OLD, a("p", 10, status="running"), a("p", 10)),
        lines(OLDER, OLD, a("p", 10, status="running"), a("p", 11)),
        "both sides added 'planning_p_20251101' with different content: line 4 of ours and line 4 of theirs",
    ),
    "the same lines in other orders": (
        lines(OLDER, OLD, a("p", 10), a("q", 20)),
        lines(OLDER, OLD, a("q", 20), a("p", 10)),
        "both sides added the same lines, in different orders",
    ),
    "the same line in other places": (
        lines(OLDER, a("p", 10), OLD, a("q", 20)),
        lines(OLDER, OLD, a("p", 10)),
        "both sides added the same line, in different places",
    ),
    "not UTF-8": (
        lines(OLDER, OLD, a("p", 10)),
        lines(OLDER, OLD) + lines(a("q", 20)).replace(b"planning_q", b"planning_\xff"),
        "line 3 of theirs is no entry: byte 0xff is not UTF-8",
    ),
    "a line too long": (
        lines(OLDER, OLD, a("p", 10)),
        lines(OLDER, OLD, a("q", 20, findings="x" * (1 << 20))),
        "line 3 of theirs is no entry: line is 1,0",
    ),
    "a conflict that was committed": (
        lines(OLDER, OLD, a("p", 10)),
        lines(OLDER, OLD) + b"<<<<<<< HEAD\n" + lines(a("q", 20)),
        "line 3 of theirs is no entry: merge conflict marker '<<<<<<<'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_left_as_a_conflict_that_holds_both_sides(tmp_path: Path, case: str) -> None:
    project = Project.made(tmp_path, OLDER, OLD)
    ours, theirs, reason = REFUSED[case]
    for branch, data in (("theirs", theirs), ("ours", ours)):
        project.git("checkout", "-q", "-b", branch, "main")
        project.write(LOG, data)
        project.commit(branch)
    passed, said = project.attempt("merge", "theirs")
    assert not passed
    assert f"nsm-gate: {LOG} is not joined: {reason}" in said
    assert "CONFLICT" in said
    assert project.git("status", "--porcelain").startswith("UU ")
    found = Counter(project.log.split(b"\n"))
    assert all(found[mark] >= 1 for mark in MARKERS)
    for side in (ours, theirs):
        assert not Counter(side.split(b"\n")) - found - Counter([b""])
    conflict = gate("check", "--all", cwd=project.path, env=project.env)
    assert conflict.code == 1
    assert "merge conflict marker" in conflict.out


def test_a_conflict_is_resolved_by_hand_and_passes(project: Project) -> None:
    project.branch("one", a("p", 10)).branch(
        "two", a("p", 10, findings="Another story about one and the same run.")
    )
    assert not project.attempt("merge", "one")[0]
    kept = [row for row in project.log.split(b"\n") if row and not row.startswith((b"<<<", b"===", b">>>"))]
    project.write(LOG, b"".join(row + b"\n" for row in kept[:-1]))
    project.commit("resolved")
    assert project.check("--all").code == 0


def test_a_file_over_the_limit_is_left_as_a_conflict(project: Project) -> None:
    project.write("nsm-gate.yaml", "limits: {file: 1KiB}\n")
    project.commit("a small limit")
    project.branch("one", a("p", 10)).branch("two", a("q", 20))
    passed, said = project.attempt("merge", "one")
    assert not passed
    assert "over the limit of 1,024" in said
    assert names(project.log) == ["old", "q", "p"]
    assert all(mark in project.log for mark in MARKERS)


def test_rules_that_cannot_be_read_leave_a_conflict(project: Project) -> None:
    project.branch("one", a("p", 10)).branch("two", a("q", 20))
    project.write("nsm-gate.yaml", "severty: {}\n")
    project.commit("a mistake")
    passed, said = project.attempt("merge", "one")
    assert not passed
    assert "is not joined: the rules cannot be read: nsm-gate.yaml:1:1: " in said
    assert all(mark in project.log for mark in MARKERS)
    project.write("nsm-gate.yaml", "")
    assert project.attempt("checkout", "--merge", "--", LOG)[0]
    assert names(project.log) == ["old", "p", "q"]


def test_a_clone_without_the_configuration_merges_as_git_does(project: Project) -> None:
    project.branch("one", a("p", 10)).branch("two", a("q", 20))
    plain = Repo.clone(project, project.path.parent / "clone")
    plain.git("checkout", "-q", "one")
    assert "CONFLICT" in plain.git("merge", "origin/two", check=False)
    assert b"<<<<<<< HEAD" in (plain.path / LOG).read_bytes()


def test_hostile_names_in_a_refusal_cannot_act_on_a_terminal(project: Project) -> None:
    run = a("p", 10, run_id="\x1b[31m::error::x_20251101")
    project.branch("one", run).branch(
        "two", edited(run, findings="Another story about one and the same run.")
    )
    passed, said = project.attempt("merge", "one")
    assert not passed
    assert "\\u001b[31m:\\u003aerror:\\u003ax_20251101" in said
    assert "\x1b" not in said
    assert "::" not in said


# --- by hand, and laws --------------------------------------------------------------------------------


def driven(folder: Path, base: bytes, ours: bytes, theirs: bytes, path: str = LOG) -> tuple[Result, bytes]:
    """Call the driver as git does; return what it said and what it left in OURS."""
    for name, data in (("O", base), ("A", ours), ("B", theirs)):
        (folder / name).write_bytes(data)
    result = gate("merge-driver", "--", "O", "A", "B", path, cwd=folder)
    return result, (folder / "A").read_bytes()


def test_the_result_replaces_ours_and_nothing_else_is_left(tmp_path: Path) -> None:
    result, data = driven(tmp_path, lines(OLD), lines(OLD, a("p", 10)), lines(OLD, a("q", 20)))
    assert (result.code, result.out, result.err) == (0, "", "")
    assert data == lines(OLD, a("p", 10), a("q", 20))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["A", "B", "O"]


def test_a_crash_leaves_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_args: object, **_options: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr("nsm_gate.commands.merge_driver.join", crash)
    result, data = driven(tmp_path, lines(OLD), lines(OLD, a("p", 10)), lines(OLD, a("q", 20)))
    assert result.code == 2
    assert data.split(b"\n")[1::2] == [MARKERS[0], MARKERS[1], MARKERS[2]]
    assert names(data) == ["old", "p", "q"]


def test_a_base_without_its_last_newline_is_a_base(tmp_path: Path) -> None:
    result, data = driven(tmp_path, lines(OLD)[:-1], lines(OLD, a("p", 10)), lines(OLD, a("q", 20)))
    assert result.code == 0
    assert data == lines(OLD, a("p", 10), a("q", 20))


def test_what_is_no_file_cannot_be_merged(tmp_path: Path) -> None:
    (tmp_path / "A").write_bytes(b"{}\n")
    (tmp_path / "B").symlink_to("A")
    missing = gate("merge-driver", "O", "A", "A", LOG, cwd=tmp_path)
    linked = gate("merge-driver", "A", "A", "B", LOG, cwd=tmp_path)
    assert (missing.code, linked.code) == (2, 2)
    assert missing.err == "nsm-gate: error: O: not a regular file\n  give what git gives: %O %A %B %P\n"
    assert (tmp_path / "A").read_bytes() == b"{}\n"


def test_the_help_says_who_does_not_run_a_merge_driver(tmp_path: Path) -> None:
    result = gate_process("merge-driver", "--help", cwd=tmp_path)
    said = " ".join(result.out.split())
    assert result.code == 0
    assert "GitHub's merge, squash and rebase buttons" in said
    assert "%O: the common ancestor's version" in said


ENTRIES = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from((None, 0, 1, 2, 3))),
    max_size=5,
    unique_by=lambda item: item[0],
)


def written(items: list[tuple[int, int | None]]) -> bytes:
    """Return lines of runs by number, logged in a minute or at no time."""
    return lines(
        *(
            a(
                f"n{n}",
                minute or 0,
                entry__timestamp=... if minute is None else f"2025-11-01T00:0{minute}:00Z",
            )
            for n, minute in items
        )
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=ENTRIES, ours=ENTRIES, theirs=ENTRIES)
def test_no_line_is_lost_or_doubled_and_each_side_keeps_its_order(
    tmp_path: Path, base: list[Any], ours: list[Any], theirs: list[Any]
) -> None:
    old = {n for n, _ in base}
    one = written(base) + written([item for item in ours if item[0] not in old])
    two = written(base) + written([item for item in theirs if item[0] not in old])
    result, data = driven(tmp_path, written(base), one, two)
    rows = data.split(b"\n")[:-1]
    sides = [side.split(b"\n")[:-1] for side in (one, two)]
    if result.code == 1:
        assert all(mark in rows for mark in MARKERS)
        assert all(not Counter(side) - Counter(rows) for side in sides)
        return
    assert result.code == 0
    assert Counter(rows) == Counter(sides[0]) | Counter(sides[1])
    for side in sides:
        assert [row for row in rows if row in set(side)] == side
    assert rows[: len(base)] == written(base).split(b"\n")[:-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from((b'{"a": 1}\n', b"{}\n", b"\n", b"x", b"\xff\n", b"<<<<<<< \n")), max_size=4
    ).map(b"".join),
    st.data(),
)
def test_whatever_the_files_hold_nothing_is_lost(tmp_path: Path, base: bytes, data: st.DataObject) -> None:
    tail = st.binary(max_size=12)
    ours, theirs = base + data.draw(tail), base + data.draw(tail)
    result, merged = driven(tmp_path, base, ours, theirs)
    assert result.code in (0, 1)
    left = Counter(merged.split(b"\n"))
    for side in (ours, theirs):
        assert not Counter(row for row in side.split(b"\n") if row) - left
