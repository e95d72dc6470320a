"""What `git diff` shows of a log: every change, one member a row, and nothing that can act."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.jsonl import split
from tests.support import Repo, Result, a_baseline, a_run, edited, environment, gate, lines, with_command

LOG = "experiments/training_log.jsonl"
RUN = "planning_plain_20251101"


def shown(folder: Path, data: bytes, name: str = "training_log.jsonl") -> Result:
    """Return what the command prints of a file."""
    (folder / name).write_bytes(data)
    return gate("textconv", name, cwd=folder)


def blocks(result: Result) -> list[list[str]]:
    """Return the rows of each line's block."""
    return [block.split("\n") for block in result.out.removesuffix("\n\n").split("\n\n")]


@pytest.fixture
def project(tmp_path: Path) -> Repo:
    """A project that `nsm-gate init --git-config` has set up, with one logged line."""
    repo = Repo.init(tmp_path / "r", env=with_command(environment(tmp_path), tmp_path / "bin"))
    assert gate("init", "--git-config", cwd=repo.path, env=repo.env).code == 0
    repo.write(LOG, [a_run(RUN)])
    repo.commit()
    return repo


def changes(repo: Repo, *args: str) -> list[str]:
    """Return the rows that git diff adds and removes."""
    rows = repo.git("diff", *args, "--", LOG).split("\n")
    return [row for row in rows if row[:1] in ("+", "-") and row[:3] not in ("+++", "---")]


# --- git diff ---------------------------------------------------------------------------------------


def test_an_appended_run_is_added_rows_of_one_member_each(project: Repo) -> None:
    project.append(LOG, a_run("planning_new_20251101", 1))
    rows = changes(project)
    assert all(row.startswith("+") for row in rows)
    (heading,) = (row for row in rows if row.startswith("+run "))
    assert heading.startswith("+run planning_new_20251101 · sha256 ")
    assert {
        "+  experiment_type: \"domain_exploration\"", "+  domain: \"planning\"", "+  status: \"completed\"",
        "+  final_metrics.accuracy: 0.61", "+  hyperparameters.seed: 42", "+  entry.timestamp: \"2025-11-01T00:01:31Z\"",
    } <= set(rows)  # fmt: skip


def test_a_changed_number_is_the_one_row_that_differs_beside_the_digest(project: Repo) -> None:
    project.write(LOG, [edited(a_run(RUN), final_metrics__accuracy=0.99)])
    rows = changes(project)
    assert [row.split(" · ")[0] for row in rows] == [
        f"-run {RUN}", f"+run {RUN}", "-  final_metrics.accuracy: 0.61", "+  final_metrics.accuracy: 0.99",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    (
        lines(a_run(RUN)).replace(b": ", b":"),
        lines({name: a_run(RUN)[name] for name in ("run_data", "timestamp")}),
        lines(a_run(RUN)).replace(b"0.61,", b"0.610,"),
    ),
    ids=("white space", "order of members", "digits"),
)
def test_a_change_of_bytes_alone_is_seen_too(project: Repo, changed: bytes) -> None:
    project.write(LOG, changed)
    assert [row.split(" · ")[0] for row in changes(project)] == [f"-run {RUN}", f"+run {RUN}"]


def test_a_torn_line_is_shown_as_it_is(project: Repo) -> None:
    project.write(LOG, lines(a_run(RUN)) + lines(a_run("planning_torn_20251101", 1))[:90])
    rows = changes(project)
    assert rows[0].startswith("+no entry: line is torn: it ends inside a string · sha256 ")
    assert rows[1].startswith('+  {"timestamp": "2025-11-01T00:01:31Z", "run_data": {"run_id": ')
    assert rows[2] == "+  (no newline ends this line)"


def test_what_is_staged_and_what_was_committed_is_shown_so_too(project: Repo) -> None:
    project.append(LOG, a_run("planning_new_20251101", 1))
    project.git("add", "-A")
    assert "+  final_metrics.accuracy: 0.61" in changes(project, "--cached")
    project.commit()
    assert "+  final_metrics.accuracy: 0.61" in project.git("show", "HEAD", "--", LOG).split("\n")
    assert "+  final_metrics.accuracy: 0.61" in project.git("log", "-p", "-1", "--", LOG).split("\n")
    assert '+{"timestamp"' in project.git("show", "--no-textconv", "HEAD", "--", LOG)


def test_a_diff_is_shown_where_the_rules_are_broken(project: Repo) -> None:
    project.append(LOG, a_run("planning_new_20251101", 1))
    project.write("nsm-gate.yaml", "severty: {}\n")
    rows = changes(project)
    assert rows[0].startswith("+entry · sha256 ")
    assert "+  run_data.final_metrics.accuracy: 0.61" in rows


