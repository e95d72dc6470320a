"""`nsm-gate show RUN`: one run in full, or what it has otherwise than another one."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, SHARED, Result, a_baseline, a_run, check, edited, gate, lines
from tests.test_runs import EXACT, HOSTILE

LOG = "experiments/training_log.jsonl"
REAL = SHARED / "logs"
EXAMPLE = ROOT / "examples" / "nsm"

SINGLE = edited(
    a_run("single_20251101"), experiment_type="dual_pass_validation", hyperparameters__use_dual_pass=False,
    architecture={"variant": "single_pass", "passes": 1}, final_metrics__class_balance_delta=0.4,
)  # fmt: skip
DUAL = edited(
    SINGLE, run_id="dual_20251102", entry__timestamp="2025-11-02T00:00:00Z", hyperparameters__use_dual_pass=True,
    hyperparameters__fusion_mode="learned", architecture={"variant": "dual_pass_learned", "passes": 2},
    final_metrics__class_balance_delta=0.2, final_metrics__accuracy=0.625, pid=None,
    findings="Balances the classes where the single pass did not.",
    metrics_history=[{"epoch": 1, "val_loss": 0.75}, {"epoch": 2, "val_loss": 0.5}],
)  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    place = tmp_path / "lab"
    (place / "experiments").mkdir(parents=True)
    (place / LOG).write_bytes(lines(SINGLE, DUAL))
    (place / "baselines.jsonl").write_bytes(
        lines(a_baseline(), a_baseline("3level_attention", metrics__accuracy=0.56))
    )
    return place


def show(place: Path, *args: str) -> Result:
    return gate("show", *args, cwd=place)


def shown(place: Path, *args: str) -> str:
    said = show(place, *args)
    assert (said.code, said.err) == (0, "")
    return said.out


def document(place: Path, *args: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(shown(place, *args, "--output-format", "json"))
    return made


def refused(place: Path, *args: str) -> str:
    said = show(place, *args)
    assert (said.code, said.out) == (2, "")
    return said.err


def logged(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return what `check --all` says of a line as if all lines before it had been logged already."""
    return (
        {**verdict, "reference": {**verdict["reference"], "appended": False}}
        if verdict.get("reference")
        else verdict
    )


# --- in full -------------------------------------------------------------------------------------


def test_a_run_is_shown_with_findings_verdicts_and_every_value(lab: Path) -> None:
    text = shown(lab, "dual_20251102")
    assert (
        text.splitlines()[0] == f"dual_20251102 · completed · dual_pass_validation · planning · {LOG} line 2"
    )
    assert "\nfindings\n  Balances the classes where the single pass did not.\n" in text
    assert re.search(r"✓ fusion_effectiveness +0\.2 +< single_pass \(0\.4\) +\+0\.2 +single_20251101\n", text)
    assert re.search(r"\nresults\n(  .*\n)*  final_metrics\.accuracy +0\.625\n", text)
    assert re.search(r"\nconfiguration\n(  .*\n)*  hyperparameters\.fusion_mode +learned\n", text)
    assert re.search(
        r"\nhistory\n  metrics_history\.epoch +1 → 2 over 2 values\n  metrics_history\.val_loss +0\.75 → 0\.5 over 2 values\n",
        text,
    )
    assert re.search(r"\ntimes\n(  .*\n)*  training_time_seconds +30\n", text)
    assert "\nnull\n  dataset_config.domain_params, pid\n" in text


def test_every_value_of_the_sample_stands_on_the_sheet(tmp_path: Path) -> None:
    for raw in (EXAMPLE / LOG).read_bytes().splitlines()[:6]:
        run = json.loads(raw)["run_data"]
        text = shown(EXAMPLE, run["run_id"])
        for group in ("hyperparameters", "final_metrics", "architecture", "dataset_config"):
            for name in run[group] or ():
                assert f"{group}.{name}" in text
        words = " ".join(text.split())
        assert " ".join(run["findings"].split()) in words


def test_a_failed_run_says_its_error(tmp_path: Path) -> None:
    text = shown(EXAMPLE, "domain_exploration_kg_2048_entities_20251110")
    assert " · failed · " in text.splitlines()[0]
    assert "\nerror_message\n  CUDA out of memory at epoch 7, batch 31" in text


def test_the_latest_line_is_shown_and_the_others_are_named(lab: Path) -> None:
    running = edited(a_run("sweep_20251103"), status="running", final_metrics=None, findings=None)
    done = edited(a_run("sweep_20251103"), entry__timestamp="2025-11-03T00:00:00Z")
    (lab / LOG).write_bytes(lines(running, SINGLE, done))
    text = shown(lab, "sweep_20251103")
    assert f"{LOG} line 3\nthis run is also on line 1 (running)\n" in text
    assert f"running · domain_exploration · planning · {LOG} line 1\n" in shown(
        lab, "sweep_20251103", "--line", "1"
    )
    assert document(lab, "sweep_20251103")["lines"] == [1, 3]
    assert "line 2 is not of 'sweep_20251103'\n  it stands on lines 1, 3" in refused(
        lab, "sweep_20251103", "--line", "2"
    )


