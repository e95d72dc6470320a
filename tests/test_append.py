"""`nsm-gate append` and `nsm_gate.append`: what check would refuse is not written, all else is written once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nsm_gate
from tests.support import NOW, ROOT, Repo, Result, a_baseline, a_run, edited, environment, gate, lines

LOG = "experiments/training_log.jsonl"


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """Return a repository with one logged run and one baseline."""
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [a_run("planning_one_20251101")])
    repo.write("baselines.jsonl", [a_baseline()])
    repo.commit("Log a run")
    return repo


def append(repo: Repo, *entries: Any, log: str = LOG, options: tuple[str, ...] = (), **more: Any) -> Result:
    """Append entries with the command, from standard input, with JSON output."""
    return gate(
        "append", log, *options, "--output-format", "json",
        cwd=repo.path, env=repo.env, stdin=lines(*entries), **more,
    )  # fmt: skip


def logged(repo: Repo, log: str = LOG) -> list[dict[str, Any]]:
    """Return the entries of a log; every line of it must be one."""
    data = (repo.path / log).read_bytes()
    assert data.endswith(b"\n") or not data
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


def names(repo: Repo, log: str = LOG) -> list[str]:
    return [entry["run_data"]["run_id"].split("_")[1] for entry in logged(repo, log)]


def said(result: Result) -> list[str]:
    return [f"{f['rule']}: {f['message']}" for f in result.findings]


# --- what is appended --------------------------------------------------------------------------------


def test_a_run_is_appended_as_it_was_given_and_passes_check(lab: Repo) -> None:
    before = (lab.path / LOG).read_bytes()
    given = json.dumps(a_run("planning_two_20251101", 1), separators=(",", ":")).replace("0.0001", "1e-4")
    result = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=given.encode())
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"appended to {LOG}: line 2\n")
    assert "✓ accuracy" in result.out
    assert (lab.path / LOG).read_bytes() == before + given.encode() + b"\n"
    assert lab.check().code == 0


def test_the_json_says_what_check_says_and_what_was_done(lab: Repo) -> None:
    result = append(lab, edited(a_run("planning_two_20251101", 1), final_metrics__accuracy=0.5))
    lab.git("add", "-A")
    checked = lab.check("--staged")
    assert result.code == 0
    assert [f["criterion"] for f in result.findings] == ["accuracy"]
    assert result.findings == checked.findings
    assert result.json["verdicts"] == checked.json["verdicts"]
    assert result.json["append"] == {
        "log": LOG, "written": True, "lines": [2], "already": [], "filled": [], "torn": None, "finished": 0,
    }  # fmt: skip


@pytest.mark.parametrize("how", ["rows", "indented", "file", "crlf", "blank lines"])
def test_entries_come_on_rows_or_indented_or_in_files(lab: Repo, how: str) -> None:
    two, three = a_run("planning_two_20251101", 1), a_run("planning_three_20251101", 2)
    if how == "indented":
        result = gate("append", LOG, "-", cwd=lab.path, env=lab.env, stdin=json.dumps(two, indent=2).encode())
        assert (result.code, names(lab)) == (0, ["one", "two"])
        return
    data = lines(two, three)
    if how == "crlf":
        data = data.replace(b"\n", b"\r\n")
    if how == "blank lines":
        data = b"\n" + data.replace(b"\n", b"\n\n")
    (lab.path / "run.json").write_bytes(data)
    files = ["run.json"] if how == "file" else []
    result = gate("append", LOG, *files, cwd=lab.path, env=lab.env, stdin=data)
    assert (result.code, names(lab)) == (0, ["one", "two", "three"])
    assert b"\r" not in (lab.path / LOG).read_bytes()


def test_several_files_are_joined_by_time(lab: Repo) -> None:
    for number, name in ((3, "late"), (1, "early"), (2, "middle")):
        lab.write(f"out/{name}/run.jsonl", [a_run(f"planning_{name}_20251101", number)])
    files = [f"out/{name}/run.jsonl" for name in ("late", "early", "middle")]
    result = gate("append", LOG, *files, "--by-time", cwd=lab.path, env=lab.env)
    assert result.code == 0, result
    assert names(lab) == ["one", "early", "middle", "late"]


def test_a_new_log_is_made_and_an_empty_one_is_begun(lab: Repo) -> None:
    (lab.path / "sweep").mkdir()
    result = append(lab, a_run("planning_two_20251101", 1), log="sweep/training_log.jsonl")
    assert (result.code, names(lab, "sweep/training_log.jsonl")) == (0, ["two"])
    (lab.path / "other").mkdir()
    (lab.path / "other/training_log.jsonl").touch()
    result = append(lab, a_run("planning_three_20251101", 2), log="other/training_log.jsonl")
    assert (result.code, names(lab, "other/training_log.jsonl")) == (0, ["three"])


def test_a_dry_run_judges_and_writes_nothing(lab: Repo) -> None:
    before = (lab.path / LOG).read_bytes()
    result = append(lab, a_run("planning_two_20251101", 1), options=("--dry-run",))
    assert (result.code, result.json["append"]["written"]) == (0, False)
    assert result.json["summary"]["checked"] == 1
    assert append(lab, a_run("planning_one_20251101", 1), options=("--dry-run",)).code == 1
    assert (lab.path / LOG).read_bytes() == before


def test_quiet_prints_nothing_where_nothing_is_found(lab: Repo) -> None:
    run = lines(a_run("planning_two_20251101", 1))
    result = gate("append", "-q", LOG, cwd=lab.path, env=lab.env, stdin=run)
    assert (result.code, result.out, result.err) == (0, "", "")


def test_a_program_that_takes_its_time_is_waited_for(lab: Repo) -> None:
    code = """
