"""`nsm-gate runs`: the logs are asked in the rule language."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support import (
    ROOT,
    SHARED,
    Repo,
    Result,
    a_baseline,
    a_run,
    check,
    edited,
    environment,
    gate,
    gate_process,
    lines,
)

LOG = "experiments/training_log.jsonl"
EXAMPLE = ROOT / "examples" / "nsm"
REAL = SHARED / "logs"

EQUAL = edited(
    a_run("dual_equal_20251102", 1), domain="planning", experiment_type="dual_pass_validation",
    hyperparameters__use_dual_pass=True, hyperparameters__fusion_mode="equal",
    final_metrics__accuracy=0.52, best_val_accuracy=0.53, final_metrics__class_balance_delta=0.4,
)  # fmt: skip
LEARNED = edited(
    EQUAL, run_id="dual_learned_20251103", entry__timestamp="2025-11-03T00:00:00Z",
    hyperparameters__fusion_mode="learned", final_metrics__accuracy=0.625, final_metrics__class_balance_delta=0.2,
)  # fmt: skip
EQUAL_TOO = edited(
    EQUAL, run_id="dual_equal_again_20251104", entry__timestamp="2025-11-04T00:00:00Z",
    final_metrics__accuracy=0.58, final_metrics__class_balance_delta=0.1,
)  # fmt: skip
FAILED = edited(
    a_run("causal_failed_20251105"), entry__timestamp="2025-11-05T00:00:00Z", domain="causal", status="failed",
    final_metrics=None, best_val_accuracy=None, error_message="CUDA out of memory",
)  # fmt: skip
ENTRIES = [a_run(), EQUAL, LEARNED, EQUAL_TOO, FAILED]
NAMES = [entry["run_data"]["run_id"] for entry in ENTRIES]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    place = tmp_path / "lab"
    (place / "experiments").mkdir(parents=True)
    (place / LOG).write_bytes(lines(*ENTRIES))
    return place


def runs(place: Path, *args: str, stdin: bytes = b"") -> Result:
    return gate("runs", *args, cwd=place, stdin=stdin)


def answered(place: Path, *args: str, stdin: bytes = b"") -> str:
    said = runs(place, *args, stdin=stdin)
    assert (said.code, said.err) == (0, "")
    return said.out


def entries(place: Path, *args: str, stdin: bytes = b"") -> list[dict[str, Any]]:
    document = json.loads(answered(place, *args, "--output-format", "json", stdin=stdin))
    assert list(document) in (["runs"], ["groups"])
    found: list[dict[str, Any]] = next(iter(document.values()))
    return found


def names(place: Path, *args: str, stdin: bytes = b"") -> list[str]:
    return [str(row["run"]) for row in entries(place, *args, "--columns", "run", stdin=stdin)]


def refused(place: Path, *args: str) -> str:
    said = runs(place, *args)
    assert (said.code, said.out) == (2, "")
    return said.err


# --- choosing ------------------------------------------------------------------------------------


def test_without_a_question_every_run_is_given_whole(lab: Path) -> None:
    assert entries(lab) == ENTRIES


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (["--where", 'domain == "planning" and best_val_accuracy > 0.6'], NAMES[:1]),
        (["--where", "accuracy > 0.55"], [NAMES[0], NAMES[2], NAMES[3]]),
        (["--where", "accuracy > 0.55", "--where", "balance_delta < 0.15"], [NAMES[0], NAMES[3]]),
        (["--where", "hyperparameters.use_dual_pass"], NAMES[1:4]),
        (["--where", "not known(final_metrics.accuracy)"], NAMES[4:]),
        (["--where", 'entry.timestamp >= "2025-11-04"'], NAMES[3:]),
        (["--where", 'run in ["dual_equal_20251102", "other"]'], NAMES[1:2]),
        (["--where", f'log == "{LOG}" and line <= 2'], NAMES[:2]),
        (["--status", "failed"], NAMES[4:]),
        (["--status", "running"], []),
        (["--domain", "causal"], NAMES[4:]),
        (["--domain", "knowledge_graph"], []),
        (["--type", "dual_pass_validation", "--domain", "planning"], NAMES[1:4]),
        (["--last", "2"], NAMES[3:]),
        (["--last", "99"], NAMES),
        (["--last", "1", "--status", "completed"], NAMES[3:4]),
        (["--last", "1", "--per", "hyperparameters.fusion_mode"], NAMES[2:]),
        (["--best", "accuracy"], NAMES[2:3]),
        (["--best", "balance_delta"], NAMES[:1]),
        (["--best", "max(balance_delta)"], NAMES[1:2]),
        (["--best", "final_metrics.class_balance_delta", "--where", "line < 1"], []),
        (["--best", "min(training_time_seconds)"], NAMES[:1]),
        (["--best", "accuracy", "--per", "domain"], NAMES[2:3]),
        (["--best", "accuracy", "--per", "experiment_type,hyperparameters.fusion_mode"], [NAMES[0], *NAMES[2:4]]),
        (["--sort", "accuracy"], [NAMES[1], NAMES[3], NAMES[0], NAMES[2], NAMES[4]]),
        (["--sort", "-accuracy"], [NAMES[2], NAMES[0], NAMES[3], NAMES[1], NAMES[4]]),
        (["--sort=-accuracy", "--limit", "2"], [NAMES[2], NAMES[0]]),
        (["--sort", "domain,-accuracy"], [NAMES[4], NAMES[2], NAMES[0], NAMES[3], NAMES[1]]),
        (["--sort", "-abs(accuracy - 0.58)", "--limit", "1"], NAMES[1:2]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and value[0].startswith("-") else "",
)  # fmt: skip
def test_runs_are_chosen_and_ordered(lab: Path, asked: list[str], wanted: list[str]) -> None:
    assert names(lab, *asked) == wanted


def test_the_best_run_of_equal_ones_is_the_earliest(lab: Path) -> None:
    with open(lab / LOG, "ab") as log:
        log.write(lines(edited(LEARNED, run_id="dual_learned_again_20251106")))
    assert names(lab, "--best", "accuracy") == ["dual_learned_20251103"]


def test_the_latest_line_speaks_for_a_run_and_stands_where_it_stands(lab: Path) -> None:
    running = edited(a_run("sweep_20251106"), status="running", final_metrics=None, best_val_accuracy=None)
    done = edited(a_run("sweep_20251106"), final_metrics__accuracy=0.7)
    other = a_run("other_20251106")
    (lab / LOG).write_bytes(lines(running, other, done))
    assert entries(lab) == [other, done]
    assert names(lab, "--status", "running") == []
    assert names(lab, "--status", "running", "--all-lines") == ["sweep_20251106"]
    assert entries(lab, "--all-lines") == [running, other, done]
    assert "2 runs · " in answered(lab)
    assert "3 lines · " in answered(lab, "--all-lines")


def test_entries_without_a_name_are_runs_of_their_own(lab: Path) -> None:
    nameless = edited(a_run(), run_id=...)
    (lab / LOG).write_bytes(lines(nameless, nameless, a_run()))
    assert entries(lab) == [nameless, nameless, a_run()]
    assert answered(lab).splitlines()[1].startswith("–   ")


# --- unknown -------------------------------------------------------------------------------------


def test_what_is_unknown_is_not_asked_for_and_the_table_says_so(lab: Path) -> None:
    assert NAMES[4] not in names(lab, "--where", "not accuracy > 0.99")
    said = answered(lab, "--where", "not accuracy > 0.99")
    assert said.endswith(f"4 of 5 runs · {LOG} · --where is unknown for 1 run\n")


@pytest.mark.parametrize("test", ["accuracy", "accuracy - 0.5", '"planning"', "len(findings)"])
def test_a_test_that_is_neither_true_nor_false_is_refused(lab: Path, test: str) -> None:
    assert "neither true nor false\n  compare it, or ask known(" in refused(lab, "--where", test)


def test_a_truth_value_that_some_runs_lack_is_a_test(lab: Path) -> None:
    assert names(lab, "--where", "hyperparameters.use_dual_pass == true") == NAMES[1:4]


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--where", "acuracy > 0.5"], "no run has 'acuracy'\n  did you mean 'accuracy'?"),
        (["--sort", "-acuracy"], "no run has 'acuracy'\n  did you mean 'accuracy'?"),
        (["--columns", "run,final_metrics.acuracy"], "no run has 'final_metrics.acuracy'\n  did you mean 'final_metrics.accuracy'?"),
        (["--count-by", "stauts"], "no run has 'stauts'\n  did you mean 'status'?"),
        (["--group-by", "hyperparameters.fusionmode"], "no run has 'hyperparameters.fusionmode'\n  did you mean 'hyperparameters.fusion_mode'?"),
        (["--best", "max(acuracy)"], "did you mean 'accuracy'?"),
        (["--last", "1", "--per", "domian"], "did you mean 'domain'?"),
        (["--where", 'run_data.domain == "planning"'], "no run has 'run_data.domain'\n  write domain: names start at run_data"),
        (["--sort", "timestamp"], "no run has 'timestamp'\n  did you mean 'entry.timestamp'?"),
        (["--where", "balance_delta < single_pass.balance_delta"], "nsm-gate show RUN --diff single_pass compares"),
        (["--columns", "verdict.acuracy"], "no verdict is called 'verdict.acuracy'\n  did you mean 'verdict.accuracy'?"),
        (["--columns", "verdicts.mised"], "did you mean 'verdicts.missed'?"),
        (["--columns", "count(balance_delta)"], "no run has 'count(balance_delta)'"),
        (["--status", "fialed"], "no run has the status 'fialed'\n  did you mean 'failed'?"),
        (["--domain", "plannin"], "no run has the domain 'plannin'\n  did you mean 'planning'?"),
        (["--type", "dual_pass"], "no run has the experiment type 'dual_pass'\n  did you mean 'dual_pass_validation'?"),
        (["--where", "accuracy >"], "--where:11: a value is expected, the end found"),
        (["--where", "accuracy = 1"], "--where:10: '=' is not expected here\n  compare with =="),
        (["--where", "domain == 'planning' & accuracy > 1"], "'&' has no meaning here\n  write and"),
        (["--where", "final_metrics == null"], "--where:18: 'null' cannot be compared with\n  write known(x) or not known(x)"),
        (["--where", "lenght(findings) > 1"], "unknown function 'lenght'\n  did you mean 'len'?"),
        (["--where", ""], "--where:1: a value is expected, the end found"),
        (["--columns", "run,,accuracy"], "--columns:5: a value is expected"),
        (["--columns", "run, accuracy >"], "--columns:16: a value is expected, the end found"),
        (["--best", "training_time_seconds"], "whether more or less of 'training_time_seconds' is better is not known\n  write --best 'max(training_time_seconds)' or --best 'min(training_time_seconds)'"),
        (["--best", "accuracy", "--last", "1"], "--best and --last both choose among the runs"),
        (["--per", "domain"], "--per says of which groups"),
        (["--count-by", "status", "--group-by", "domain"], "ask for different tables"),
        (["--count-by", "status", "--columns", "run"], "leave --columns and --sort out"),
        (["--group-by", "status", "--sort", "run"], "leave --sort out"),
        (["--log", "training"], "no log kind is called 'training'\n  did you mean 'training_log'?"),
        (["--output-format", "jsn"], "no output format is called 'jsn'\n  did you mean 'json'?"),
        (["--output-format", "csv", "--output-format", "table"], "two output formats go to standard output"),
        (["--last", "0"], "'0' is no whole number from 1 on"),
        (["--limit", "-3"], "'-3' is no whole number from 1 on"),
        (["nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["-", LOG], "standard input is read alone"),
        ([""], "an empty PATH"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_slip_is_an_error_with_a_remedy(lab: Path, args: list[str], said: str) -> None:
    assert said in refused(lab, *args)


def test_all_slips_are_told_together_and_in_json_too(lab: Path) -> None:
    said = refused(lab, "--where", "acuracy > 1", "--columns", "domian,stauts")
    assert said.count("no run has") == 3
    result = runs(lab, "--where", "acuracy > 1", "--output-format", "json")
    assert result.json["error"]["message"] == "no run has 'acuracy'"
    assert result.json["error"]["hint"] == "did you mean 'accuracy'?"
    usage = runs(lab, "--output-format", "json", "--frobnicate")
    assert usage.json["error"]["hint"] == "nsm-gate runs --help shows the options"


def test_a_name_that_no_format_declares_is_known_where_a_run_has_it(lab: Path) -> None:
    own = edited(a_run("own_20251106"), final_metrics__acuracy=0.9, my_note=None)
    (lab / LOG).write_bytes(lines(*ENTRIES, own))
    assert names(lab, "--where", "final_metrics.acuracy > 0.5") == ["own_20251106"]
    assert names(lab, "--where", "known(my_note)") == []
    # What was probably meant may be a name that only the runs have.
    assert "did you mean 'my_note'?" in refused(lab, "--where", "known(my_notes)")


def test_an_empty_log_has_no_runs_and_knows_no_more_names_than_its_format(lab: Path) -> None:
    (lab / LOG).write_bytes(b"")
    assert answered(lab) == f"0 runs · {LOG}\n"
    assert entries(lab) == []
    assert answered(lab, "--output-format", "jsonl") == ""
    assert answered(lab, "--output-format", "csv", "--columns", "run,accuracy") == '"run","accuracy"\n'
    assert answered(lab, "--count-by", "status", "--output-format", "json") == '{"groups": []}\n'
    assert answered(lab, "--output-format", "markdown") == f"0 runs · {LOG.replace('_', '&#95;')}  \n"
    assert entries(lab, "--where", "final_metrics.our_own > 1") == []
    assert "did you mean 'accuracy'?" in refused(lab, "--where", "acuracy > 1")


# --- groups --------------------------------------------------------------------------------------


def test_runs_are_counted(lab: Path) -> None:
    assert entries(lab, "--count-by", "status") == [
        {"status": "completed", "count": 4},
        {"status": "failed", "count": 1},
    ]
    assert entries(lab, "--count-by", "domain,hyperparameters.fusion_mode", "--status", "completed") == [
        {"domain": "planning", "hyperparameters.fusion_mode": "equal", "count": 2},
        {"domain": "planning", "hyperparameters.fusion_mode": "learned", "count": 1},
        {"domain": "planning", "hyperparameters.fusion_mode": None, "count": 1},
    ]
    assert answered(lab, "--count-by", "status").splitlines()[:3] == [
        "status     count",
        "completed      4",
        "failed         1",
    ]


def test_groups_are_compared_by_count_mean_and_best(lab: Path) -> None:
    asked = ("--group-by", "hyperparameters.fusion_mode", "--where", "hyperparameters.use_dual_pass")
    assert entries(lab, *asked, "--columns", "accuracy,balance_delta,training_time_seconds") == [
        {
            "hyperparameters.fusion_mode": "equal", "count": 2,
            "accuracy.count": 2, "accuracy.mean": 0.55, "accuracy.min": 0.52, "accuracy.max": 0.58,
            "accuracy.best": 0.58, "accuracy.best_run": NAMES[3],
            "balance_delta.count": 2, "balance_delta.mean": 0.25, "balance_delta.min": 0.1,
            "balance_delta.max": 0.4, "balance_delta.best": 0.1, "balance_delta.best_run": NAMES[3],
            "training_time_seconds.count": 2, "training_time_seconds.mean": 30,
            "training_time_seconds.min": 30.0, "training_time_seconds.max": 30.0,
        },
        {
            "hyperparameters.fusion_mode": "learned", "count": 1,
            "accuracy.count": 1, "accuracy.mean": 0.625, "accuracy.min": 0.625, "accuracy.max": 0.625,
            "accuracy.best": 0.625, "accuracy.best_run": NAMES[2],
            "balance_delta.count": 1, "balance_delta.mean": 0.2, "balance_delta.min": 0.2,
            "balance_delta.max": 0.2, "balance_delta.best": 0.2, "balance_delta.best_run": NAMES[2],
            "training_time_seconds.count": 1, "training_time_seconds.mean": 30.0,
            "training_time_seconds.min": 30.0, "training_time_seconds.max": 30.0,
        },
    ]  # fmt: skip
    head, equal, learned, *_ = answered(lab, *asked).splitlines()
    assert head.split() == [
        "hyperparameters.fusion_mode", "count", "accuracy.mean", "accuracy.best", "balance_delta.mean",
        "balance_delta.best", "cycle_loss.mean", "cycle_loss.best",
    ]  # fmt: skip
    assert equal.split() == ["equal", "2", "0.55", "0.58", "0.25", "0.1", "0.5", "0.5"]
    assert learned.split() == ["learned", "1", "0.625", "0.625", "0.2", "0.2", "0.5", "0.5"]


def test_a_group_without_the_metric_has_no_mean(lab: Path) -> None:
    failed = entries(lab, "--group-by", "status", "--columns", "accuracy")[1]
    assert failed == {
        "status": "failed", "count": 1, "accuracy.count": 0, "accuracy.mean": None, "accuracy.min": None,
        "accuracy.max": None, "accuracy.best": None, "accuracy.best_run": None,
    }  # fmt: skip


def test_equal_numbers_are_one_group_and_true_is_not_one(lab: Path) -> None:
    values = (1, 1.0, True, "1", 2)
    made = [edited(a_run(f"n_{i}_20251101"), hyperparameters__odd=value) for i, value in enumerate(values)]
    (lab / LOG).write_bytes(lines(*made))
    counts = {
        repr(row["hyperparameters.odd"]): row["count"]
        for row in entries(lab, "--count-by", "hyperparameters.odd")
    }
    assert counts == {"1": 2, "True": 1, "'1'": 1, "2": 1}


# --- formats -------------------------------------------------------------------------------------

EXACT = (
    b'{"timestamp": "2025-11-01T00:00:00Z", "run_data": {"run_id": "exact_20251101", "domain": "planning", '
    b'"status": "completed", "final_metrics": {"accuracy": 0.12345678901234567890123, "task_loss": 0.2960, '
    b'"cycle_loss": 1e-7, "big": 123456789012345678901234567890, "minus": -0.5}}}'
)


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_whole_entries_are_given_byte_by_byte(lab: Path, format_: str) -> None:
    (lab / LOG).write_bytes(EXACT + b"\n" + lines(a_run()))
    rows = answered(lab, "--output-format", format_).splitlines()
    given = [row.rstrip(",") for row in rows if row.startswith('{"timestamp')]
    assert given == [EXACT.decode(), json.dumps(a_run())]


def test_columns_keep_every_digit(lab: Path) -> None:
    (lab / LOG).write_bytes(EXACT + b"\n")
    columns = (
        "accuracy",
        "final_metrics.task_loss",
        "cycle_loss",
        "final_metrics.big",
        "final_metrics.minus",
    )
    asked = ("--columns", ",".join(columns))
    assert answered(lab, *asked, "--output-format", "csv").splitlines()[1] == (
        "0.12345678901234567890123,0.2960,1E-7,123456789012345678901234567890,-0.5"
    )
    (row,) = json.loads(answered(lab, *asked, "--output-format", "json"), parse_float=Decimal)["runs"]
    assert list(row) == list(columns)
    assert row["accuracy"] == Decimal("0.12345678901234567890123")
    assert str(row["final_metrics.task_loss"]) == "0.2960"
    # A table is for people.
    assert answered(lab, *asked).splitlines()[1].split()[:2] == ["0.123457", "0.296"]


def test_columns_may_be_objects_lists_and_expressions(lab: Path) -> None:
    odd = edited(
        a_run("odd_20251101"),
        metrics_history=[{"val_loss": 0.75}, {"val_loss": 0.25}],
        **{"final_metrics__val/loss": 0.5},
    )
    (lab / LOG).write_bytes(lines(odd))
    asked = ('run,accuracy - 0.6, last(metrics_history.val_loss),metrics_history,final_metrics["val/loss"],'
             "max(accuracy, balance_delta),error_message")  # fmt: skip
    (row,) = entries(lab, "--columns", asked)
    assert row == {
        "run": "odd_20251101", "accuracy - 0.6": 0.01, "last(metrics_history.val_loss)": 0.25,
        "metrics_history": [{"val_loss": 0.75}, {"val_loss": 0.25}], 'final_metrics["val/loss"]': 0.5,
        "max(accuracy, balance_delta)": 0.61, "error_message": None,
    }  # fmt: skip
    said = list(csv.reader(io.StringIO(answered(lab, "--columns", asked, "--output-format", "csv"))))
    assert said[0] == [
        "run", "accuracy - 0.6", "last(metrics_history.val_loss)", "metrics_history", 'final_metrics["val/loss"]',
        "max(accuracy, balance_delta)", "error_message",
    ]  # fmt: skip
    assert said[1] == [
        "odd_20251101",
        "0.01",
        "0.25",
        '[{"val_loss": 0.75}, {"val_loss": 0.25}]',
        "0.5",
        "0.61",
        "",
    ]


def test_csv_without_columns_has_one_for_every_value(lab: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(answered(lab, "--output-format", "csv"))))
    assert [row["run_id"] for row in rows] == NAMES
    assert [row["final_metrics.accuracy"] for row in rows] == ["0.61", "0.52", "0.625", "0.58", ""]
    assert [row["hyperparameters.use_dual_pass"] for row in rows] == ["", "true", "true", "true", ""]
    assert rows[0]["entry.timestamp"] == "2025-11-01T00:00:31Z"
    assert "final_metrics" not in rows[0]


HOSTILE = (
    "=HYPERLINK(\"http://evil\")", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\n=1", "＝1", "plain, \"quoted\"",
    "\x1b[31mred\x1b[0m", "##[error]x", "::error::x", "\n::error::x", "\u202egpj.exe", "a|b<script>*x*</script>", "\x9b31m", "-0.5",
)  # fmt: skip


def test_hostile_text_acts_neither_in_a_spreadsheet_nor_on_a_terminal_nor_in_markdown(lab: Path) -> None:
    made = [edited(a_run(f"h{i}_20251101"), findings=text) for i, text in enumerate(HOSTILE)]
    (lab / LOG).write_bytes(lines(*made))
    asked = ("--columns", "findings,run")
    for format_ in ("table", "csv", "json", "jsonl", "markdown"):
        said = answered(lab, *asked, "--output-format", format_)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said), format_
        assert "##[" not in said
        assert not re.search(r"^\s*::", said, re.MULTILINE)
    rows = list(csv.reader(io.StringIO(answered(lab, *asked, "--output-format", "csv"))))[1:]
    assert [row[1] for row in rows] == [f"h{i}_20251101" for i in range(len(HOSTILE))]
    for (cell, _), text in zip(rows, HOSTILE, strict=True):
        assert cell[:1] not in "=+-@\t\r\n＝"
        assert cell.startswith("'") == (text[0] in "=+-@\t\n＝")
    assert [row["findings"] for row in entries(lab, *asked)] == list(HOSTILE)
    said = answered(lab, *asked, "--output-format", "markdown")
    assert "<script>" not in said
    assert all(row.count(" | ") == 1 for row in said.splitlines() if row.startswith("| "))


def test_a_negative_number_is_no_formula(lab: Path) -> None:
    (lab / LOG).write_bytes(lines(edited(a_run(), final_metrics__shift=-0.5)))
    assert (
        answered(lab, "--columns", "final_metrics.shift", "--output-format", "csv").splitlines()[1] == "-0.5"
    )


def test_tabs_between_tokens_are_spaces_in_json(lab: Path) -> None:
    (lab / LOG).write_bytes(json.dumps(a_run()).replace(": ", ":\t").encode() + b"\r\n")
    assert entries(lab) == [a_run()]
    assert "\t" not in answered(lab, "--output-format", "jsonl")


def test_markdown_is_a_table(lab: Path) -> None:
    said = answered(lab, "--columns", "run,accuracy,status", "--limit", "1", "--output-format", "markdown")
    assert said == (
        "| <code>run</code> | <code>accuracy</code> | <code>status</code> |\n"
        "|---|--:|---|\n"
        "| <code>planning&#95;plain&#95;20251101</code> | 0.61 | <code>completed</code> |\n"
        "\n"
        "1 of 5 runs · experiments/training&#95;log.jsonl  \n"
    )


def test_several_formats_come_of_one_reading(lab: Path) -> None:
    said = answered(
        lab, "--output-format", "table", "--output-format", "csv:all.csv", "--output-format", "json:all.json"
    )
    assert "5 runs · " in said
    assert json.loads((lab / "all.json").read_text())["runs"] == ENTRIES
    assert len((lab / "all.csv").read_text().splitlines()) == 6


@pytest.mark.parametrize("taken", [LOG, "mine.jsonl", "nsm-gate.yaml", "link.json"])
def test_an_output_overwrites_no_log_no_settings_and_nothing_through_a_link(lab: Path, taken: str) -> None:
    (lab / "mine.jsonl").write_bytes((lab / LOG).read_bytes())
    (lab / "link.json").symlink_to(lab / LOG)
    before = (lab / LOG).read_bytes(), (lab / "mine.jsonl").read_bytes()
    assert "the output would overwrite" in refused(lab, "mine.jsonl", "--output-format", f"json:{taken}")
    assert ((lab / LOG).read_bytes(), (lab / "mine.jsonl").read_bytes()) == before


def test_an_output_that_cannot_be_written_is_an_error(lab: Path) -> None:
    said = refused(lab, "--output-format", "json:no/such/folder/x.json")
    assert (
        said
        == "nsm-gate: error: no/such/folder/x.json: the folder of the output does not exist\n  create it first\n"
    )


def test_the_usual_columns_hold_something_and_what_ranks_is_among_them(lab: Path) -> None:
    assert answered(lab).splitlines()[0].split() == [
        "run", "status", "experiment_type", "domain", "accuracy", "balance_delta", "cycle_loss",
    ]  # fmt: skip
    said = answered(lab, "--best", "min(training_time_seconds)", "--per", "hyperparameters.fusion_mode")
    assert said.splitlines()[0].split()[-2:] == ["hyperparameters.fusion_mode", "training_time_seconds"]


def test_what_is_compared_at_different_places_is_said(lab: Path) -> None:
    with open(lab / LOG, "ab") as log:
        log.write(lines(edited(a_run("val_20251106"), final_metrics=None)))
    for asked in (["--best", "accuracy"], ["--sort", "-accuracy"], ["--group-by", "domain"]):
        said = answered(lab, *asked).splitlines()[-1]
        assert said == "accuracy is final_metrics.accuracy in 4 runs, best_val_accuracy in 1 run"
    assert "best_val_accuracy" not in answered(lab)


# --- which logs ----------------------------------------------------------------------------------


def test_baselines_are_read_where_they_are_named(lab: Path) -> None:
    (lab / "baselines.jsonl").write_bytes(
        lines(a_baseline(), a_baseline("3level_attention", metrics__accuracy=0.6))
    )
    assert len(entries(lab)) == 5
    assert names(lab, "baselines.jsonl", "--sort", "-accuracy") == ["3level_attention", "3level_fusion"]
    assert names(lab, "--log", "baselines", "--status", "completed") == ["3level_fusion", "3level_attention"]
    assert answered(lab, "baselines.jsonl").splitlines()[0].split() == [
        "run", "branch", "commit", "accuracy", "balance_delta", "cycle_loss",
    ]  # fmt: skip
    both = entries(lab, ".", "--columns", "run,log,status,domain,config.variant")
    assert [row["log"] for row in both] == ["baselines.jsonl"] * 2 + [LOG] * 5
    assert {row["domain"] for row in both[:2]} == {None}
    assert {row["status"] for row in both[:2]} == {"completed"}
    assert "7 runs · 2 logs\n" in answered(lab, ".")


def test_a_repository_of_baselines_alone_needs_no_name(lab: Path) -> None:
    (lab / LOG).unlink()
    (lab / "baselines.jsonl").write_bytes(lines(a_baseline()))
    assert names(lab) == ["3level_fusion"]


def test_a_copy_of_another_name_is_told_by_its_members(lab: Path) -> None:
    (lab / "local_copy.jsonl").write_bytes((lab / LOG).read_bytes())
    assert names(lab, "local_copy.jsonl", "--type", "dual_pass_validation") == NAMES[1:4]
    assert names(lab, "local_copy.jsonl", "--where", "verdicts.missed > 0") == [NAMES[1]]
    (lab / "odd.jsonl").write_bytes(b'{"x": 1}\n')
    assert "odd.jsonl: the log kind of this file cannot be told\n  name it with --log: " in refused(
        lab, "odd.jsonl"
    )
    assert len(entries(lab, "odd.jsonl", "--log", "training_log")) == 1


def test_standard_input_is_a_log(lab: Path) -> None:
    data = (lab / LOG).read_bytes()
    assert names(lab, "-", "--status", "failed", stdin=data) == NAMES[4:]
    assert names(lab, "-", "--where", "verdicts.missed > 0", stdin=data) == [NAMES[1]]
    assert names(lab, "-", "--log", "training_log", stdin=data) == NAMES
    assert "the log kind of this file cannot be told" in runs(lab, "-", stdin=b"").err
    assert entries(lab, "-", "--log", "training_log", stdin=b"") == []


def test_several_logs_are_one_in_the_order_of_time(lab: Path) -> None:
    for number, entry in enumerate(reversed(ENTRIES)):
        place = lab / "runs" / f"{number}" / "training_log.jsonl"
        place.parent.mkdir(parents=True)
        place.write_bytes(lines(entry))
    assert names(lab, "runs", "--last", "2") == NAMES[3:]
    assert names(lab, "runs") == NAMES
    # A run that ends in another file: the later line speaks, whichever file comes first.
    done = edited(a_run("sweep_20251106"), entry__timestamp="2025-11-07T00:00:00Z")
    running = edited(a_run("sweep_20251106"), entry__timestamp="2025-11-06T00:00:00Z", status="running")
    for folder, entry in (("a", done), ("b", running)):
        place = lab / "life" / folder / "training_log.jsonl"
        place.parent.mkdir(parents=True)
        place.write_bytes(lines(entry))
    assert entries(lab, "life") == [done]


def test_a_log_that_is_excluded_or_ignored_is_read_where_it_is_named(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "exclude: [scratch/**]\n")
    repo.write(".gitignore", "ignored/\n")
    repo.write("scratch/training_log.jsonl", [a_run("scratch_20251101")])
    repo.write("ignored/training_log.jsonl", [a_run("ignored_20251101")])
    repo.write("training_log.jsonl", [a_run()])
    assert names(repo.path) == ["planning_plain_20251101"]
    assert names(repo.path, "scratch/training_log.jsonl") == ["scratch_20251101"]
    assert names(repo.path, "ignored/training_log.jsonl") == ["ignored_20251101"]
    assert "this folder holds no log" in refused(repo.path, "scratch")


def test_a_log_outside_of_a_sparse_checkout_is_read_from_git(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write(LOG, ENTRIES)
    repo.write("README", "x\n")
    repo.commit()
    repo.git("sparse-checkout", "set", "--no-cone", "README")
    assert not (repo.path / LOG).exists()
    assert names(repo.path) == NAMES


def test_a_log_kind_of_ones_own_is_asked_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "nsm-gate.yaml").write_text("extends: none\nrules: [rules]\n")
    (tmp_path / "rules/probes.yaml").write_text(
        "log: probes\ndescription: Probes.\nfiles: [probes.jsonl]\nschema: probe.schema.json\n"
        "key: [id]\nrun_id: id\nstatus: state\ntimes: {logged: at}\nnames: {gap: [numbers.gap]}\n"
        'criteria: {gap: "< 0.5"}\n'
    )
    (tmp_path / "rules/probe.schema.json").write_text(
        json.dumps({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
            "properties": {
                "id": {"type": "string"}, "state": {"type": "string"}, "at": {"type": "string"},
                "numbers": {"type": "object", "properties": {"gap": {"type": "number"}}},
            },
        })
    )  # fmt: skip
    made = [{"id": f"p{n}", "state": state, "at": "2025-11-01T00:00:00Z", "numbers": {"gap": n / 10}}
            for n, state in enumerate(["completed", "failed", "completed"], 1)]  # fmt: skip
    (tmp_path / "probes.jsonl").write_bytes(lines(*made))
    assert names(tmp_path, "--status", "failed") == ["p2"]
    assert names(tmp_path, "--best", "gap") == ["p1"]
    assert answered(tmp_path).splitlines()[0].split() == ["run", "status", "gap"]


# --- bad input -----------------------------------------------------------------------------------


def test_torn_lines_are_left_out_and_counted(lab: Path) -> None:
    data = lines(ENTRIES[0]) + b"not json\n\n" + lines(ENTRIES[1]) + b'[1]\n{"timestamp": "2025'
    (lab / LOG).write_bytes(data)
    said = runs(lab, "--output-format", "json")
    assert (said.code, said.json["runs"]) == (0, ENTRIES[:2])
    assert said.err == (
        f"nsm-gate: {LOG}: 3 lines left out that hold no entry, lines 2, 5, 6: nsm-gate check --all says why\n"
    )
    (lab / LOG).write_bytes(lines(ENTRIES[0])[:-1])
    assert answered(lab).endswith(f"1 run · {LOG}\n")


def test_a_line_over_the_limit_is_left_out(lab: Path) -> None:
    (lab / "nsm-gate.yaml").write_text("limits: {line: 4096}\n")
    long = edited(a_run("long_20251101"), findings="x" * 50_000)
    (lab / LOG).write_bytes(lines(long, a_run(), long))
    said = runs(lab, "--output-format", "json")
    assert said.json["runs"] == [a_run()]
    assert "2 lines left out that hold no entry, lines 1, 3" in said.err


def test_a_file_over_the_limit_is_refused(lab: Path) -> None:
    (lab / "nsm-gate.yaml").write_text("limits: {line: 4096, file: 5000}\n")
    assert "over the limit of 5,000\n  raise limits.file" in refused(lab)


def test_where_there_is_no_log_that_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        "nsm-gate: error: there is no log here: the policy looks for **/training_log.jsonl\n  name a log to read\n"
    )
    assert "this folder holds no log\n  logs are named **/baselines.jsonl, **/training_log.jsonl" in refused(
        tmp_path, "."
    )


def test_what_is_no_file_is_refused_by_name_and_told_otherwise(lab: Path) -> None:
    (lab / "link").mkdir()
    (lab / "link/training_log.jsonl").symlink_to(lab / LOG)
    assert "link/training_log.jsonl: the log is a symbolic link" in refused(lab, "link/training_log.jsonl")
    said = runs(lab)
    assert said.code == 0
    assert said.err == "nsm-gate: link/training_log.jsonl is left out: the log is a symbolic link\n"
    os.mkfifo(lab / "pipe.jsonl")
    assert "the log is not a regular file\n  give - to read standard input" in refused(lab, "pipe.jsonl")
    (lab / "lfs").mkdir()
    (lab / "lfs/training_log.jsonl").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    assert "the log is a Git LFS pointer" in refused(lab, "lfs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_log_that_may_not_be_read_is_an_error(lab: Path) -> None:
    (lab / LOG).chmod(0)
    assert "cannot be read: Permission denied" in refused(lab)


def test_a_reader_that_stops_early_is_no_error_that_shows(lab: Path) -> None:
    (lab / LOG).write_bytes(lines(*(a_run(f"n_{n}_20251101") for n in range(3000))))
    said = gate_process("runs", "--output-format", "jsonl", "--limit", "1", cwd=lab)
    assert (said.code, said.err, len(said.out.splitlines())) == (0, "", 1)


def on_a_terminal(place: Path, columns: int, *args: str) -> str:
    """Return what the command writes on a terminal so many columns wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "nsm_gate", "runs", *args]
    done = subprocess.run(
        command, cwd=place, env={**environment(place), "TERM": "xterm"}, stdout=slave, check=True
    )
    os.close(slave)
    written = b""
    # Linux answers EIO where the other end is closed.
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            written += piece
    os.close(master)
    assert done.returncode == 0
    return written.decode()


