"""The main job, as users meet it: commit, check, read."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.cli import main
from tests.support import (
    NOW,
    SHARED,
    Repo,
    a_baseline,
    a_run,
    check,
    edited,
    environment,
    gate,
    gate_process,
    lines,
)

LOGS = SHARED / "logs"
needs_logs = pytest.mark.skipif(not LOGS.is_dir(), reason="the real logs are not beside the project")


@pytest.fixture
def real(tmp_path: Path) -> Repo:
    """Return a repository in which the real logs are committed."""
    repo = Repo.init(tmp_path / "nsm")
    (repo.path / "experiments").mkdir()
    shutil.copy(LOGS / "training_log.jsonl", repo.path / "experiments")
    shutil.copy(LOGS / "baselines.jsonl", repo.path)
    repo.commit("Log")
    return repo


@needs_logs
def test_the_real_training_log_is_judged_as_its_readers_judged_it(real: Repo) -> None:
    result = real.check("--all", "experiments")
    assert result.code == 1
    errors = [(f["rule"], f["line"]) for f in result.findings if f["severity"] == "error"]
    assert errors == [("missing-findings", 1), ("missing-findings", 2), ("missing-findings", 3)]
    warnings: dict[str, list[int]] = {}
    for finding in result.findings:
        if finding["severity"] == "warning" and finding["criterion"] is None:
            warnings.setdefault(finding["rule"], []).append(finding["line"])
    assert warnings == {
        "missing-experiment-type": [1, 2, 3],
        "timestamp-naive": [1, 2, 3, 4, 5, 6, 7],
        "class-collapse": [4, 5, 7],
        "impossible-metric": [4, 5, 6, 7],
    }
    verdicts = {(v["line"], v["criterion"]): v for v in result.json["verdicts"]}
    accuracy = [verdicts[line, "accuracy"] for line in (4, 5, 6, 7)]
    assert [(v["outcome"], v["observed"], v["expected"]) for v in accuracy] == [
        ("missed", 0.435, "> 0.50"),
        ("missed", 0.435, "> 0.50"),
        ("missed", 0.4125, "> 0.50"),
        ("missed", 0.435, "> 0.50"),
    ]
    assert accuracy[0]["margin"] == -0.065
    assert accuracy[0]["explanation"] == (
        "accuracy 0.435 is not > 0.50 (short by 0.065, 2.7 standard errors at n=429)"
    )
    assert {verdicts[line, "balance_delta"]["outcome"] for line in (4, 5, 6, 7)} == {"missed"}
    assert {verdicts[line, "cycle_loss"]["outcome"] for line in (4, 5, 6, 7)} == {"met"}
    fusion = [verdicts[line, "fusion_effectiveness"] for line in (4, 5, 6, 7)]
    assert [v["outcome"] for v in fusion] == ["not-applicable", "missed", "met", "missed"]
    assert fusion[2]["observed"] == {
        "balance_delta": 0.7244939477164073,
        "single_pass.balance_delta": 0.9898280948021564,
    }
    assert fusion[2]["reference"]["run"] == "baseline_single_pass_20251021"


@needs_logs
def test_the_real_baselines_are_judged_as_their_readers_judged_them(real: Repo) -> None:
    result = real.check("--all", "baselines.jsonl")
    assert result.code == 0
    others = [(f["rule"], f["line"], f["severity"]) for f in result.findings if f["criterion"] is None]
    assert others == [("timestamp-order", 2, "warning")]
    outcomes = {
        name: [v["outcome"] for v in result.json["verdicts"] if v["criterion"] == name]
        for name in ("accuracy", "balance_delta", "cycle_loss")
    }
    assert outcomes == {
        "accuracy": ["missed", "missed", "missed"],
        "balance_delta": ["met", "met", "missed"],
        "cycle_loss": ["missed", "missed", "met"],
    }


@needs_logs
def test_a_good_run_passes_although_the_old_lines_would_not(real: Repo) -> None:
    real.append("experiments/training_log.jsonl", a_run())
    real.git("add", "-A")
    result = real.check("--staged")
    assert (result.code, result.findings) == (0, [])
    assert {v["outcome"] for v in result.json["verdicts"]} == {"met"}
    assert [(log["path"], log["appended"]) for log in result.json["logs"]] == [
        ("baselines.jsonl", 0),
        ("experiments/training_log.jsonl", 1),
    ]


LOG = "experiments/training_log.jsonl"


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """Return a repository with two logged runs."""
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, [a_run("planning_one_20251101", 0), a_run("planning_two_20251101", 1)])
    repo.write("baselines.jsonl", [a_baseline()])
    repo.commit("Log two runs")
    return repo


def staged(repo: Repo, *entries: object) -> list[dict[str, object]]:
    """Append entries, stage them, and return the findings; the exit code is 1 with them."""
    repo.append(LOG, *entries)
    repo.git("add", "-A")
    result = repo.check("--staged")
    assert result.code == int(any(f["severity"] == "error" for f in result.findings))
    return result.findings


def at(repo: Repo, finding: dict[str, object]) -> str:
    """Return the text that a finding's columns stand for."""
    line = (repo.path / LOG).read_text(encoding="utf-8").split("\n")[int(str(finding["line"])) - 1]
    return line[int(str(finding["column"])) - 1 : int(str(finding["end_column"])) - 1]