import sys, nsm_gate.commands.watch as watch
from nsm_gate.__main__ import program
watch._BEFORE_IT_IS_TOLD = 4
sys.argv = ["nsm-gate", "append", sys.argv[1]]
sys.exit(program())
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, LOG], cwd=lab.path, env=lab.env, stdin=subprocess.PIPE
    ) as command:
        time.sleep(2)
        command.communicate(lines(a_run("planning_two_20251101", 1)))
    assert (command.returncode, names(lab)) == (0, ["one", "two"])


# --- what is filled in --------------------------------------------------------------------------------


def test_the_time_is_filled_in_in_utc(lab: Repo) -> None:
    run = edited(a_run("planning_two_20251101", 1), entry__timestamp=...)
    result = append(lab, run)
    assert (result.code, result.json["append"]["filled"]) == (0, ["/timestamp"])
    assert list(logged(lab)[1]) == ["timestamp", "run_data"]
    assert logged(lab)[1] == {"timestamp": "2026-06-01T12:00:00Z", **run}
    assert append(lab, edited(run, run_id="planning_three_20251101", entry__timestamp=None)).code == 0
    assert logged(lab)[2]["timestamp"] == "2026-06-01T12:00:00Z"


def test_branch_and_commit_of_a_baseline_come_from_git(lab: Repo) -> None:
    baseline = edited(a_baseline("3level_attention"), branch=..., commit=None, timestamp=...)
    result = append(lab, baseline, log="baselines.jsonl")
    assert result.code == 0, result.out
    assert result.json["append"]["filled"] == ["/timestamp", "/branch", "/commit"]
    entry = logged(lab, "baselines.jsonl")[1]
    assert (entry["branch"], entry["commit"]) == ("main", lab.git("rev-parse", "--short=7", "HEAD"))


def test_what_git_does_not_know_is_not_made_up(lab: Repo, tmp_path: Path) -> None:
    baseline = edited(a_baseline("3level_attention"), branch=..., commit=...)
    lab.git("checkout", "-q", "--detach")
    result = append(lab, baseline, log="baselines.jsonl")
    assert (result.code, said(result)) == (1, ["schema: branch is absent"])
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    result = gate("append", "baselines.jsonl", "--output-format", "json", cwd=folder, stdin=lines(baseline))
    assert (result.code, sorted(said(result))) == (
        1,
        ["schema: branch is absent", "schema: commit is absent"],
    )
    assert not list(folder.iterdir())


def test_a_given_branch_is_left_alone(lab: Repo) -> None:
    result = append(lab, a_baseline("3level_attention", commit="1234567"), log="baselines.jsonl")
    assert (result.code, result.json["append"]["filled"]) == (0, [])
    assert logged(lab, "baselines.jsonl")[1]["commit"] == "1234567"


