"""Names in rules are held against the schemas when the rules are loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import Repo, a_run

HEAD = "experiment_type: mine\ncriteria:\n"


def mistakes(tmp_path: Path, rules: str) -> list[str]:
    """Return what the gate says of a rules file, on stderr."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/mine.yaml", rules)
    repo.write("training_log.jsonl", [a_run()])
    result = repo.check("--all")
    assert result.code in (0, 2)
    return [row.removeprefix("nsm-gate: error: ").strip() for row in result.err.splitlines()]


@pytest.mark.parametrize(
    ("criterion", "column", "fact", "hint"),
    [
        ('acuracy: "> 0.5"', 12, "no 'acuracy'", "accuracy"),
        ("a: {assert: final_metrics.acuracy > 1}", 15, "no 'final_metrics.acuracy'", "final_metrics.accuracy"),
        ("a: {assert: accuracy > 0, when: statsu == 'x'}", 35, "no 'statsu'", "status"),
        ("a: {assert: cycle_loss < single_pass.cycle_los}", 28, "no 'cycle_los'", "cycle_loss"),
        ("a: {series: metric_history.val_loss, is: stable}", 15, "no 'metric_history.val_loss'", "metrics_history"),
        ("a: {assert: hyperparameters.learning_rte > 0}", 15, "no 'hyperparameters.learning_rte'", "hyperparameters.learning_rate"),
        ("a: {assert: entry.timestmp == 'x'}", 15, "no 'timestmp'", "timestamp"),
        ("a: {assert: dataset_config.size > 0}", 15, "no 'dataset_config.size'", None),
    ],
)  # fmt: skip
def test_an_unknown_name_is_a_mistake_at_its_place(
    criterion: str, column: int, fact: str, hint: str | None, tmp_path: Path
) -> None:
    found = mistakes(tmp_path, f"{HEAD}  {criterion}\n")
    assert found[0].startswith(f"rules/mine.yaml:3:{column}: training_log has {fact}") or (
        "entry" in criterion and found[0].startswith(f"rules/mine.yaml:3:{column}:")
    )
    if hint is not None:
        assert found[1] == f"did you mean {hint!r}?"


@pytest.mark.parametrize(
    "criterion",
    [
        "a: {assert: final_metrics.f1_score > 0.5}",
        "a: {assert: hyperparameters.num_heads > 1}",
        "a: {assert: 'metrics_history.my_metric in [1, 2]'}",
        "a: {assert: architecture.attention_heads > 1, when: known(architecture.attention_heads)}",
        'mrr: ">= 0.5"',
        "a: {assert: entry.timestamp == '2025'}",
    ],
)
def test_a_new_member_of_an_open_object_and_a_declared_one_are_fine(criterion: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, f"{HEAD}  {criterion}\n") == []


def test_a_metric_that_a_new_domain_declares_is_a_known_name(tmp_path: Path) -> None:
    rules = "domain: vision\nmetrics: [top5]\ncriteria: {top5: '>= 0.9'}\n"
    assert mistakes(tmp_path, rules) == []
