"""The forms of a criterion: thresholds to be cleared by something, trends, references and their absence."""

from __future__ import annotations

import copy
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import BY_ID
from nsm_gate.criteria import Applied, judge
from nsm_gate.edge.policies import read_policy
from nsm_gate.edge.trees import Files
from nsm_gate.model import Entry, Line, Verdict
from nsm_gate.parser import parse
from nsm_gate.policy import Branch, Criterion
from nsm_gate.records import Record
from nsm_gate.references import Picked
from tests.support import Repo, Result, a_baseline, a_run, check, edited, gate, lines

TYPE = "experiment_type: sweep\n"


def judged(
    root: Path, rule: str, *entries: dict[str, Any], baselines: list[dict[str, Any]] | None = None
) -> Result:
    """Judge every line under a type `sweep`; each entry is put under that type."""
    repo = Repo(root / "lab")
    repo.path.mkdir()
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/sweep.yaml", TYPE + rule)
    runs = [copy.deepcopy(entry) for entry in entries]
    for run in runs:
        run["run_data"]["experiment_type"] = "sweep"
    repo.write("experiments/training_log.jsonl", runs)
    if baselines is not None:
        repo.write("baselines.jsonl", baselines)
    return check("--all", "experiments/training_log.jsonl", cwd=repo.path)


def verdict(result: Result, criterion: str, line: int = 1) -> dict[str, Any]:
    """Return one verdict of a report."""
    assert result.code in (0, 1), result.err
    (found,) = [v for v in result.json["verdicts"] if v["criterion"] == criterion and v["line"] == line]
    return found


def scored(accuracy: float, **changes: Any) -> dict[str, Any]:
    return edited(a_run(), final_metrics__accuracy=accuracy, best_val_accuracy=accuracy, **changes)


def history(*losses: Any) -> list[dict[str, Any]]:
    return [{"epoch": epoch, "val_loss": loss} for epoch, loss in enumerate(losses)]


@pytest.mark.parametrize(
    "rule, accuracy, outcome, margin, expected",
    [
        ("{above: 0.5, by: 0.05}", 0.55, "missed", 0.0, "> 0.5 by 0.05"),
        ("{above: 0.5, by: 0.05}", 0.5525, "met", 0.0025, "> 0.5 by 0.05"),
        ("{at_least: 0.5, by: 0.05}", 0.55, "met", 0.0, ">= 0.5 by 0.05"),
        ("{above: 0.5, by: 10%}", 0.55, "missed", 0.0, "> 0.5 by 10%"),
        ("{at_least: 0.5, by: 10 %}", 0.55, "met", 0.0, ">= 0.5 by 10 %"),
        ("{below: 0.5, by: 10%}", 0.4475, "met", 0.0025, "< 0.5 by 10%"),
        ("{at_most: 0.5, by: 0.1}", 0.4025, "missed", -0.0025, "<= 0.5 by 0.1"),
    ],
)
def test_a_threshold_is_cleared_by_a_number_or_a_share(
    tmp_path: Path, rule: str, accuracy: float, outcome: str, margin: float, expected: str
) -> None:
    found = verdict(judged(tmp_path, f"criteria: {{accuracy: {rule}}}\n", scored(accuracy)), "accuracy")
    assert (found["outcome"], found["expected"]) == (outcome, expected)
    assert found["margin"] == pytest.approx(margin, abs=1e-12)


def test_a_threshold_is_cleared_by_standard_errors(tmp_path: Path) -> None:
    # sqrt(0.55 * 0.45 / 400) is 0.024875: two of them are just under 0.05.
    rule = "criteria: {accuracy: {above: 0.5, standard_errors: 2}, balance_delta: {below: 0.9, by: 0.1}}\n"
    result = judged(tmp_path, rule, scored(0.55), scored(0.545, run_id="planning_b_20251101"))
    met, missed = verdict(result, "accuracy"), verdict(result, "accuracy", 2)
    assert met["outcome"] == "met"
    assert met["expected"] == "> 0.5 by 2 standard errors"
    assert met["margin"] == pytest.approx(0.05 - 2 * (0.55 * 0.45 / 400) ** 0.5)
    assert missed["outcome"] == "missed"
    assert "accuracy 0.545 is not > 0.5 by 2 standard errors (count(accuracy) 400)" in missed["explanation"]


def test_standard_errors_without_a_count_are_unknown(tmp_path: Path) -> None:
    rule = "criteria: {accuracy: {above: 0.5, standard_errors: 2}}\n"
    found = verdict(judged(tmp_path, rule, scored(0.6, dataset_config__val_size=...)), "accuracy")
    assert found["outcome"] == "unknown"
    assert "dataset_config.val_size is absent" in found["explanation"]