def test_a_terminal_gets_colours_and_no_row_that_is_too_wide(lab: Path) -> None:
    long = edited(
        a_run("a_run_with_a_name_that_no_terminal_has_room_for_20251106"),
        entry__timestamp="2025-11-06T00:00:00Z",
    )
    (lab / LOG).write_bytes(lines(*ENTRIES, long))
    said = on_a_terminal(lab, 100)
    assert "\x1b[" in said
    rows = re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines()
    assert max(map(len, rows)) <= 100
    assert any("…" in row for row in rows)
    assert "\x1b[" not in on_a_terminal(lab, 100, "--color", "never")
    # In a pipe nothing is cut.
    assert "a_run_with_a_name_that_no_terminal_has_room_for_20251106" in answered(lab)


# --- verdicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [EXAMPLE, REAL], ids=["sample", "real"])
def test_verdict_columns_say_what_check_says(place: Path, tmp_path: Path) -> None:
    if not place.is_dir():
        pytest.skip("the project's real logs are not beside this checkout")
    for log in place.rglob("*.jsonl"):
        copy = tmp_path / log.relative_to(place)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(log.read_bytes())
    given = check("--all", cwd=tmp_path).json["verdicts"]
    rows = entries(
        tmp_path, "--all-lines", "--columns", "log,line,verdict.accuracy,margin.accuracy,verdicts.met,verdicts.missed,verdicts.unknown"
    )  # fmt: skip
    assert len(rows) >= 7
    for row in rows:
        mine = [v for v in given if (v["path"], v["line"]) == (row["log"], row["line"])]
        for outcome in ("met", "missed", "unknown"):
            assert row[f"verdicts.{outcome}"] == sum(v["outcome"] == outcome for v in mine)
        accuracy = next((v for v in mine if v["criterion"] == "accuracy"), {"outcome": None, "margin": None})
        assert (row["verdict.accuracy"], row["margin.accuracy"]) == (accuracy["outcome"], accuracy["margin"])
    assert any(row["verdict.accuracy"] == "missed" for row in rows)