def test_the_document_holds_the_line_byte_by_byte_and_what_check_says_of_it(lab: Path) -> None:
    made = document(lab, "dual_20251102")
    assert list(made) == ["entry", "path", "line", "lines", "log", "findings", "verdicts"]
    assert (made["entry"], made["path"], made["line"], made["log"]) == (DUAL, LOG, 2, "training_log")
    judged = check("--all", cwd=lab).json
    for part in ("findings", "verdicts"):
        assert made[part] == [
            logged(each) for each in judged[part] if (each["path"], each["line"]) == (LOG, 2)
        ]
    assert made["verdicts"]
    (lab / LOG).write_bytes(EXACT + b"\n")
    assert EXACT.decode() in shown(lab, "exact_20251101", "--output-format", "json")


@pytest.mark.parametrize("log", ["training_log.jsonl", "baselines.jsonl"])
def test_every_real_run_is_shown_as_it_is_judged(log: str, tmp_path: Path) -> None:
    if not REAL.is_dir():
        pytest.skip("the project's real logs are not beside this checkout")
    for each in REAL.glob("*.jsonl"):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    judged = check("--all", cwd=tmp_path).json
    entries = [json.loads(raw) for raw in (REAL / log).read_bytes().splitlines()]
    for number, entry in enumerate(entries, 1):
        name = entry["run_data"]["run_id"] if "run_data" in entry else entry["experiment"]
        made = document(tmp_path, name)
        assert made["entry"] == entry
        given = [logged(v) for v in judged["verdicts"] if (v["path"], v["line"]) == (log, number)]
        assert made["verdicts"] == given
        assert f"{log} line {number}" in shown(tmp_path, name)


# --- differences ---------------------------------------------------------------------------------


def test_what_differs_from_a_reference_is_shown_by_group_with_the_way_it_went(lab: Path) -> None:
    text = shown(lab, "dual_20251102", "--diff", "single_pass")
    assert text.splitlines()[1] == f"against single_pass single_20251101 · {LOG} line 1"
    assert re.search(
        r"^  final_metrics\.class_balance_delta +0\.2 +0\.4 +-0\.2 \(-50%\) +better$", text, re.MULTILINE
    )
    assert re.search(
        r"^  final_metrics\.accuracy +0\.625 +0\.61 +\+0\.015 \(\+2\.5%\) +better$", text, re.MULTILINE
    )
    assert re.search(r"^  hyperparameters\.use_dual_pass +true +false$", text, re.MULTILINE)
    assert re.search(r"^  hyperparameters\.fusion_mode +learned +–$", text, re.MULTILINE)
    assert "hyperparameters.seed" not in text
    assert "\nthis run found\n  Balances the classes" in text
    assert "\nthe other found\n  Beats the random baseline" in text
    assert re.search(r"\n\d+ differences; \d+ values that both have are the same\n$", text)
    made = document(lab, "dual_20251102", "--diff", "single_pass")
    assert made["against"] == {
        "reference": "single_pass",
        "run": "single_20251101",
        "path": LOG,
        "line": 1,
        "entry": SINGLE,
    }
    by_name = {each["name"]: each for each in made["differences"]}
    assert by_name["hyperparameters.use_dual_pass"] == {
        "group": "configuration", "name": "hyperparameters.use_dual_pass", "run": True, "against": False,
    }  # fmt: skip
    assert by_name["final_metrics.class_balance_delta"]["group"] == "results"
    assert by_name["entry.timestamp"]["group"] == "other"
    assert f"\n{len(made['differences'])} differences; " in text


def test_two_runs_are_compared_by_name_whichever_was_first(lab: Path) -> None:
    made = document(lab, "single_20251101", "--diff", "dual_20251102")
    assert made["against"]["reference"] is None
    assert made["against"]["entry"] == DUAL
    text = shown(lab, "single_20251101", "--diff", "dual_20251102")
    assert f"against dual_20251102 · {LOG} line 2" in text
    assert re.search(r"final_metrics\.class_balance_delta +0\.4 +0\.2 +\+0\.2 \(\+100%\) +worse", text)
    same = document(lab, "single_20251101", "--diff", "single_20251101")
    assert same["differences"] == []
    assert "\n0 differences; " in shown(lab, "single_20251101", "--diff", "single_20251101")