def test_at_the_ends_of_a_rate_no_standard_errors_are_said(tmp_path: Path) -> None:
    result = judged(
        tmp_path, 'criteria: {accuracy: "> 0.5"}\n', scored(0), scored(1, run_id="planning_b_20251101")
    )
    said = [verdict(result, "accuracy", line)["explanation"] for line in (1, 2)]
    assert said == ["accuracy 0 is not > 0.5 (short by 0.5)", "accuracy 1 is > 0.5 (by 0.5)"]


def test_standard_errors_of_what_is_no_rate_are_a_mistake(tmp_path: Path) -> None:
    result = judged(tmp_path, "criteria: {cycle_loss: {below: 0.5, standard_errors: 2}}\n", a_run())
    assert result.code == 2
    assert (
        "rules/sweep.yaml:2:54: training_log does not say over how many examples 'cycle_loss' is"
        in result.err
    )


@pytest.mark.parametrize(
    "rule, place",
    [
        ("criteria: {accuracy: {assert: '> 0.5', by: 0.1}}", "2:22: by belongs to a threshold"),
        ("criteria: {a: {use: domain, when: accuracy > 0}}", "2:29: when means nothing beside use"),
        ("criteria: {accuracy: {above: 0.5, tolerance: 1}}", "2:35: tolerance means nothing beside above"),
        ("criteria: {a: {first: [{else: accuracy > 0}], is: stable}}", "2:47: is means nothing beside first"),
        (
            "criteria: {a: {assert: change(accuracy, 0.5) > 0}}",
            "2:41: criteria.a has no member '0.5) > 0'\n  inside { } a comma",
        ),
        ("criteria: {accuracy: {above: 0.5, by: much}}", "2:39: "),
        ("criteria: {accuracy: {above: 0.5, by: -1}}", "2:39: "),
        ("criteria: {accuracy: {above: 0.5, standard_errors: 0}}", "2:52: "),
        (
            "criteria: {a: {series: metrics_history.val_loss, is: stable, bumps: 1}}",
            "2:69: stable has no bumps",
        ),
        ("criteria: {a: {series: metrics_history.val_loss, is: flat}}", "2:54: "),
        ("references: {r: {from: training_log, pick: max(accuracy)}}", "2:17: references.r.none is absent"),
        (
            "references: {accuracy: {from: baselines, pick: max(accuracy), none: pass}}",
            "2:14: reference 'accuracy' is called like a measure",
        ),
        (
            "references: {status: {from: baselines, pick: max(accuracy), none: pass}}",
            "2:14: reference 'status' is",
        ),
        (
            "references: {this: {from: baselines, pick: max(accuracy), none: pass}}",
            "2:14: reference 'this' is called",
        ),
        (
            "references: {r: {from: training_log, pick: max(accuracy), none: pass, where: accuracy > best_baseline}}",
            "2:89: 'best_baseline' is a reference",
        ),
        (
            "references: {r: {from: baselines, pick: max(accuracy), none: pass, where: config.variant == this.varant}}",
            "",
        ),
        ("criteria: {a: this.accuracy > 1}", "2:15: this is the judged run inside of a reference's where"),
    ],
)
def test_a_mistake_in_a_criterion_is_told_at_its_place(tmp_path: Path, rule: str, place: str) -> None:
    result = judged(tmp_path, rule + "\n", a_run())
    assert result.code == 2
    assert f"rules/sweep.yaml:{place}" in result.err