def test_a_log_that_begins_with_a_dash_is_shown(project: Repo) -> None:
    project.write("nsm-gate.yaml", "")
    project.write(".gitattributes", "*.jsonl diff=nsm-gate\n")
    project.write("-x.jsonl", [a_run(RUN)])
    project.commit()
    project.append("-x.jsonl", a_run("planning_new_20251101", 1))
    assert "+  final_metrics.accuracy: 0.61" in project.git("diff").split("\n")


# --- the blocks ---------------------------------------------------------------------------------------


def test_the_rows_say_first_what_the_run_is_then_what_it_measured_then_the_rest(tmp_path: Path) -> None:
    (rows,) = blocks(shown(tmp_path, lines(a_run(RUN))))
    names = [row.strip().partition(":")[0] for row in rows[1:]]
    assert names[:5] == ["experiment_type", "domain", "status", "entry.timestamp", "findings"]
    metrics = [name for name in names if name.startswith("final_metrics.")]
    assert names[5:11] == sorted(metrics) == metrics
    assert names[11:] == sorted(names[11:])
    assert len(names) == len(set(names))


def test_every_member_of_a_run_is_shown(tmp_path: Path) -> None:
    history = [{"epoch": n, "val_loss": 1 / n} for n in range(1, 12)]
    (rows,) = blocks(shown(tmp_path, lines(edited(a_run(RUN), metrics_history=history, architecture={}))))
    assert '  metrics_history[00]: {"epoch": 1, "val_loss": 1.0}' in rows
    assert [row for row in rows if "metrics_history[10]" in row]
    assert "  architecture: {}" in rows
    assert "  error_message: null" in rows


def test_a_baseline_is_known_by_its_file_or_by_its_members(tmp_path: Path) -> None:
    one = shown(tmp_path, lines(a_baseline()), "baselines.jsonl")
    other = shown(tmp_path, lines(a_baseline()), "copy.txt")
    assert one.out == other.out
    assert one.out.startswith("run 3level_fusion · sha256 ")
    assert "\n  notes: " in one.out


def test_a_file_of_nothing_known_is_shown_all_the_same(tmp_path: Path) -> None:
    data = b'{"b": 1, "a": [1, 2]}\n\n[1]\n\xff\n'
    found = blocks(shown(tmp_path, data, "other.jsonl"))
    assert [rows[0].split(" · ")[0] for rows in found] == [
        "entry", "no entry: line is blank", "no entry: line holds an array, not an object", "no entry: byte 0xff is not UTF-8",
    ]  # fmt: skip
    assert [rows[1:] for rows in found] == [["  a: [1, 2]", "  b: 1"], ["  "], ["  [1]"], ["  \ufffd"]]


def test_an_empty_file_is_nothing(tmp_path: Path) -> None:
    assert shown(tmp_path, b"") == Result(0, "", "")


def test_nothing_in_a_log_can_act_on_a_terminal_or_in_ci(tmp_path: Path) -> None:
    evil = "\x1b[2J\n::error::x ##[error]y\u202e"
    data = lines(edited(a_run(evil), findings=evil, final_metrics={evil: evil}), {evil: evil})
    result = shown(tmp_path, data + evil.replace("\n", "\r").encode())
    assert result.code == 0
    for found in ("\x1b", "\r", "::", "##[", "\u202e", "\n\n:"):
        assert found not in result.out


def test_a_file_over_the_limit_is_shown_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "nsm-gate.yaml").write_text("limits: {file: 1KiB}\n")
    one, other = (shown(tmp_path, letter * 2000) for letter in (b"x", b"y"))
    assert one.out.startswith("2,000 bytes, over the limit of 1,024 (limits.file) · sha256 ")
    assert one.out != other.out
    assert (one.code, other.code) == (0, 0)


def test_what_is_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("training_log.jsonl")
    (tmp_path / "training_log.jsonl").write_text("{}\n")
    for name in ("absent", ".", "link"):
        result = gate("textconv", name, cwd=tmp_path)
        assert (result.code, result.out) == (2, "")
        assert result.err == f"nsm-gate: error: {name}: not a regular file\n  name a log\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
LINE = st.dictionaries(st.text(max_size=4), JSON, max_size=3).map(
    lambda v: json.dumps(v).encode()
) | st.binary(max_size=12)


@settings(max_examples=30, deadline=None)
@given(one=st.lists(LINE, max_size=3).map(b"\n".join), other=st.lists(LINE, max_size=3).map(b"\n".join))
def test_files_that_differ_are_shown_differently_a_block_a_line(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes
) -> None:
    folder = tmp_path_factory.mktemp("x")
    results: list[Any] = [shown(folder, data) for data in (one, other)]
    assert all(result.code == 0 and not result.err for result in results)
    assert (results[0].out == results[1].out) == (one == other)
    assert results[0].out.count(" · sha256 ") >= len(split(one)[0])