def test_a_reused_run_id_is_refused_where_it_stands(lab: Repo) -> None:
    (finding,) = staged(lab, a_run("planning_one_20251101", 2))
    assert (finding["rule"], finding["line"], finding["severity"]) == ("duplicate-run", 3, "error")
    assert finding["message"] == "run_id 'planning_one_20251101' already used on line 1"
    assert at(lab, finding) == '"planning_one_20251101"'


def test_an_edited_old_line_is_refused_and_the_value_is_named(lab: Repo) -> None:
    text = (lab.path / LOG).read_text().replace('"cycle_loss": 0.5', '"cycle_loss": 0.4', 1)
    lab.write(LOG, text)
    lab.git("add", "-A")
    result = lab.check("--staged")
    (finding,) = result.findings
    assert result.code == 1
    assert (finding["rule"], finding["line"], finding["run"]) == (
        "history-rewritten",
        1,
        "planning_one_20251101",
    )
    assert finding["message"] == "run_data.final_metrics.cycle_loss was 0.5, is now 0.4"
    assert finding["pointer"] == "/run_data/final_metrics/cycle_loss"
    assert at(lab, finding) == "0.4"


def test_a_local_time_is_refused_and_the_hint_is_the_same_instant_in_utc(lab: Repo) -> None:
    (finding,) = staged(
        lab, edited(a_run("planning_three_20251101", 2), start_time="2025-11-01T02:02:00+02:00")
    )
    assert (finding["rule"], finding["line"]) == ("timestamp-not-utc", 3)
    assert finding["hint"] == "write it in UTC: 2025-11-01T00:02:00Z"
    assert at(lab, finding) == '"2025-11-01T02:02:00+02:00"'


def test_missing_findings_are_refused(lab: Repo) -> None:
    (finding,) = staged(lab, edited(a_run("planning_three_20251101", 2), findings=...))
    assert (finding["rule"], finding["line"], finding["severity"]) == ("missing-findings", 3, "error")
    assert finding["pointer"] == "/run_data/findings"


def test_a_missed_criterion_passes_with_a_warning_and_its_verdict(lab: Repo) -> None:
    (finding,) = staged(lab, edited(a_run("planning_three_20251101", 2), final_metrics__cycle_loss=0.9))
    assert (finding["rule"], finding["severity"], finding["criterion"]) == (
        "criterion-missed", "warning", "cycle_loss",
    )  # fmt: skip
    assert finding["message"] == "cycle_loss 0.9 is not < 0.80 (over by 0.1)"
    assert at(lab, finding) == "0.9"