@pytest.mark.parametrize(
    "form, losses, outcome, said",
    [
        ("is: decreasing", [3, 2, 1], "met", "3 → 1 over 3 values is decreasing"),
        ("is: decreasing", [3, 2, 2.5, 1], "missed", "it rises at value 3: 2 → 2.5"),
        ("is: decreasing, bumps: 1", [3, 2, 2.5, 1], "met", "decreasing (bumps 1)"),
        ("is: decreasing, tolerance: 0.5", [3, 2, 2.5, 1], "met", ""),
        ("is: decreasing", [3, 2, 4, 3, 3.5, 1], "missed", "it rises 2 times, most at value 3: 2 → 4"),
        ("is: decreasing", [3, 3], "missed", "it ends no better than it began"),
        ("is: increasing", [3, 2, 4], "missed", "it falls at value 2: 3 → 2"),
        ("is: stable, last: 2, tolerance: 0.01", [3, 2, 2.01], "met", ""),
        (
            "is: stable, tolerance: 0.01",
            [3, 2, 2.01],
            "missed",
            "3 values from 2 to 3 spread by 0.333333 of the largest",
        ),
        ("is: converged, last: 2, tolerance: 0.01", [3, 2, 2.01, 2.02], "met", ""),
        (
            "is: converged, last: 2, tolerance: 0.001",
            [3, 2, 2.01, 2.02],
            "missed",
            "of the last 2 steps the largest is 0.005",
        ),
        ("is: converged", [3, 2], "unknown", "the values do not fit the test"),
        ("is: no_nan", [3, 2], "met", ""),
        ("is: no_nan", [3, None, 2], "missed", "value 2 is no number"),
        ("is: decreasing", [3, None, 2], "unknown", "val_loss is not in every item of metrics_history"),
        ("is: decreasing", [], "unknown", "metrics_history is empty"),
        ("is: no_nan", [], "unknown", "metrics_history is empty"),
        ("is: decreasing", [1], "unknown", "the values do not fit the test"),
    ],
)
def test_a_trend_is_judged_and_explained(
    tmp_path: Path, form: str, losses: list[Any], outcome: str, said: str
) -> None:
    rule = f"criteria: {{convergence: {{series: metrics_history.val_loss, {form}}}}}\n"
    found = verdict(judged(tmp_path, rule, edited(a_run(), metrics_history=history(*losses))), "convergence")
    assert found["outcome"] == outcome
    assert said in found["explanation"]


def test_no_nan_of_a_series_with_a_gap_is_unknown(tmp_path: Path) -> None:
    gappy = [{"epoch": 0, "val_loss": 1.0}, {"epoch": 1}]
    rule = "criteria: {finite: no_nan(metrics_history.val_loss)}\n"
    found = verdict(judged(tmp_path, rule, edited(a_run(), metrics_history=gappy)), "finite")
    assert found["outcome"] == "unknown"


def test_a_history_of_numbers_is_a_series(tmp_path: Path) -> None:
    rule = "criteria: {convergence: decreasing(metrics_history)}\n"
    found = verdict(judged(tmp_path, rule, edited(a_run(), metrics_history=[3, 2, 1])), "convergence")
    assert found["outcome"] == "met"


@pytest.mark.parametrize(
    "asks, outcome",
    [
        ("requires: [domain_metrics]\ncriteria: {cycle_loss: '< 1'}\n", "unknown"),
        ("criteria: {cycle_loss: '< 1', of_the_domain: {use: domain}}\n", "unknown"),
        ("criteria: {cycle_loss: '< 1'}\n", "not-applicable"),
    ],
)
def test_a_metric_of_the_domain_may_be_missing_where_the_type_does_not_ask_for_it(
    tmp_path: Path, asks: str, outcome: str
) -> None:
    result = judged(tmp_path, asks, edited(a_run(), goal_achievement_rate=...))
    assert result.outcomes(1) == {
        "cycle_loss": "met",
        "goal_achievement_rate": outcome,
        "temporal_ordering_acc": "met",
    }
    assert verdict(result, "goal_achievement_rate")["explanation"] == "goal_achievement_rate is absent"


# --- references -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "none, outcome, found",
    [
        ("unknown", "unknown", ["criterion-unknown"]),
        ("pass", "met", []),
        ("warn", "met", ["criterion-unknown"]),
        ("fail", "missed", ["criterion-missed"]),
    ],
)
def test_what_holds_without_a_reference_is_what_the_rules_say(
    tmp_path: Path, none: str, outcome: str, found: list[str]
) -> None:
    rule = (
        f"references: {{prior: {{from: baselines, pick: max(accuracy), none: {none}}}}}\n"
        'criteria: {accuracy: "> prior + 0.01"}\n'
    )
    result = judged(tmp_path, rule, a_run(), baselines=[])
    said = verdict(result, "accuracy")
    assert said["outcome"] == outcome
    assert "no comparable run was logged before" in said["explanation"]
    assert (said["margin"], said["reference"]) == (None, None)
    assert [f["rule"] for f in result.findings if f["criterion"] == "accuracy"] == found


@pytest.mark.parametrize("none", ["pass", "warn", "fail"])
def test_a_value_that_the_run_lacks_is_unknown_whatever_holds_without_a_reference(
    tmp_path: Path, none: str
) -> None:
    rule = (
        f"references: {{prior: {{from: baselines, pick: max(accuracy), none: {none}}}}}\n"
        'criteria: {cycle_loss: "< prior"}\n'
    )
    result = judged(tmp_path, rule, edited(a_run(), final_metrics__cycle_loss=None), baselines=[])
    assert verdict(result, "cycle_loss")["outcome"] == "unknown"