def test_a_run_is_compared_with_a_baseline_by_the_words_of_both(lab: Path) -> None:
    made = document(lab, "dual_20251102", "--diff", "best_baseline")
    assert (made["against"]["path"], made["against"]["run"]) == ("baselines.jsonl", "3level_fusion")
    assert [(each["group"], each["name"], each["run"], each["against"]) for each in made["differences"]] == [
        ("results", "accuracy", 0.625, 0.58),
        ("results", "cycle_loss", 0.5, 0.1),
        ("configuration", "variant", "dual_pass_learned", "3level_fusion"),
    ]
    text = shown(lab, "dual_20251102", "--diff", "best_baseline")
    assert re.search(r"accuracy +0\.625 +0\.58 +\+0\.045 \(\+7\.8%\) +better", text)
    assert re.search(r"cycle_loss +0\.5 +0\.1 +\+0\.4 \(\+400%\) +worse", text)
    assert "only the other states\n  dropout\n" in text
    assert re.search(r"only this run states\n  domain, split, [^:]*seed", text)


def test_differences_keep_every_digit(lab: Path) -> None:
    other = EXACT.replace(b"exact_20251101", b"other_20251101").replace(b"890123,", b"890124,")
    (lab / LOG).write_bytes(EXACT + b"\n" + other + b"\n")
    text = shown(lab, "other_20251101", "--diff", "exact_20251101", "--output-format", "json")
    made = json.loads(text, parse_float=Decimal)
    assert made["differences"] == [
        {
            "group": "results", "name": "final_metrics.accuracy", "run": Decimal("0.12345678901234567890124"),
            "against": Decimal("0.12345678901234567890123"),
        }
    ]  # fmt: skip


def test_an_object_that_one_run_has_shows_by_its_members(lab: Path) -> None:
    bare = edited(SINGLE, run_id="bare_20251103", final_metrics=None)
    (lab / LOG).write_bytes(lines(SINGLE, bare))
    names = [
        each["name"] for each in document(lab, "bare_20251103", "--diff", "single_20251101")["differences"]
    ]
    assert "final_metrics.accuracy" in names
    assert "final_metrics" not in names


# --- slips ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["dual_20251103"], "no run is called 'dual_20251103'\n  did you mean 'dual_20251102'?"),
        (["dual_20251102", "--diff", "singel_pass"], "no reference and no run is called 'singel_pass'\n  did you mean 'single_pass'?"),
        (["dual_20251102", "--diff", "single_20251110"], "did you mean 'single_20251101'?"),
        (["dual_20251102", "--diff", "xyz"], "the references of this run are single_pass, best_baseline"),
        (["single_20251101", "--diff", "single_pass"], "single_pass: no comparable run was logged before\n  nsm-gate explain single_20251101 shows"),
        (["dual_20251102", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["dual_20251102", "baselines.jsonl"], "no run is called 'dual_20251102'"),
        (["dual_20251102", "--output-format", "csv"], "no output format is called 'csv'"),
        (["dual_20251102", "--line", "7"], "line 7 is not of 'dual_20251102'\n  it stands on line 2"),
        (["dual_20251102", "--output-format", f"json:{LOG}"], "the output would overwrite a log"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_slip_is_an_error_with_a_remedy(lab: Path, args: list[str], said: str) -> None:
    assert said in refused(lab, *args)


def test_a_run_of_two_logs_must_be_told_apart(lab: Path) -> None:
    (lab / "copy.jsonl").write_bytes((lab / LOG).read_bytes())
    assert "dual_20251102 · completed · dual_pass_validation · planning · copy.jsonl line 2\n" in shown(
        lab, "dual_20251102", "copy.jsonl"
    )
    assert re.search(
        r"against single_pass single_20251101 · \S+ line 1\n",
        shown(lab, "dual_20251102", "copy.jsonl", "--diff", "single_pass"),
    )
    (lab / "other").mkdir()
    (lab / "other/training_log.jsonl").write_bytes((lab / LOG).read_bytes())
    assert "name the log after the run" in refused(lab, "dual_20251102")


def test_hostile_text_acts_neither_on_a_terminal_nor_on_a_runner(lab: Path) -> None:
    for number, text in enumerate(HOSTILE):
        odd = edited(
            DUAL,
            run_id=f"odd {text}",
            findings=f"{text} {text}",
            hyperparameters__note=text,
            **{f"member{text}": 1},
        )
        (lab / LOG).write_bytes(lines(SINGLE, odd))
        for args in (
            (),
            ("--diff", "single_pass"),
            ("--output-format", "json"),
            ("--diff", "single_pass", "--output-format", "json"),
        ):
            said = shown(lab, f"odd {text}", *args)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said), number
            assert "##[" not in said
            assert not re.search(r"^\s*::", said, re.MULTILINE)
        assert document(lab, f"odd {text}")["entry"] == odd