# --- once and again -----------------------------------------------------------------------------------


def test_the_same_entry_again_is_success_and_is_not_written_twice(lab: Repo) -> None:
    run = a_run("planning_two_20251101", 1)
    assert append(lab, run).code == 0
    before = (lab.path / LOG).read_bytes()
    again = append(lab, {"run_data": dict(reversed(run["run_data"].items())), "timestamp": run["timestamp"]})
    assert (again.code, again.json["append"]["lines"], again.json["append"]["already"]) == (0, [2], [2])
    assert (lab.path / LOG).read_bytes() == before
    text = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=lines(run))
    assert text.out.endswith(f"already in {LOG}: line 2\n")


def test_what_was_filled_in_does_not_count_when_a_retry_is_compared(lab: Repo) -> None:
    run = edited(a_run("planning_two_20251101", 1), entry__timestamp=...)
    assert append(lab, run).code == 0
    later = NOW + timedelta(hours=1)
    assert append(lab, run, now=later).json["append"]["already"] == [2]
    baseline = edited(a_baseline("3level_attention"), branch=..., commit=..., timestamp=...)
    assert append(lab, baseline, log="baselines.jsonl").code == 0
    lab.commit("the retry comes after a commit")
    assert append(lab, baseline, log="baselines.jsonl", now=later).json["append"]["already"] == [2]
    assert len(logged(lab, "baselines.jsonl")) == 2


def test_other_content_under_the_same_key_is_refused(lab: Repo) -> None:
    before = (lab.path / LOG).read_bytes()
    for changes in ({"best_val_accuracy": 0.6}, {"entry__timestamp": "2025-11-01T00:00:32Z"}, {"pid": 1}):
        result = append(lab, edited(a_run("planning_one_20251101"), **changes))
        assert result.code == 1
        assert said(result) == ["duplicate-run: run_id 'planning_one_20251101' already used on line 1"]
    assert (lab.path / LOG).read_bytes() == before


def test_one_and_true_are_not_the_same_content(lab: Repo) -> None:
    run = edited(a_run("planning_two_20251101", 1), hyperparameters__warmup=1)
    assert append(lab, run).code == 0
    assert append(lab, edited(run, hyperparameters__warmup=1.0)).json["append"]["already"] == [2]
    assert append(lab, edited(run, hyperparameters__warmup=True)).code == 1


def test_the_keys_of_every_log_of_the_kind_count(lab: Repo) -> None:
    (lab.path / "sweep").mkdir()
    result = append(lab, a_run("planning_one_20251101"), log="sweep/training_log.jsonl")
    assert result.code == 1
    assert said(result) == [f"duplicate-run: run_id 'planning_one_20251101' already used on line 1 of {LOG}"]
    assert not (lab.path / "sweep/training_log.jsonl").exists()


def test_a_running_run_is_ended_and_a_wrong_one_is_corrected(lab: Repo) -> None:
    run = a_run("planning_two_20251101", 1)
    running = edited(run, status="running", final_metrics=None, best_val_accuracy=None, findings=None)
    assert append(lab, running).code == 0
    assert append(lab, run).code == 0
    assert append(lab, running).json["append"]["already"] == [2]
    right = edited(run, corrects="planning_two_20251101", reason="it was scored on the wrong split")
    assert append(lab, right).code == 0
    assert [entry["run_data"]["status"] for entry in logged(lab)] == ["completed", "running"] + [
        "completed"
    ] * 2


def test_many_entries_are_all_or_nothing(lab: Repo) -> None:
    good, bad = (
        a_run("planning_two_20251101", 1),
        edited(a_run("planning_three_20251101", 2), findings="TODO"),
    )
    before = (lab.path / LOG).read_bytes()
    result = append(lab, good, bad)
    assert result.code == 1
    assert [(f["rule"], f["line"]) for f in result.findings] == [("missing-findings", 3)]
    assert (lab.path / LOG).read_bytes() == before
    assert append(lab, good, a_run("planning_one_20251101"), good).json["append"]["lines"] == [2, 1, 2]
    assert names(lab) == ["one", "two"]


# --- what is refused ------------------------------------------------------------------------------------