@pytest.mark.parametrize("none", ["pass", "warn", "fail"])
def test_a_reference_that_lacks_the_measure_is_unknown(tmp_path: Path, none: str) -> None:
    rule = (
        f"references: {{prior: {{from: baselines, pick: max(accuracy), none: {none}}}}}\n"
        'criteria: {cycle_loss: "< prior"}\n'
    )
    lacking = a_baseline(metrics__cycle_loss=None)
    assert verdict(judged(tmp_path, rule, a_run(), baselines=[lacking]), "cycle_loss")["outcome"] == "unknown"


@pytest.mark.parametrize("none", ["pass", "warn", "fail"])
def test_a_value_that_does_not_fit_the_test_is_unknown_whatever_holds_without_a_reference(
    tmp_path: Path, none: str
) -> None:
    rule = (
        f"references: {{prior: {{from: baselines, pick: max(accuracy), none: {none}}}}}\n"
        "criteria: {score: final_metrics.score > prior.accuracy}\n"
    )
    run = edited(a_run(), final_metrics__score="high")
    said = verdict(judged(tmp_path, rule, run, baselines=[]), "score")
    assert said["outcome"] == "unknown"
    assert said["explanation"].startswith("the values do not fit the test: final_metrics.score 'high', prior")


@pytest.mark.parametrize("measure", ["accuracy", "best_val_accuracy"])
def test_a_value_of_zero_fits_a_relative_change(tmp_path: Path, measure: str) -> None:
    rule = (
        "references: {prior: {from: baselines, pick: max(accuracy), none: pass}}\n"
        f'criteria: {{gain: "relative_change({measure}, prior.accuracy) > 0"}}\n'
    )
    assert verdict(judged(tmp_path, rule, scored(0), baselines=[]), "gain")["outcome"] == "met"


def test_the_explanation_of_a_computed_value_names_what_it_is_computed_from(tmp_path: Path) -> None:
    rule = 'criteria: {error: {assert: 1 - accuracy < 0.5}, put: {assert: "first(final_metrics.score, 1) > 0"}}\n'
    result = judged(tmp_path, rule, scored(0.61))
    assert verdict(result, "error")["explanation"] == "0.39 is < 0.5 (accuracy 0.61) (by 0.11)"
    assert verdict(result, "put")["explanation"] == "1 is > 0 (final_metrics.score is absent) (by 1)"


def test_the_gravest_word_counts_where_two_references_have_no_run(tmp_path: Path) -> None:
    rule = (
        "references:\n"
        "  one: {from: baselines, pick: max(accuracy), none: pass}\n"
        "  two: {from: baselines, pick: min(cycle_loss), none: fail}\n"
        "criteria: {both: accuracy > one.accuracy and cycle_loss < two.cycle_loss}\n"
    )
    assert verdict(judged(tmp_path, rule, a_run(), baselines=[]), "both")["outcome"] == "missed"


@pytest.mark.parametrize(
    "test, outcome",
    [
        ('"> best_baseline"', "met"), ('"> best_baseline + 0.03"', "missed"), ('"> best_baseline + 0.029"', "met"),
        ("{above: best_baseline, by: 5%}", "met"), ("{above: best_baseline, by: 6%}", "missed"),
        ('{assert: "relative_change(accuracy, best_baseline.accuracy) > 0.05"}', "met"),
        ('{assert: "change(accuracy, best_baseline.accuracy) >= 0.03"}', "met"),
    ],
)  # fmt: skip
def test_a_reference_is_beaten_with_a_tolerance(tmp_path: Path, test: str, outcome: str) -> None:
    result = judged(tmp_path, f"criteria: {{accuracy: {test}}}\n", a_run(), baselines=[a_baseline()])
    found = verdict(result, "accuracy")  # 0.61 against 0.58
    assert found["outcome"] == outcome
    assert found["reference"]["run"] == "3level_fusion"


def test_candidates_are_comparable_by_any_expression_over_this(tmp_path: Path) -> None:
    rule = (
        "references:\n"
        "  peer:\n"
        "    from: baselines\n"
        "    where: config.variant == this.architecture.variant and config.epochs <= this.hyperparameters.epochs\n"
        "    pick: max(accuracy)\n"
        "    none: unknown\n"
        'criteria: {accuracy: "> peer"}\n'
    )
    strong = a_baseline("strong", metrics__accuracy=0.9)
    longer = a_baseline("peer_long", metrics__accuracy=0.8, config__variant="fusion", config__epochs=20)
    peer = a_baseline("peer", metrics__accuracy=0.6, config__variant="fusion")
    run = edited(a_run(), architecture={"variant": "fusion"})
    found = verdict(judged(tmp_path, rule, run, baselines=[strong, longer, peer]), "accuracy")
    assert (found["outcome"], found["reference"]["run"]) == ("met", "peer")


