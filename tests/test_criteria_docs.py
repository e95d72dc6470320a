"""docs/criteria.md: every line of the guide's success criteria is there, beside a criterion that means the same."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support import ROOT, SHARED, a_baseline, a_run, check, edited, lines

DOC = (ROOT / "docs/criteria.md").read_text(encoding="utf-8")
GUIDE = SHARED / "spec/experiment-tracking-guide.md"
TYPES = {
    "Domain Exploration": "domain_exploration",
    "Dual-Pass Validation": "dual_pass_validation",
    "Hyperparameter Search": "hyperparam_search",
    "Physics Validation (NSM-33)": "physics_validation",
}
RUN_PLACES = {
    "accuracy": "final_metrics__accuracy",
    "balance_delta": "final_metrics__class_balance_delta",
    "cycle_loss": "final_metrics__cycle_loss",
    "q_neural": "final_metrics__q_neural",
    "beta_limit": "final_metrics__beta_limit",
}
BEST = Decimal("0.58")
"""The accuracy of the baseline that the threshold tests compare with."""


class Row(NamedTuple):
    """A row of a table: under which heading, the guide's words, the criterion and its file."""

    heading: str
    words: str
    criterion: str
    path: str


def rows() -> list[Row]:
    """Return the rows of all tables of criteria."""
    found = []
    for part in re.split(r"^### ", DOC, flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        place = re.search(r"^\[`(.*)`\]\(\.\./\1\)$", part, re.MULTILINE)
        for cells in re.findall(r"^\| (.*?) \| `(\w+)` \|", part, re.MULTILINE):
            assert place, f"{heading} names no file"
            found.append(Row(heading, cells[0].replace("\\|", "|").strip("`"), cells[1], place[1]))
    return found


ROWS = rows()


def guide() -> str:
    """Return the guide's text."""
    if not GUIDE.is_file():
        pytest.skip("the guide is not beside this checkout (../shared/spec)")
    return GUIDE.read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return a section of the guide, with its subsections."""
    _, found, rest = guide().partition(f"\n## {title}\n")
    assert found, f"the guide has no section {title}"
    return rest.partition("\n## ")[0]


def code_lines(title: str) -> list[tuple[str, str]]:
    """Return (subsection, line) of a section's code, with white space squeezed."""
    found = []
    for part in re.split(r"^### ", section(title), flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0].strip()
        for block in re.findall(r"```python\n(.*?)```", part, re.DOTALL):
            found += [
                (heading, " ".join(row.split())) for row in block.splitlines() if row.strip() not in "{}"
            ]
    return found


def test_every_line_of_the_success_criteria_stands_in_the_table_of_its_type() -> None:
    asked = code_lines("Success Criteria by Experiment Type")
    assert len(asked) == 16
    assert set(asked) <= {(row.heading, row.words) for row in ROWS}
    assert {TYPES[heading] for heading, _ in asked} == {Path(r.path).stem for r in ROWS if r.heading in TYPES}


def test_every_domain_metric_stands_in_the_table_of_its_domain() -> None:
    asked = code_lines("Domain-Specific Metrics")
    assert len(asked) == 7
    assert set(asked) <= {(row.heading, row.words) for row in ROWS}


def test_every_target_of_the_baselines_stands_in_their_table() -> None:
    _, _, rest = guide().partition("**Key Metrics Explained**:\n")
    asked = [" ".join(row[2:].split()) for row in rest.partition("\n\n")[0].splitlines()]
    assert len(asked) == 4
    assert set(asked) <= {row.words for row in ROWS if row.path == "rules/logs/baselines.yaml"}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.words], ids=lambda row: f"{row.heading}-{row.criterion}"
)
def test_the_guide_speaks_of_the_criterion_that_it_stands_beside(row: Row) -> None:
    assert re.match(rf'(?:"|\*\*){row.criterion}(?:"|\*\*): ', row.words)


# --- the thresholds, judged on both sides -------------------------------------------------------


def bound(words: str) -> tuple[str, Decimal] | None:
    """Return the operator and the bar that the guide's words state, where they state one."""
    found = re.search(r'(?:: "|target: )([<>])(best_baseline|[0-9.]+)', words)
    return (found[1], BEST if found[2] == "best_baseline" else Decimal(found[2])) if found else None