def test_what_check_refuses_is_refused_with_the_same_findings(lab: Repo) -> None:
    bad = edited(
        a_run("planning_two_20251101", 1), findings="TODO", start_time="2025-11-03T12:15:00+02:00",
        hyperparameters__seed=..., experiment_type="domain_exploratio",
    )  # fmt: skip
    result = append(lab, bad)
    before = (lab.path / LOG).read_bytes()
    lab.append(LOG, bad)
    lab.git("add", "-A")
    checked = lab.check("--staged")
    assert (result.code, checked.code) == (1, 1)
    assert len(result.findings) >= 4
    # What is in the log can be mended there, and check says how; what is refused is not in it.
    assert [{**f, "hint": "", "fix": None} for f in result.findings] == [
        {**f, "hint": "", "fix": None} for f in checked.findings
    ]
    for refused, found in zip(result.findings, checked.findings, strict=True):
        assert found["hint"].startswith(refused["hint"])
        assert refused["fix"] is None
    lab.write(LOG, before)
    text = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=lines(bad))
    assert "nothing was appended" in text.out.split("\n")[-2]


def test_fail_on_decides_from_where_on_entries_are_refused(lab: Repo) -> None:
    missed = edited(a_run("planning_two_20251101", 1), final_metrics__accuracy=0.5, best_val_accuracy=0.5)
    assert append(lab, missed, options=("--fail-on", "warning")).code == 1
    assert names(lab) == ["one"]
    assert append(lab, missed).code == 0
    bad = edited(a_run("planning_three_20251101", 2), findings="TODO")
    assert append(lab, bad, options=("--fail-on", "never")).code == 0
    assert names(lab) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        (b"[1, 2]", "invalid-json", "line holds an array, not an object"),
        (b"17", "invalid-json", "line holds a bare value, not an object"),
        (b'{"a": 1, "a": 2}', "duplicate-member", "member 'a' appears twice"),
        (b'{"a": [1, {"b": NaN}]}', "invalid-json", "/a/1/b is NaN, which is not JSON"),
        (b'{"a": -Infinity}', "invalid-json", "/a is infinite, which is not JSON"),
        (b'{"a": 1e999}', "invalid-json", "/a is infinite, which is not JSON"),
        (b'{\n  "a": "two\n rows"\n}', "invalid-json", "control character U+000D in a string"),
        (b'{\n  "a": oops\n}', "invalid-json", "'oops' is not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "invalid-json", "line begins with a byte order mark"),
        (b"{'a': 1}", "invalid-json", '"\'" where a member name belongs'),
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused_by_name(lab: Repo, text: bytes, rule: str, message: str) -> None:
    before = (lab.path / LOG).read_bytes()
    result = gate("append", LOG, "--output-format", "json", cwd=lab.path, env=lab.env, stdin=text)
    assert (result.code, said(result)) == (1, [f"{rule}: {message}"])
    assert (lab.path / LOG).read_bytes() == before


def test_a_line_that_would_break_the_log_is_refused_whatever_the_severities_say(lab: Repo) -> None:
    lab.write("nsm-gate.yaml", "severity: {invalid-json: ignore, not-a-log: ignore}\n")
    before = (lab.path / LOG).read_bytes()
    for text in (b'{"a": NaN}', b'{"a": 1', b"[1]"):
        for options in ((), ("--fail-on", "never")):
            result = gate("append", LOG, *options, cwd=lab.path, env=lab.env, stdin=text)
            assert result.code == 2, text
            assert "error: " + LOG in result.err
    assert (lab.path / LOG).read_bytes() == before


def test_an_entry_over_the_limit_is_refused(lab: Repo) -> None:
    lab.write("nsm-gate.yaml", "limits: {line: 4KiB}\n")
    result = append(lab, edited(a_run("planning_two_20251101", 1), findings="long " * 1000))
    assert result.code == 1
    assert "over the limit of 4,096" in said(result)[0]


@pytest.mark.parametrize("data", [b"", b" \n\n"])
def test_no_entry_at_all_is_an_error(lab: Repo, data: bytes) -> None:
    result = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=data)
    assert (result.code, result.out) == (2, "")
    assert "no entry was given" in result.err


# --- logs that cannot be written ------------------------------------------------------------------------