def test_a_running_run_is_completed_by_a_later_line(lab: Repo) -> None:
    running = edited(
        a_run("planning_three_20251101", 2),
        status="running", findings=..., final_metrics=..., end_time=..., training_time_seconds=...,
        best_val_accuracy=..., goal_achievement_rate=..., temporal_ordering_acc=...,
    )  # fmt: skip
    assert staged(lab, running) == []
    lab.commit("Start")
    assert staged(lab, a_run("planning_three_20251101", 3)) == []
    lab.commit("Complete")
    (finding,) = staged(lab, a_run("planning_three_20251101", 4))
    assert finding["rule"] == "duplicate-run"


def test_fail_on_decides_the_exit_code_and_nothing_else(lab: Repo) -> None:
    lab.append(LOG, edited(a_run("planning_three_20251101", 2), final_metrics__cycle_loss=0.9))
    codes = {level: lab.check("--fail-on", level).code for level in ("error", "warning", "notice", "never")}
    assert codes == {"error": 0, "warning": 1, "notice": 1, "never": 0}
    lab.append(LOG, a_run("planning_one_20251101", 3))
    assert lab.check("--fail-on", "never").code == 0


def test_select_and_ignore_choose_rules(lab: Repo) -> None:
    bad = edited(a_run("planning_one_20251101", 2), findings=...)
    lab.append(LOG, bad)
    assert lab.check("--select", "missing-findings").rules() == [("missing-findings", 3)]
    assert lab.check("--ignore", "missing-findings,duplicate-run").rules() == []
    unknown = lab.check("--select", "mising-findings")
    assert (unknown.code, unknown.json["error"]["message"]) == (2, "no rule is called 'mising-findings'")


def test_nothing_new_is_clean_and_says_so(lab: Repo) -> None:
    result = gate("check", cwd=lab.path, env=lab.env)
    assert result.code == 0
    assert f"{LOG} · 0 appended lines" in result.out
    assert "no appended line to judge" in result.out


def test_a_repository_without_a_log_says_that_there_is_none(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("README.md", "hello")
    repo.commit()
    result = gate("check", cwd=repo.path, env=repo.env)
    assert result.code == 0
    assert "no log was found" in result.out
    assert "passed" not in result.out


def test_it_runs_as_a_process_with_the_real_clock(lab: Repo) -> None:
    lab.append(LOG, edited(a_run("planning_three_20251101", 2), entry__timestamp="2999-01-01T00:00:00Z"))
    result = gate_process("check", "--output-format", "concise", cwd=lab.path, env=lab.env)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith(f"{LOG}:3:15: error timestamp-future ")


def test_several_formats_come_from_one_run(lab: Repo) -> None:
    lab.append(LOG, a_run("planning_one_20251101", 2))
    wanted = [
        part for fmt in ("concise", "json:out.json", "github:gh.txt") for part in ("--output-format", fmt)
    ]
    result = gate("check", *wanted, cwd=lab.path, env=lab.env)
    assert result.code == 1
    assert "duplicate-run" in result.out
    assert '"rule": "duplicate-run"' in (lab.path / "out.json").read_text()
    assert (lab.path / "gh.txt").read_text().startswith("::error file=experiments/training_log.jsonl,line=3,")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--output-format", "xml"), "no output format is called 'xml'"),
        (
            ("--output-format", "json:nowhere/x.json"),
            "nowhere/x.json: the folder of the output does not exist",
        ),
        (("--output-format", "json", "--output-format", "text"), "two output formats go to standard output"),
        (("--fail-on", "sometimes"), "invalid choice: 'sometimes'"),
        (("--base", "main", "--all"), "not allowed with argument"),
        (("nowhere.jsonl",), "nowhere.jsonl: no such file in the work tree"),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
    ],
)
def test_wrong_usage_is_exit_2_with_the_reason(args: tuple[str, ...], message: str, lab: Repo) -> None:
    result = gate("check", *args, cwd=lab.path, env=lab.env)
    assert result.code == 2
    assert message in result.err


def test_an_unwritable_output_is_exit_2(lab: Repo) -> None:
    (lab.path / "taken").mkdir()
    result = gate("check", "--output-format", "json:taken", cwd=lab.path, env=lab.env)
    assert result.code == 2
    assert "taken: cannot be written" in result.err