BOUNDED = [row for row in ROWS if bound(row.words)]


def judged(row: Row, values: list[Any], place: str | None, folder: Path) -> list[dict[str, str]]:
    """Judge a run or baseline for each value at a place; return the outcomes of each, by criterion."""
    baseline = a_baseline(metrics__accuracy=float(BEST))
    kind = Path(row.path).stem
    if kind == "baselines":
        entries = [
            edited(
                baseline, experiment=f"e{number}", **({f"metrics__{row.criterion}": value} if place else {})
            )
            for number, value in enumerate(values)
        ]
        (folder / "baselines.jsonl").write_bytes(lines(*entries))
        log = "baselines.jsonl"
    else:
        run = edited(
            a_run(),
            experiment_type=kind if row.path.startswith("rules/experiment_types/") else "domain_exploration",
            domain=kind if row.path.startswith("rules/domains/") else "planning",
        )
        entries = [
            edited(run, run_id=f"run_{number}_20251101", **({place: value} if place else {}))
            for number, value in enumerate(values)
        ]
        (folder / "baselines.jsonl").write_bytes(lines(baseline))
        (folder / "training_log.jsonl").write_bytes(lines(*entries))
        log = "training_log.jsonl"
    result = check("--all", log, cwd=folder)
    return [result.outcomes(number + 1) for number in range(len(values))]


@pytest.mark.parametrize("row", BOUNDED, ids=lambda row: f"{row.heading}-{row.criterion}")
def test_the_criterion_turns_where_the_guide_says(row: Row, tmp_path: Path) -> None:
    stated = bound(row.words)
    assert stated
    operator, bar = stated
    step = Decimal("0.0001")
    values = [float(bar - step), float(bar), float(bar + step)]
    outcomes = [found[row.criterion] for found in judged(row, values, RUN_PLACES[row.criterion], tmp_path)]
    assert outcomes == (["missed", "missed", "met"] if operator == ">" else ["met", "missed", "missed"])


def test_every_threshold_of_the_guide_was_judged() -> None:
    assert [
        sum(Path(row.path).stem == name for row in BOUNDED) for name in (*TYPES.values(), "baselines")
    ] == [
        3,
        3,
        2,
        2,
        3,
    ]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row not in BOUNDED], ids=lambda row: f"{row.heading}-{row.criterion}"
)
def test_a_criterion_that_states_no_number_is_one_of_the_policy_s(row: Row, tmp_path: Path) -> None:
    (outcomes,) = judged(row, [None], None, tmp_path)
    # domain_metrics stands for those of the run's domain.
    wanted = (
        {"goal_achievement_rate", "temporal_ordering_acc"}
        if row.criterion == "domain_metrics"
        else {row.criterion}
    )
    assert wanted <= outcomes.keys()


# --- arithmetic ---------------------------------------------------------------------------------


WRITTEN = [ROOT / "docs/criteria.md", *sorted((ROOT / "rules").rglob("*.yaml"))]
_SUM = re.compile(r"(?<![\w.])(\(?\d[\d.]*(?: [-+*×/] \d[\d.]*\)?)+) = (\d+(?:\.\d+)?)")


def value(text: str) -> float:
    """Return the value of a written sum, from left to right."""
    first, *rest = text.replace("(", "").replace(")", "").split(" ")
    total = float(first)
    for operator, number in zip(rest[::2], map(float, rest[1::2]), strict=True):
        match operator:
            case "+":
                total += number
            case "-":
                total -= number
            case "/":
                total /= number
            case _:
                total *= number
    return total


@pytest.mark.parametrize(
    "path",
    [path for path in WRITTEN if _SUM.search(path.read_text(encoding="utf-8"))],
    ids=lambda path: path.name,
)
def test_the_arithmetic_that_is_written_out_is_right(path: Path) -> None:
    for left, right in _SUM.findall(path.read_text(encoding="utf-8")):
        half = 0.5 * 10 ** -len(right.partition(".")[2])
        assert value(left) == pytest.approx(float(right), abs=half + 1e-9), left


def test_the_arithmetic_of_the_three_warnings_is_written_out() -> None:
    found = {left for left, _ in _SUM.findall(DOC)}
    assert {"186 / 429", "187 / 429", "174 / 400", "1 / 226", "173 / 174", "0.693 × 156 / 400"} <= found