def test_a_missing_folder_a_folder_a_link_and_a_foreign_name_are_errors(lab: Repo, tmp_path: Path) -> None:
    (lab.path / "real").mkdir()
    (lab.path / "real/training_log.jsonl").symlink_to(lab.path / LOG)
    (lab.path / "dangling").mkdir()
    (lab.path / "dangling/training_log.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(lab.path / "real/baselines.jsonl")
    before = (lab.path / LOG).read_bytes()
    for log, fact in (
        ("nowhere/training_log.jsonl", "its folder does not exist"),
        ("experiments", "is a folder"),
        ("", "is a folder"),
        ("real/training_log.jsonl", "the log is a symbolic link"),
        ("dangling/training_log.jsonl", "the log is a symbolic link"),
        ("real/baselines.jsonl", "not a regular file"),
        ("experiments/runs.jsonl", "is not claimed by any log kind"),
    ):
        result = append(lab, a_run("planning_two_20251101", 1), log=log)
        assert (result.code, result.json["error"]["message"]) == (2, fact), log
        assert f"nsm-gate: error: {log and log + ': '}{fact}" in result.err
    assert (lab.path / LOG).read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_a_log_that_git_has_and_the_disk_has_not_is_an_error(lab: Repo) -> None:
    (lab.path / LOG).unlink()
    result = append(lab, a_run("planning_two_20251101", 1))
    assert (result.code, result.json["error"]["message"]) == (2, "the log is deleted, but git has it")
    lab.git("checkout", "-q", "--", LOG)
    lab.git("sparse-checkout", "set", "--no-cone", "/baselines.jsonl")
    assert not (lab.path / LOG).exists()
    (lab.path / "experiments").mkdir(exist_ok=True)
    result = append(lab, a_run("planning_two_20251101", 1))
    assert result.json["error"]["message"] == "the log is left out of this sparse checkout"
    assert not (lab.path / LOG).exists()


def test_a_pointer_of_git_lfs_is_an_error(lab: Repo) -> None:
    lab.write(LOG, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    result = append(lab, a_run("planning_two_20251101", 1))
    assert (result.code, result.json["error"]["message"]) == (2, "the log is a Git LFS pointer")


def test_a_log_over_the_limit_is_an_error(lab: Repo) -> None:
    lab.write("nsm-gate.yaml", "limits: {file: 4KiB}\n")
    lab.write(LOG, [a_run(f"planning_n{i}_20251101", i) for i in range(9)])
    result = append(lab, a_run("planning_two_20251101", 1))
    assert (result.code, result.json["error"]["message"][-23:]) == (2, "over the limit of 4,096")


def test_a_log_does_not_grow_over_the_limit(lab: Repo) -> None:
    lab.write("nsm-gate.yaml", "limits: {file: 1KiB}\n")
    before = (lab.path / LOG).read_bytes()
    result = append(lab, a_run("planning_two_20251101", 1))
    assert (result.code, result.json["error"]["path"]) == (2, LOG)
    assert "over the limit of 1,024" in result.json["error"]["message"]
    assert (lab.path / LOG).read_bytes() == before


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Let nobody write to a file, root neither; skip where the file system has no such attribute."""
    if subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("the file system keeps no attributes, or this user may not set them")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


def test_a_read_only_log_is_an_error_and_stays_as_it_was(lab: Repo) -> None:
    before = (lab.path / LOG).read_bytes()
    with immutable(lab.path / LOG):
        result = append(lab, a_run("planning_two_20251101", 1))
    assert result.code == 2
    assert result.json["error"]["message"].startswith("cannot be opened for writing: ")
    with immutable(lab.path / "experiments"):
        result = append(lab, a_run("planning_two_20251101", 1), log="experiments/baselines.jsonl")
    assert result.code in (1, 2)
    assert (lab.path / LOG).read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_an_error(lab: Repo) -> None:
    (lab.path / "sweep").mkdir()
    with immutable(lab.path / "sweep"):
        result = append(lab, a_run("planning_two_20251101", 1), log="sweep/training_log.jsonl")
    assert (result.code, result.json["error"]["path"]) == (2, "sweep/training_log.jsonl")
    assert not list((lab.path / "sweep").iterdir())


def test_a_missing_git_is_an_error_where_there_is_a_repository(lab: Repo) -> None:
    env = {**lab.env, "PATH": str(lab.path)}
    run = lines(a_run("planning_two_20251101", 1))
    result = gate("append", LOG, cwd=lab.path, env=env, stdin=run)
    assert (result.code, names(lab)) == (2, ["one"])
    assert "git is not installed" in result.err
    lab.write("nsm-gate.yaml", "extends: nsm\n")
    result = gate("append", LOG, "--config", "nsm-gate.yaml", cwd=lab.path, env=env, stdin=run)
    assert (result.code, names(lab)) == (0, ["one", "two"])


# --- the end of a log ------------------------------------------------------------------------------------


def test_a_torn_last_line_is_moved_aside_and_never_lost(lab: Repo) -> None:
    whole = (lab.path / LOG).read_bytes()
    torn = lines(a_run("planning_torn_20251101", 1))[:150]
    lab.write(LOG, whole + torn)
    result = append(lab, a_run("planning_two_20251101", 2))
    assert (result.code, result.json["append"]["torn"]) == (0, f"{LOG}.torn")
    assert names(lab) == ["one", "two"]
    assert (lab.path / f"{LOG}.torn").read_bytes() == torn + b"\n"
    lab.write(LOG, (lab.path / LOG).read_bytes() + b'{"again')
    text = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=lines(a_run("planning_three_20251101", 3)))
    assert f"moved a torn last line of {LOG} to {LOG}.torn" in text.out
    assert (lab.path / f"{LOG}.torn").read_bytes() == torn + b'\n{"again\n'
    lab.git("add", LOG)
    assert lab.check("--staged").code == 0


def test_a_torn_last_line_stays_where_nothing_is_appended(lab: Repo) -> None:
    lab.write(LOG, (lab.path / LOG).read_bytes() + b'{"torn')
    before = (lab.path / LOG).read_bytes()
    assert append(lab, edited(a_run("planning_two_20251101", 2), findings="TODO")).code == 1
    assert append(lab, a_run("planning_one_20251101")).json["append"]["already"] == [1]
    assert (lab.path / LOG).read_bytes() == before
    assert not (lab.path / f"{LOG}.torn").exists()


def test_a_whole_last_record_without_its_newline_gets_it(lab: Repo) -> None:
    lab.write(LOG, (lab.path / LOG).read_bytes().rstrip(b"\n"))
    assert append(lab, a_run("planning_one_20251101")).json["append"]["already"] == [1]
    result = append(lab, a_run("planning_two_20251101", 2))
    assert (result.code, result.json["append"]["torn"], names(lab)) == (0, None, ["one", "two"])


def test_a_log_that_is_nothing_but_a_torn_line(lab: Repo) -> None:
    lab.write(LOG, b'{"timestamp": "2025')
    result = append(lab, a_run("planning_two_20251101", 2))
    assert (result.code, names(lab)) == (0, ["two"])
    assert (lab.path / f"{LOG}.torn").read_bytes() == b'{"timestamp": "2025\n'


def test_old_lines_that_would_not_pass_are_left_alone(lab: Repo) -> None:
    old = b'not json\n\n{"timestamp": 1}\r\n' + (lab.path / LOG).read_bytes()
    lab.write(LOG, old)
    assert append(lab, a_run("planning_two_20251101", 2)).code == 0
    assert (lab.path / LOG).read_bytes().startswith(old)


# --- the Python API --------------------------------------------------------------------------------------


@pytest.fixture
def here(lab: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Work in the repository, with its environment."""
    for name, value in lab.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(lab.path)
    return lab


def test_the_api_appends_one_entry_or_many(here: Repo) -> None:
    made = nsm_gate.append(LOG, a_run("planning_two_20251101", 1))
    assert (made.path, made.lines, made.new, made.written) == (LOG, (2,), [2], True)
    assert {verdict.outcome.value for verdict in made.report.verdicts} == {"met"}
    made = nsm_gate.append(
        here.path / LOG, (a_run(f"planning_{n}_20251101", i) for i, n in enumerate(("two", "three"), 1))
    )
    assert (made.lines, sorted(made.already), made.new) == ((2, 3), [2], [3])
    assert nsm_gate.append(LOG, [a_run("planning_four_20251101", 4)]).lines == (4,)
    assert names(here) == ["one", "two", "three", "four"]


def test_the_api_gives_back_what_was_filled_in(here: Repo) -> None:
    run = edited(a_run("planning_two_20251101", 1), entry__timestamp=...)
    began = datetime.now(timezone.utc)
    made = nsm_gate.append(LOG, run)
    assert made.filled == ("/timestamp",)
    assert began <= datetime.fromisoformat(str(made.entries[0]["timestamp"]).replace("Z", "+00:00"))
    assert "timestamp" not in run
    assert nsm_gate.append(LOG, run).already == {2}


def test_the_api_refuses_with_the_findings_of_the_command(here: Repo) -> None:
    bad = edited(a_run("planning_two_20251101", 1), findings="TODO", hyperparameters__seed=...)
    with pytest.raises(nsm_gate.EntryRefused) as caught:
        nsm_gate.append(LOG, bad)
    of_command = append(here, bad).findings
    assert [(f.rule, f.line, f.message, f.pointer) for f in caught.value.report.findings] == [
        (f["rule"], f["line"], f["message"], f["pointer"]) for f in of_command
    ]
    assert str(caught.value).startswith(f"nothing was appended to {LOG}: 2 findings\n  {LOG}:2:")
    assert names(here) == ["one"]
    with pytest.raises(nsm_gate.GateError, match="no entry was given"):
        nsm_gate.append(LOG, [])
    with pytest.raises(nsm_gate.GateError, match="its folder does not exist"):
        nsm_gate.append("nowhere/training_log.jsonl", bad)
    with pytest.raises(ValueError, match="fail_on is error"):
        nsm_gate.append(LOG, bad, fail_on="fatal")


def test_broken_rules_are_one_error_of_the_api(here: Repo) -> None:
    here.write("nsm-gate.yaml", "limits: {line: many, file: much}\n")
    with pytest.raises(nsm_gate.GateError, match=r"many(.|\n)*much"):
        nsm_gate.append(LOG, a_run("planning_two_20251101", 1))


@pytest.mark.parametrize("entry", ["text", 3, None, [1], ["{}"], b'{"a": 1}'])
def test_what_is_no_object_is_refused_by_the_api(here: Repo, entry: object) -> None:
    with pytest.raises(nsm_gate.EntryRefused, match=r"not an object|is bytes"):
        nsm_gate.append(LOG, entry)


def test_the_api_is_imported_when_it_is_asked_for(tmp_path: Path) -> None:
    code = """
import sys, nsm_gate
assert not [name for name in sys.modules if name.startswith('nsm_gate.')], sys.modules
assert {'append', 'run', 'Appended', 'EntryRefused', 'GateError', 'Run'} <= set(dir(nsm_gate))
from nsm_gate import append, run
assert nsm_gate.append is append
try:
    nsm_gate.appendix
except AttributeError as error:
    assert 'appendix' in str(error)
else:
    raise SystemExit('no error')
"""
    env = {**environment(tmp_path), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)


# --- anything at all ---------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, number=st.integers(0, 10**9))
def test_whatever_json_holds_comes_back_as_it_was(here: Repo, value: Any, number: int) -> None:
    run = edited(a_run(f"planning_x{number}_20251101", 1), dataset_config__domain_params={"x": value})
    (here.path / LOG).write_bytes(b"")
    nsm_gate.append(LOG, run)
    assert logged(here) == [run]
    assert nsm_gate.append(LOG, run).already == {1}
    assert (
        gate("append", LOG, cwd=here.path, env=here.env, stdin=json.dumps(run, indent=1).encode()).code == 0
    )
    assert logged(here) == [run]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=60) | st.text('{}[]":,\n\r 1eE+-.NaIntrue\\u0\x00', max_size=60).map(str.encode)
)
def test_whatever_comes_in_is_refused_and_the_log_stays(lab: Repo, data: bytes) -> None:
    before = (lab.path / LOG).read_bytes()
    result = gate("append", LOG, cwd=lab.path, env=lab.env, stdin=data)
    assert result.code in (1, 2)
    assert "internal error" not in result.err
    assert (lab.path / LOG).read_bytes() == before
