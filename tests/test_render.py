"""Every output format, from one shared report that holds hostile text.

The golden files in `tests/render/` were read by a person. NSM_GATE_WRITE_GOLDEN=1 writes them again.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.edits import Edit, Fix
from nsm_gate.model import (
    Excerpt,
    Finding,
    JudgedLog,
    Outcome,
    ReferenceUsed,
    Report,
    Run,
    Severity,
    Verdict,
)
from nsm_gate.nouns import replace
from nsm_gate.render import FORMATS
from nsm_gate.render.style import Style, columns_of
from nsm_gate.render.untrusted import plain
from tests.runner_grammar import github_commands

GOLDEN = Path(__file__).parent / "render"
HOSTILE = "x\n::error::forged\r##[error]old \x1b[31mred\u202e\u2028 | `a` <b> @you % , : end"
LOG = "experiments/training_log.jsonl"


def verdict(criterion: str, outcome: Outcome, line: int = 8, **members: object) -> Verdict:
    base = Verdict(
        path=LOG, line=line, run="dual_pass_20251103", experiment_type="dual_pass_validation", domain="planning",
        criterion=criterion, outcome=outcome, observed=0.612, expected="> 0.50", margin=0.112,
        explanation="accuracy 0.612 is > 0.50 (by 0.112)", pointer="/run_data/final_metrics/accuracy",
        reference=None, law='["accuracy","> 0.50",{}]', defined_at="nsm:rules/experiment_types/dual.yaml:7",
    )  # fmt: skip
    return base._replace(**members)


def finding(rule: str, severity: Severity, line: int = 8, **members: object) -> Finding:
    base = Finding(
        rule, severity, LOG, line, 72, 84, "/run_data/run_id", "dual_pass_20251103", None,
        "run_id 'dual_pass_20251103' already used on line 3", "choose a new id",
    )  # fmt: skip
    return base._replace(**members)


REPORT = Report(
    base="merge base of origin/main: 1a2b3c4",
    why="nothing is staged",
    logs=(
        JudgedLog(LOG, "training_log", "merge base of origin/main: 1a2b3c4", 11, 4),
        JudgedLog("baselines.jsonl", "baselines", "merge base of origin/main: 1a2b3c4", 3, 0),
    ),
    runs=(
        Run(LOG, 8, "dual_pass_20251103", "dual_pass_validation", "planning", "completed"),
        Run(LOG, 9, HOSTILE, None, None, "running"),
        Run(LOG, 10, None, None, None, None),
        Run(LOG, 11, None, None, None, None, entry=False),
    ),
    findings=(
        finding(
            "history-rewritten", Severity.ERROR, 2, run="old_20251001", pointer=None, column=1, end_column=2,
            message="line is gone from the log", hint="restore the line of 1a2b3c4",
            excerpt=Excerpt("", "{", '"timestamp": "2025-10-01T00:00', False, True),
        ),
        finding(
            "duplicate-run", Severity.ERROR,
            excerpt=Excerpt('"run_data": {"run_id": ', '"dual_pass_20251103"', ', "domain": "planning"', True, True),
        ),
        finding("criterion-missed", Severity.WARNING, criterion="balance_delta", message="balance_delta 0.341 is not < 0.30"),
        finding(
            "missing-findings", Severity.ERROR, 9, run=HOSTILE, message=f"findings are a placeholder: {HOSTILE}",
            hint=HOSTILE, excerpt=Excerpt('"findings": ', f'"{HOSTILE}"', " 漢字", True, False),
        ),
        finding("run-id-format", Severity.NOTICE, 9, run=HOSTILE, waived="agreed (lab, until 2026-12-31)"),
        finding(
            "invalid-json", Severity.ERROR, 10, run=None, pointer=None, column=4, end_column=7,
            message="'NaN' is not JSON", hint="write null", excerpt=Excerpt('{"漢', "NaN", "}", True, False),
            fix=Fix(False, "NaN becomes null", (Edit(10, 4, 7, "null"),)),
        ),
        finding(
            "blank-line", Severity.WARNING, 11, run=None, pointer=None, column=1, end_column=2, message="line is blank",
            hint="remove it", fix=Fix(True, "blank line removed", (Edit(11, 1, 2, ""),)),
        ),
    ),
    verdicts=(
        verdict("accuracy", Outcome.MET),
        verdict(
            "balance_delta", Outcome.MISSED, observed=0.341, expected="< 0.30", margin=-0.041,
            explanation="balance_delta 0.341 is not < 0.30 (over by 0.041)",
        ),
        verdict(
            "fusion_effectiveness", Outcome.MET, observed={"balance_delta": 0.341, "single_pass.balance_delta": 0.99},
            expected="balance_delta < single_pass.balance_delta", margin=0.649,
            reference=ReferenceUsed("single_pass", "single_20251021", LOG, 4, False, {"balance_delta": 0.99}),
        ),
        verdict(
            "cycle_loss", Outcome.UNKNOWN, observed=None, expected="< 1.0", margin=None,
            explanation="final_metrics.cycle_loss is null",
        ),
        verdict("accuracy", Outcome.NOT_APPLICABLE, 9, run=HOSTILE, margin=None, explanation="the run is 'running'"),
    ),
)  # fmt: skip


def golden(name: str, made: str) -> None:
    path = GOLDEN / name
    if os.environ.get("NSM_GATE_WRITE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_shared_report_is_rendered_as_its_golden_file(name: str) -> None:
    golden(f"{name}.golden", FORMATS[name](REPORT, Style()))


def test_colours_only_add_escape_sequences() -> None:
    colored = FORMATS["text"](REPORT, Style(color=True))
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == FORMATS["text"](REPORT, Style())


@pytest.mark.parametrize("name", ["text", "concise", "github"])
def test_a_quiet_clean_report_prints_nothing(name: str) -> None:
    clean = replace(REPORT, findings=())
    assert FORMATS[name](clean, Style(quiet=True)) == ""
    assert FORMATS[name](clean, Style()) != ""


def test_the_caret_stands_under_the_value_also_after_wide_characters() -> None:
    rows = FORMATS["text"](REPORT, Style()).split("\n")
    (at,) = [number for number, row in enumerate(rows) if "NaN}" in row]
    caret = rows[at + 1].index("^")
    assert columns_of(rows[at][: rows[at].index("NaN")]) == caret
    assert rows[at + 1].count("^") == 3


def test_many_runs_are_shown_worst_first_and_the_rest_is_counted() -> None:
    runs = tuple(Run(LOG, n, f"run_{n}_20251101", None, None, "completed") for n in range(1, 201))
    bad = finding("duplicate-run", Severity.ERROR, 150, run="run_150_20251101")
    shown = FORMATS["text"](replace(REPORT, runs=runs, findings=(bad,), verdicts=()), Style(runs=20))
    assert shown.index("run_150_20251101") < shown.index("run_1_20251101")
    assert "… and 180 more runs: -v shows all" in shown
    everything = FORMATS["text"](
        replace(REPORT, runs=runs, findings=(bad,), verdicts=()), Style(verbose=True)
    )
    assert "run_200_20251101" in everything


def test_many_logs_of_one_run_each_share_the_room() -> None:
    logs = tuple(JudgedLog(f"runs/{n}.jsonl", "training_log", "HEAD: 1a2b3c4", 1, 1) for n in range(300))
    runs = tuple(Run(log.path, 1, f"run_{n}_20251101", None, None, "completed") for n, log in enumerate(logs))
    bad = finding("duplicate-run", Severity.ERROR, 1, run="run_299_20251101", path="runs/299.jsonl")
    report = replace(REPORT, logs=logs, runs=runs, findings=(bad,), verdicts=())
    shown = FORMATS["text"](report, Style(runs=20))
    assert shown.startswith("runs/299.jsonl")
    assert "… and 280 more runs in 280 more logs: -v shows all" in shown
    assert "runs/298.jsonl" in FORMATS["text"](report, Style(runs=20, verbose=True))


def test_a_rewritten_log_is_shown_in_part() -> None:
    lost = tuple(finding("history-rewritten", Severity.ERROR, n) for n in range(1, 1001))
    shown = FORMATS["text"](replace(REPORT, findings=lost), Style(runs=20))
    assert "… and 980 more: -v shows all" in shown


@pytest.mark.parametrize("name", ["text", "concise", "github"])
def test_of_many_logs_only_those_with_something_new_are_named(name: str) -> None:
    logs = tuple(JudgedLog(f"runs/{n}.jsonl", "training_log", "HEAD: 1a2b3c4", 1, 0) for n in range(100))
    out = FORMATS[name](replace(REPORT, logs=(*REPORT.logs, *logs)), Style())
    assert "runs/7.jsonl" not in out
    assert "0 appended lines of 101 other logs" in out
    assert "experiments/training_log.jsonl" in out


# --- hostile text: the oracle is a port of the grammars that CI runners read -------------------------


def commands_in(output: str) -> list[str]:
    """Return the names of what a GitHub runner would obey."""
    return [command.name for command in github_commands(output)]


@pytest.mark.parametrize("name", ["text", "concise"])
def test_no_command_is_smuggled_into_plain_output(name: str) -> None:
    assert commands_in(FORMATS[name](REPORT, Style())) == []


def test_the_annotations_are_the_only_commands() -> None:
    out = FORMATS["github"](REPORT, Style())
    assert commands_in(out) == ["error", "error", "error", "error", "warning", "warning"]
    assert len([row for row in out.split("\n") if row.startswith("::")]) == 6


@settings(max_examples=1000, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("a:#[]\n\r\t %,;\x1b\u2028\u202e\u200berw=<|`@"), max_size=40),
    st.text(max_size=20),
)
def test_no_text_of_a_log_can_act(one: str, other: str) -> None:
    text = one + other
    hostile = replace(
        REPORT,
        findings=(
            finding("duplicate-run", Severity.ERROR, run=text, message=text, hint=text, path=LOG + text),
        ),
        logs=(JudgedLog(LOG + text, "training_log", text, 3, 1),),
        runs=(Run(LOG + text, 8, text, text, text, text),),
        why=text,
        base=text,
    )
    for name in ("text", "concise"):
        out = FORMATS[name](hostile, Style())
        assert commands_in(out) == []
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u200b-\u200f]", out)
    assert commands_in(FORMATS["github"](hostile, Style())) == ["error"]
    out = FORMATS["json"](hostile, Style())
    assert commands_in(out) == []
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u200b-\u200f]", out)
    assert json.loads(out)["findings"][0]["message"] == text


def test_long_text_is_cut() -> None:
    assert len(plain("x" * 10_000_000)) == 500