def test_a_misspelt_member_of_this_is_a_mistake(tmp_path: Path) -> None:
    rule = (
        "references: {r: {from: baselines, pick: max(accuracy), none: pass, "
        "where: config.variant == this.architectre.variant}}\n"
    )
    result = judged(tmp_path, rule, a_run())
    assert result.code == 2
    assert "rules/sweep.yaml:2:" in result.err
    assert "did you mean 'architecture'?" in result.err


def test_a_reference_sees_the_lines_that_the_same_change_appends_before_it(tmp_path: Path) -> None:
    rule = (
        "references: {prior: {from: training_log, pick: max(accuracy), none: unknown}}\n"
        'criteria: {accuracy: "> prior"}\n'
    )
    repo = Repo.init(tmp_path / "lab")
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/sweep.yaml", TYPE + rule)
    repo.write("experiments/training_log.jsonl", b"")
    repo.commit()
    first = scored(0.5, experiment_type="sweep")
    second = edited(
        scored(0.55, experiment_type="sweep", run_id="planning_b_20251101"), final_metrics__task_loss=0.5
    )
    repo.append("experiments/training_log.jsonl", first, second)
    result = repo.check()
    assert verdict(result, "accuracy")["outcome"] == "unknown"
    found = verdict(result, "accuracy", 2)
    assert (found["outcome"], found["reference"]["line"], found["reference"]["appended"]) == ("met", 1, True)


# --- names ------------------------------------------------------------------------------------

LOG = """\
log: training_log
replace: true
files: ["**/training_log.jsonl"]
schema: training_log.schema.json
run: run_data
key: [run_id]
"""


@pytest.mark.parametrize(
    "names, said",
    [
        (
            "names: {accuracy: [score], score: [accuracy]}",
            "7:20: 'score' is itself a name, and the names go in a circle",
        ),
        ("names: {score: [score]}", "7:17: 'score' is itself a name, and the names go in a circle"),
        ("names: {score: [final], final: [final_metrics.accuracy]}", "7:17: 'final' is itself a name"),
        ("names: {score: [final_metric.accuracy]}", "7:17: training_log has no 'final_metric.accuracy'"),
        ("rates: {accuracy: dataset_config.valsize}", "7:19: training_log has no 'dataset_config.valsize'"),
    ],
)
def test_a_name_leads_to_a_place_of_the_schema(tmp_path: Path, names: str, said: str) -> None:
    repo = Repo(tmp_path)
    repo.write("nsm-gate.yaml", "rules: [rules]\nextends: none\n")
    repo.write("rules/log.yaml", f"{LOG}{names}\n")
    repo.write("experiments/training_log.jsonl", lines(a_run()))
    result = gate("check", "--all", cwd=tmp_path)
    assert result.code == 2
    assert f"rules/log.yaml:{said}" in result.err


def test_a_value_that_the_schema_misses_is_called_absent_not_refused(tmp_path: Path) -> None:
    entry = a_baseline(metrics__accuracy=...)
    (tmp_path / "baselines.jsonl").write_bytes(lines(entry))
    found = verdict(check("--all", cwd=tmp_path), "accuracy")
    assert (found["outcome"], found["explanation"]) == ("unknown", "metrics.accuracy is absent")


def test_a_series_with_a_null_is_shown_as_the_series_that_it_is(tmp_path: Path) -> None:
    rule = "criteria: {finite: {series: metrics_history.val_loss, is: no_nan}}\n"
    found = verdict(judged(tmp_path, rule, edited(a_run(), metrics_history=history(3, None, 2))), "finite")
    assert found["outcome"] == "missed"
    assert found["explanation"] == "finite a list of 3 items is not no_nan: value 2 is no number"


# --- every member of a verdict ----------------------------------------------------------------

