"""The guide's success criteria, judged from its own snippets, held against the verdicts of the gate."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.guide import Ran
from tests.guide_formats import entries

PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "accuracy": lambda run: first(
        (run.get("final_metrics") or {}).get("accuracy"), run.get("best_val_accuracy")
    ),
    "balance_delta": lambda run: (run.get("final_metrics") or {}).get("class_balance_delta"),
    "cycle_loss": lambda run: (run.get("final_metrics") or {}).get("cycle_loss"),
    "q_neural": lambda run: (run.get("final_metrics") or {}).get("q_neural"),
    "beta_limit": lambda run: (run.get("final_metrics") or {}).get("beta_limit"),
}
"""Criterion of the guide -> where a run has its value."""


def first(*values: Any) -> Any:
    """Return the first value that is there."""
    return next((value for value in values if value is not None), None)


def outcome(words: str, value: Any, run: dict[str, Any], best_baseline: float | None) -> str:
    """Judge a value by the words of the guide: `>0.55`, `<0.40`, `>best_baseline`."""
    if run["status"] != "completed":
        return "not-applicable"
    bar = best_baseline if words[1:] == "best_baseline" else float(words[1:])
    if value is None or bar is None:
        return "unknown"
    return "met" if (value > bar if words[0] == ">" else value < bar) else "missed"


def best_before(place: Path, moment: str) -> float | None:
    """Return the highest accuracy among the baselines that were logged before a moment, in UTC."""
    logged = [entry for entry in entries(place, "baselines.jsonl") if entry["timestamp"] < moment]
    return max((entry["metrics"]["accuracy"] for entry in logged), default=None)


def criteria(kind: str) -> Callable[[Ran, list[Any]], None]:
    """Return the comparison of an experiment type's criteria."""

    def compare(guide: Ran, ours: list[Any]) -> None:
        report, shown, table = ours
        stated = ast.literal_eval(guide.block)
        named = re.findall(r"^criterion (\w+) ", shown, re.MULTILINE)
        assert named == list(stated)
        judged = {
            (each["line"], each["criterion"]): each["outcome"]
            for each in report["verdicts"] if each["experiment_type"] == kind
        }  # fmt: skip
        numbered = list(enumerate(entries(guide.place), 1))
        mine = [(line, entry) for line, entry in numbered if entry["run_data"].get("experiment_type") == kind]
        assert {line for line, _ in judged} == {line for line, _ in mine}
        tests = {
            name: words
            for name, words in stated.items()
            if re.fullmatch(r"[<>](best_baseline|[\d.]+)", words)
        }
        assert len(tests) >= 2
        for line, entry in mine:
            run, bar = entry["run_data"], best_before(guide.place, entry["timestamp"])
            for name, words in tests.items():
                assert judged[line, name] == outcome(words, PLACES[name](run), run, bar), (line, name)
            # The others state no number; what they mean is told in docs/criteria.md.
            assert all((line, name) in judged for name in set(stated) - set(tests) - {"domain_metrics"})
        counted = {row["run"]: row for row in table["runs"]}
        for line, entry in mine:
            outcomes = [how for (at, _), how in judged.items() if at == line]
            row = counted[entry["run_data"]["run_id"]]
            if [e["run_data"]["run_id"] for _, e in mine].count(row["run"]) == 1:
                said = {how: row[f"verdicts.{how}"] or 0 for how in ("met", "missed", "unknown")}
                assert said == {how: outcomes.count(how) for how in said}
        problems = {finding["rule"] for finding in report["findings"]}
        assert problems <= {"criterion-missed", "criterion-unknown"}
        assert all(finding["severity"] == "warning" for finding in report["findings"])

    return compare