def test_a_bug_is_exit_2_and_no_traceback(lab: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("nsm_gate.commands.check.resolve", broken)
    result = gate("check", "--output-format", "json", cwd=lab.path, env=lab.env)
    assert result.code == 2
    assert result.json["error"]["message"].startswith("internal error: RuntimeError: boom")
    assert "Traceback" not in result.err


def test_baselines_are_keyed_by_branch_commit_and_experiment(lab: Repo) -> None:
    lab.append("baselines.jsonl", a_baseline(day=21, commit="0cecbb7"), a_baseline(day=22))
    assert lab.check().rules("duplicate-record") == [("duplicate-run", 3)]


def test_standard_input_is_judged_alone(tmp_path: Path) -> None:
    data = lines(edited(a_run(), findings="short"))
    result = check("-", cwd=tmp_path, stdin=data)
    assert (result.code, result.rules()) == (1, [("missing-findings", 1)])
    assert result.json["logs"][0]["path"] == "<stdin>"
    named = check("-", "--stdin-log", "baselines", cwd=tmp_path, stdin=lines(a_baseline()))
    assert (named.code, named.findings) == (0, [])
    unsure = check("-", cwd=tmp_path, stdin=b'{"a": 1}\n')
    assert unsure.code == 2
    assert "cannot be told" in unsure.json["error"]["message"]


def test_the_clock_is_the_one_that_is_handed_in(tmp_path: Path) -> None:
    later = edited(a_run(), entry__timestamp="2026-06-01T12:05:00Z")
    assert check("-", cwd=tmp_path, stdin=lines(later), now=NOW).rules() == []
    later = edited(later, entry__timestamp="2026-06-01T12:05:01Z")
    assert check("-", cwd=tmp_path, stdin=lines(later), now=NOW).rules() == [("timestamp-future", 1)]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_progress_on_a_terminal_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "training_log.jsonl").write_bytes(
        lines(*(a_run(f"planning_r{n}_20251101", n) for n in range(5)))
    )
    ticks = itertools.count(0.0, 0.7)
    monkeypatch.setattr("nsm_gate.commands.progress.time.monotonic", lambda: next(ticks))
    stdout, terminal, plain = io.StringIO(), _Terminal(), io.StringIO()
    for stderr in (terminal, plain):
        args = ["check", "--all", "--output-format", "json"]
        code = main(args, io.BytesIO(), stdout, stderr, environment(tmp_path), str(tmp_path), lambda: NOW)
        assert code == 0
    # The first second is quiet; the line is cleared at the end.
    assert terminal.getvalue() == "\rjudged 2 lines\rjudged 3 lines\rjudged 4 lines\rjudged 5 lines\r\x1b[K"
    assert plain.getvalue() == ""