EVERY = """\
references:
  prior: {from: baselines, pick: max(accuracy), none: warn}
  absent: {from: baselines, where: accuracy > 2, pick: max(accuracy), none: pass}
criteria:
  accuracy: "> 0.5"
  balance_delta: "< 0.05"
  cycle_loss: "< 0.5"
  beats: accuracy > prior.accuracy
  nobody: accuracy > absent.accuracy
  error: {assert: 1 - accuracy < 0.5, when: hyperparameters.epochs > 5}
  early: {assert: accuracy > 0.5, when: hyperparameters.epochs > 50}
  late: {assert: accuracy > 0.5, when: best_epoch > 50}
  either: accuracy > 0.7 or cycle_loss > 0.2
  staged: {first: [{if: hyperparameters.epochs > 50, then: accuracy > 0.7}, {if: hyperparameters.epochs > 5, then: accuracy > 0.6}, {else: accuracy > 0.5}]}
  unstaged: {first: [{if: best_epoch > 50, then: accuracy > 0.7}, {else: accuracy > 0.5}]}
  never: {first: [{if: hyperparameters.epochs > 50, then: accuracy > 0.7}]}
  convergence: {series: metrics_history.val_loss, is: decreasing}
  best_epoch: known(best_epoch)
"""
VERDICTS: dict[str, tuple[Any, ...]] = {
    "accuracy": (
        "met",
        0.61,
        "> 0.5",
        0.11,
        "accuracy 0.61 is > 0.5 (by 0.11, 4.5 standard errors at n=400)",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "balance_delta": (
        "missed",
        0.06,
        "< 0.05",
        -0.01,
        "balance_delta 0.06 is not < 0.05 (over by 0.01)",
        "/run_data/final_metrics/class_balance_delta",
        None,
    ),
    "cycle_loss": (
        "missed",
        0.5,
        "< 0.5",
        0.0,
        "cycle_loss 0.5 is not < 0.5 (exactly at the threshold)",
        "/run_data/final_metrics/cycle_loss",
        None,
    ),
    "beats": (
        "met",
        {"accuracy": 0.61, "prior.accuracy": 0.58},
        "accuracy > prior.accuracy",
        0.03,
        "accuracy 0.61 is > prior.accuracy 0.58 (by 0.03), prior being 3level_fusion",
        "/run_data/final_metrics/accuracy",
        "3level_fusion",
    ),
    "nobody": (
        "met",
        {"accuracy": 0.61, "absent.accuracy": None},
        "accuracy > absent.accuracy",
        None,
        "absent: no comparable run was logged before, which the rules count as met",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "error": (
        "met",
        {"accuracy": 0.61},
        "1 - accuracy < 0.5",
        0.11,
        "0.39 is < 0.5 (accuracy 0.61) (by 0.11)",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "early": (
        "not-applicable",
        None,
        "accuracy > 0.5",
        None,
        "does not apply: hyperparameters.epochs 10",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "late": (
        "unknown",
        {"accuracy": 0.61},
        "accuracy > 0.5",
        None,
        "best_epoch is absent",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "either": (
        "met",
        {"accuracy": 0.61, "cycle_loss": 0.5},
        "accuracy > 0.7 or cycle_loss > 0.2",
        0.3,
        "accuracy > 0.7 or cycle_loss > 0.2 holds: accuracy 0.61, cycle_loss 0.5 (by 0.3)",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "staged": (
        "met",
        {"accuracy": 0.61},
        "accuracy > 0.6",
        0.01,
        "accuracy 0.61 is > 0.6 (by 0.01), as hyperparameters.epochs 10",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "unstaged": (
        "unknown",
        {"accuracy": 0.61},
        "accuracy > 0.7",
        None,
        "best_epoch is absent",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "never": (
        "not-applicable",
        None,
        "accuracy > 0.7",
        None,
        "no branch applies",
        "/run_data/final_metrics/accuracy",
        None,
    ),
    "convergence": (
        "missed",
        [3, 2, 2.5],
        "decreasing",
        None,
        "convergence 3 → 2.5 over 3 values is not decreasing: it rises at value 3: 2 → 2.5",
        "/run_data/metrics_history",
        None,
    ),
    "best_epoch": (
        "missed",
        None,
        "known(best_epoch)",
        None,
        "best_epoch unknown is not known(best_epoch)",
        "/run_data/best_epoch",
        None,
    ),
}
"""Criterion -> outcome, what was observed, expected, margin, explanation, pointer, and whom it is compared with."""


def told(verdict: dict[str, Any]) -> tuple[Any, ...]:
    reference = verdict["reference"] or {}
    members = ("outcome", "observed", "expected", "margin", "explanation", "pointer")
    return (*(verdict[name] for name in members), reference.get("run"))


def test_every_member_of_a_verdict_is_told(tmp_path: Path) -> None:
    run = edited(a_run(), metrics_history=history(3, 2, 2.5))
    failed = edited(a_run("planning_b_20251101", 1), status="failed", error_message="out of memory at step 5")
    result = judged(tmp_path, EVERY, run, failed, baselines=[a_baseline()])
    own = [v for v in result.json["verdicts"] if v["defined_at"].startswith("rules/")]
    assert {v["criterion"]: told(v) for v in own if v["line"] == 1} == VERDICTS
    assert {(v["outcome"], v["explanation"], v["margin"]) for v in own if v["line"] == 2} == {
        ("not-applicable", "the run is 'failed'", None)
    }
    line = EVERY[: EVERY.index("  accuracy:")].count("\n") + 2
    assert [v["defined_at"] for v in own if v["line"] == 1] == [
        f"rules/sweep.yaml:{line + number}" for number in range(len(VERDICTS))
    ]
    for verdict in own:
        names = ("path", "run", "experiment_type", "domain", "rules_from")
        assert [verdict[name] for name in names] == [
            "experiments/training_log.jsonl",
            "planning_plain_20251101" if verdict["line"] == 1 else "planning_b_20251101",
            "sweep",
            "planning",
            "head",
        ]


# --- words, without the command ---------------------------------------------------------------

LOGS = read_policy(Files({}), None, BY_ID).logs
NOBODY = "no comparable run was logged before"


def record(log: str, entry: dict[str, Any]) -> Record:
    return Record(Entry(Line(1, lines(entry)), entry), LOGS[log], f"{log}.jsonl")


PICKS = {
    "prior": Picked(record("baselines", a_baseline()), 1),
    "nameless": Picked(record("baselines", a_baseline(experiment=5)), 1),
    "passing": Picked(None, 0, f"passing: {NOBODY}", "pass"),
    "failing": Picked(None, 0, f"failing: {NOBODY}", "fail"),
}
"""Reference -> what is picked for it."""


def of(
    test: str,
    run: dict[str, Any],
    *,
    when: str | None = None,
    refused: Collection[str] = frozenset(),
    brief: bool = False,
    **kind: Any,
) -> Verdict:
    """Judge a run by a test of no single name; the log kind may be a little another."""
    only = parse(when) if when is not None else None
    branches = (Branch(None, parse(test), test),)
    criterion = Criterion("it", branches, only, None, "", "rules.yaml:1", "its law", "base")
    this = record("training_log", run)
    this = this._replace(kind=this.kind._replace(**kind))
    return judge(Applied(criterion), this, PICKS.get, refused, brief=brief)


@pytest.mark.parametrize(
    "test, changes, outcome, words, pointer",
    [
        ("accuracy - 0.1 > cycle_loss / 2", {}, "met",
         "0.51 is > 0.25 (accuracy 0.61, cycle_loss 0.5) (by 0.26)", "final_metrics/accuracy"),
        ("accuracy > 0.7 or cycle_loss > 0.6", {}, "missed",
         "accuracy > 0.7 or cycle_loss > 0.6 does not hold: accuracy 0.61, cycle_loss 0.5 (by 0.09)", "final_metrics/accuracy"),
        ("prior.accuracy > 0.5", {}, "met", "prior.accuracy 0.58 is > 0.5 (by 0.08), prior being 3level_fusion", None),
        ("accuracy / (failing.accuracy - accuracy) > 1", {}, "missed", f"failing: {NOBODY}, which the rules count as missed",
         "final_metrics/accuracy"),
    ],
)  # fmt: skip
def test_a_test_of_several_values_says_them(
    test: str, changes: dict[str, Any], outcome: str, words: str, pointer: str | None
) -> None:
    found = of(test, edited(a_run(), **changes))
    place = None if pointer is None else f"/run_data/{pointer}"
    assert (found.outcome, found.explanation, found.pointer) == (outcome, words, place)


PASSED = f"passing: {NOBODY}, which the rules count as met"
UNFIT = "the values do not fit the test: "


@pytest.mark.parametrize(
    "test, changes, words",
    [
        # A run that is not there is taken to be this one, or to have 1 everywhere: the test fits one of them.
        ("domain == passing.domain", {}, PASSED),
        ("standard_error(passing.mrr, 400) < 0.1", {}, PASSED),
        ("len(passing.metrics_history) == 3", {"metrics_history": []}, PASSED),
        ("no_nan(passing.metrics_history.val_loss) and decreasing(passing.metrics_history.val_loss)",
         {"metrics_history": history(3, None, 2)}, PASSED),
        ("prior.experiment > passing.accuracy", {}, f"{UNFIT}prior.experiment '3level_fusion', passing: {NOBODY}"),
        ("final_metrics.score + passing.accuracy > 1", {"final_metrics__score": "high"},
         f"{UNFIT}final_metrics.score 'high', passing: {NOBODY}"),
        ("achieved(architecture)", {"architecture": {}}, f"{UNFIT}architecture an object of 0 members"),
        ("stable(metrics_history, last=5)", {"metrics_history": [2, 1]},
         f"{UNFIT}metrics_history 2 → 1 over 2 values (stable is unknown where there are fewer than two values, or fewer than last)"),
    ],
)  # fmt: skip
def test_only_what_could_be_tested_is_met_by_the_word_of_the_rules(
    test: str, changes: dict[str, Any], words: str
) -> None:
    found = of(test, edited(a_run(), **changes))
    assert (found.outcome, found.explanation) == ("met" if words == PASSED else "unknown", words)


CURVE = [{"val": {"loss": 1}}, {"val": {}}]


@pytest.mark.parametrize(
    "test, changes, words, lacks",
    [
        ("best_epoch > 5 and best_val_loss < 1", {"best_val_loss": None}, "best_epoch is absent, best_val_loss is null",
         ["run_data/best_epoch", "run_data/best_val_loss"]),
        ("entry.timestamp > 'x'", {"entry__timestamp": None}, "timestamp is null", ["timestamp"]),
        ("entry.notes.loss > 0", {"entry__notes": []}, "notes is empty", ["notes/loss"]),
        ("final_metrics.curve.val.loss > 0", {"final_metrics__curve": CURVE},
         "val.loss is not in every item of final_metrics.curve", ["run_data/final_metrics/curve/val/loss"]),
        ("final_metrics.curve.val.loss > 0", {"final_metrics__curve": []}, "final_metrics.curve is empty",
         ["run_data/final_metrics/curve/val/loss"]),
        ("count(final_metrics.accuracy) > 5", {}, "no count of examples is declared for accuracy",
         ["final_metrics/count()/accuracy"]),
        # What another run lacks is nothing that this one lacks.
        ("best_epoch > prior.config.depth", {}, "best_epoch is absent, 3level_fusion has no config.depth at the same place",
         ["run_data/best_epoch"]),
        ("nameless.config.depth > 0", {}, "the reference has no config.depth at the same place", []),
        ("best_epoch > passing.best_epoch", {}, f"best_epoch is absent, passing: {NOBODY}", ["run_data/best_epoch"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(test: str, changes: dict[str, Any], words: str, lacks: list[str]) -> None:
    found = of(test, edited(a_run(), **changes))
    assert (found.outcome, found.explanation) == ("unknown", words)
    assert found.lacks == tuple(f"/{place}" for place in lacks)


@pytest.mark.parametrize(
    "run, words", [([], "run_data is empty"), ([{}], "best_epoch is not in every item of run_data")]
)
def test_a_list_in_the_place_of_the_run_is_named(run: list[Any], words: str) -> None:
    found = of("best_epoch > 5", {"timestamp": "2025-11-01T00:00:31Z", "run_data": run}, status=None)
    assert (found.outcome, found.explanation) == ("unknown", words)


def test_a_run_without_a_name_is_compared_with_all_the_same() -> None:
    found = of("accuracy > nameless.accuracy", a_run()).reference
    assert found is not None
    assert (found.name, found.run, found.path, found.line) == ("nameless", "", "baselines.jsonl", 1)


@pytest.mark.parametrize("status, words", [("failed", "'failed'"), (..., "without a status")])
def test_a_run_that_did_not_complete_is_not_judged_and_said_to_be_so(status: Any, words: str) -> None:
    found = of("accuracy > 0.5", edited(a_run(), status=status))
    assert (found.outcome, found.explanation) == ("not-applicable", f"the run is {words}")


@pytest.mark.parametrize("refused", ["/run_data/best_epoch", "*"])
@pytest.mark.parametrize(
    "epoch, why", [(-1, "refused by the schema"), (None, "refused by the schema"), (..., "absent")]
)
def test_a_value_that_the_schema_refuses_is_called_so_where_it_is_there(
    refused: str, epoch: Any, why: str
) -> None:
    found = of("best_epoch < 5", edited(a_run(), best_epoch=epoch), refused=[refused])
    assert (found.outcome, found.explanation) == ("unknown", f"best_epoch is {why}")


@pytest.mark.parametrize(
    "test, when, changes, outcome",
    [
        ("accuracy > 0.5", None, {}, "met"),
        ("accuracy > 0.5", "cycle_loss > 1", {}, "not-applicable"),
        ("accuracy > 0.5", None, {"status": "failed"}, "not-applicable"),
    ],
)
def test_a_brief_verdict_of_which_nothing_is_to_be_said_is_the_outcome(
    test: str, when: str | None, changes: dict[str, Any], outcome: str
) -> None:
    run = edited(a_run(), **changes)
    found, whole = of(test, run, when=when, brief=True), of(test, run, when=when)
    assert found.outcome == outcome
    assert found == whole._replace(
        run=None, experiment_type=None, domain=None, observed=None, expected="", margin=None, explanation="",
        pointer=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "test, when", [("accuracy > 0.7", None), ("best_epoch > 5", None), ("true", "best_epoch > 5")]
)
def test_a_brief_verdict_that_is_missed_or_unknown_says_all(test: str, when: str | None) -> None:
    assert of(test, a_run(), when=when, brief=True) == of(test, a_run(), when=when)