@pytest.mark.parametrize(
    ("options", "variables", "terminal", "colored"),
    [
        ((), {}, False, False),
        ((), {}, True, True),
        ((), {"TERM": "dumb"}, True, False),
        ((), {"NO_COLOR": "1"}, True, False),
        ((), {"FORCE_COLOR": "1"}, False, True),
        ((), {"CLICOLOR_FORCE": "1"}, False, True),
        ((), {"CLICOLOR_FORCE": "0", "FORCE_COLOR": ""}, False, False),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (("--color", "always"), {"NO_COLOR": "1"}, False, True),
        (("--color", "never"), {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_follow_the_option_then_the_variables_then_the_terminal(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str], terminal: bool, colored: bool
) -> None:
    (tmp_path / "training_log.jsonl").write_bytes(lines(edited(a_run(), findings="TODO")))
    stdout = _Terminal() if terminal else io.StringIO()
    args = ["check", "--all", *options]
    env = environment(tmp_path, **variables)
    assert main(args, io.BytesIO(), stdout, io.StringIO(), env, str(tmp_path), lambda: NOW) == 1
    assert ("\x1b[" in stdout.getvalue()) == colored


# --- under a hook runner ------------------------------------------------------------------------


def test_a_hook_prints_a_screenful_and_how_much_more_there_is(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("experiments/training_log.jsonl", [a_run()])
    repo.commit()
    bad = [
        edited(a_run(f"planning_r{i}_20251101", i), findings=None, hyperparameters__seed=None)
        for i in range(1, 30)
    ]
    repo.append("experiments/training_log.jsonl", *bad)
    repo.git("add", "-A")
    whole = gate("check", "--staged", cwd=repo.path, env=repo.env)
    hook = gate("check", "--staged", cwd=repo.path, env={**repo.env, "PRE_COMMIT": "1"})
    assert whole.code == hook.code == 1
    rows = hook.out.splitlines()
    assert len(rows) <= 40
    (more,) = [row for row in rows if "more findings and verdicts" in row]
    marks = re.compile(r"    [✗!i?w✓–] ")
    shown = sum(bool(marks.match(row)) for row in rows)
    told = sum(bool(marks.match(row)) for row in whole.out.splitlines())
    assert more.strip().startswith(f"… +{told - shown} more")
    assert rows[-1] == whole.out.splitlines()[-1]
    verbose = gate("check", "--staged", "-v", cwd=repo.path, env={**repo.env, "PRE_COMMIT": "1"})
    assert len(verbose.out.splitlines()) >= len(whole.out.splitlines())


def test_a_short_hook_report_is_whole(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("experiments/training_log.jsonl", [edited(a_run(), findings=None)])
    repo.git("add", "-A")
    whole = gate("check", "--staged", cwd=repo.path, env=repo.env)
    hook = gate("check", "--staged", cwd=repo.path, env={**repo.env, "PRE_COMMIT": "1"})
    assert hook.out == whole.out


def test_half_a_report_is_left_by_nobody(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write(
        "training_log.jsonl", [edited(a_run(f"planning_run{n}_20251101", n), findings="") for n in range(50)]
    )
    (repo.path / "out.json").write_text("{}")
    code = """
import resource, sys
from nsm_gate.__main__ import program
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
sys.argv = ["nsm-gate", "check", "--all", "--output-format", "json:out.json", "--output-format", "jsonl:new.jsonl"]
sys.exit(program())
"""
    # Python keeps a compiled module that it could only write half of.
    env = {**repo.env, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repo.path, env=env, capture_output=True, check=False, text=True
    )
    assert done.returncode == 2
    for name in ("out.json", "new.jsonl"):
        assert f"nsm-gate: error: {name}: cannot be written: File too large" in done.stderr
        assert (repo.path / name).read_bytes() == b""


def test_standard_input_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    handle = os.open("/proc/self/mem", os.O_RDONLY)  # of which nothing stands at its beginning
    done = subprocess.run(
        [sys.executable, "-m", "nsm_gate", "check", "-", "--stdin-log", "training_log"],
        cwd=tmp_path, env=environment(tmp_path), stdin=handle, capture_output=True, check=False, text=True,
    )  # fmt: skip
    os.close(handle)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "nsm-gate: error: <stdin>: cannot be read: Input/output error\n  pipe the lines of a log into it\n"
    )


def test_an_error_of_the_system_that_nobody_expects_is_no_fault_of_the_report(
    tmp_path: Path, monkeypatch: Any
) -> None:
    def lost(*_: object) -> None:
        raise OSError("lost")

    monkeypatch.setattr("nsm_gate.commands.check.execute", lost)
    result = gate("check", "--all", cwd=tmp_path)
    assert result.code == 2
    assert result.err.startswith("nsm-gate: error: internal error: OSError: lost (tests.test_check:")


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    place = tmp_path / "gone"
    place.mkdir()
    code = f"import os, sys; os.rmdir({str(place)!r}); from nsm_gate.__main__ import program; sys.exit(program())"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--all", "--output-format", "json"],
        cwd=place, env=environment(tmp_path), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "nsm-gate: error: the current folder cannot be found: No such file or directory\n"
        "  go to a folder that is there\n"
    )
