"""What the guide's snippets compute, held against what the commands beside them say. One function a section."""

from __future__ import annotations

import html
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.guide import Ran, working_in
from tests.guide_criteria import PLACES, criteria
from tests.guide_formats import (
    DOMAINS,
    LOG,
    a_domain,
    a_format,
    architecture,
    entries,
    errors,
    findings,
    hyperparameters,
    naming,
    timestamps,
)
from tests.support import a_run, edited, gate, lines

Compare = Callable[[Ran, list[Any]], None]


def stream(text: str) -> Iterator[Any]:
    """Yield the JSON values that jq printed."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def reading(guide: Ran, ours: list[Any]) -> None:
    every, latest = ours
    assert every["runs"] == guide.names["experiments"]
    (row,) = latest["runs"]
    assert guide.out == f"Run: {row['run_id']}\nAccuracy: {row['best_val_accuracy']}\n"


def baselines(guide: Ran, ours: list[Any]) -> None:
    rows, groups = ours
    said = [
        f"{r['experiment']}: acc={r['accuracy']:.3f}, balance={r['balance_delta']:.3f}" for r in rows["runs"]
    ]
    assert guide.out.splitlines() == said
    assert sum(group["count"] for group in groups["groups"]) == len(guide.names["baselines"])


def best(guide: Ran, ours: list[Any]) -> None:
    planning, each = ours
    assert planning["runs"] == [guide.names["best"]]
    found = {entry["run_data"]["domain"]: entry for entry in each["runs"]}
    assert set(found) == set(DOMAINS)
    with working_in(guide.place):
        assert found == {domain: guide.names["find_best_run"](domain) for domain in DOMAINS}


def fusion(guide: Ran, ours: list[Any]) -> None:
    latest, groups = ours
    modes = {
        row["hyperparameters.fusion_mode"]: {
            "accuracy": row["best_val_accuracy"], "balance_delta": row["final_metrics.class_balance_delta"],
        }
        for row in latest["runs"]
    }  # fmt: skip
    if guide.error:
        # A failed run has no final metrics: the snippet stops there.
        assert guide.error == "TypeError: 'NoneType' object is not subscriptable"
        assert len(modes) == len(groups["groups"]) >= 3
    else:
        assert modes == guide.names["fusion_comparison"]
    assert {group["hyperparameters.fusion_mode"] for group in groups["groups"]} == set(modes)
    for group in groups["groups"]:
        latest_of_mode = modes[group["hyperparameters.fusion_mode"]]["accuracy"]
        assert latest_of_mode is None or latest_of_mode <= group["best_val_accuracy.best"]


def selected(guide: Ran, ours: list[Any]) -> None:
    """The entries that jq selects are those of each command; a table of columns has as many rows."""
    wanted = list(stream(guide.out))
    for document in ours:
        rows = document["runs"]
        assert len(rows) == len(wanted)
        if not rows or "run_data" in rows[0]:
            assert rows == wanted


def statuses(guide: Ran, ours: list[Any]) -> None:
    counts = {status: int(count) for count, status in re.findall(r'(\d+) "(\w+)"', guide.out)}
    assert {group["status"]: group["count"] for group in ours[0]["groups"]} == counts
    assert counts


def malformed(guide: Ran, ours: list[Any]) -> None:
    assert [f["line"] for f in ours[0]["findings"]] == [
        int(n) for n in re.findall(r"^Line (\d+):", guide.out, re.MULTILINE)
    ]


def duplicates(guide: Ran, ours: list[Any]) -> None:
    found, counts = ours
    duplicate = Counter(guide.names["duplicates"])
    assert {g["run_id"]: g["count"] - 1 for g in counts["groups"] if g["count"] > 1} == duplicate
    assert duplicate - Counter(f["run"] for f in found["findings"]) == second_lives(guide.place)


def second_lives(place: Path) -> Counter[str]:
    """Return the runs with lines that end a running one or correct an earlier one: how many such lines."""
    status: dict[str, str] = {}
    found: Counter[str] = Counter()
    for raw in (place / "experiments/training_log.jsonl").read_bytes().splitlines():
        run = json.loads(raw)["run_data"]
        name = run["run_id"]
        ends = status.get(name) == "running" != run["status"]
        if name in status and (ends or run.get("corrects") == name):
            found[name] += 1
        status[name] = run["status"]
    return found


def missing(guide: Ran, ours: list[Any]) -> None:
    said = set(re.findall(r"^Line (\d+): Missing ([\w.]+)$", guide.out, re.MULTILINE))
    found = {(str(f["line"]), f["pointer"].strip("/").replace("/", ".")) for f in ours[0]["findings"]}
    # Where run_data is missing, the gate says that, and not once more what would be in it.
    without = {line for line, name in said if name == "run_data"}
    assert {each for each in said if each[0] not in without or each[1] == "run_data"} <= found


def progress(guide: Ran, ours: list[Any]) -> None:
    table, _ = ours
    shown = [(row["entry.timestamp"], row["best_val_accuracy"]) for row in table["runs"]]
    mine = [e for e in entries(guide.place) if e["run_data"].get("experiment_type") == "dual_pass_validation"]
    assert shown == [(entry["timestamp"], entry["run_data"]["best_val_accuracy"]) for entry in mine]
    if guide.error:
        # Before Python 3.11, datetime.fromisoformat does not know Z.
        assert sys.version_info < (3, 11)
        assert guide.error.startswith("ValueError: Invalid isoformat string")
    else:
        plotted = guide.names["plt"].gcf().axes[0].lines[0].get_data(orig=True)
        drawn = [(when.isoformat().split("+")[0], value) for when, value in zip(*plotted, strict=True)]
        wanted = [(datetime.fromisoformat(when).isoformat().split("+")[0], value) for when, value in shown]
        assert drawn == wanted
        assert (guide.place / "dual_pass_validation_progress.png").stat().st_size > 1000
        guide.names["plt"].close("all")
    page = (guide.place / "report.html").read_text(encoding="utf-8")
    assert all(entry["run_data"]["run_id"] in page for entry in mine)


def tables(guide: Ran, ours: list[Any]) -> None:
    report = guide.place / "experiment_report.md"
    theirs = report.read_text(encoding="utf-8")
    latest = {entry["run_data"]["run_id"]: entry["run_data"] for entry in entries(guide.place)}
    # A failed run has no accuracy, and runs that only kept their best one no class balance: the snippet stops there.
    assert guide.error
    assert theirs.count("\n|") < len(entries(guide.place))
    report.unlink()
    assert gate("report", "-o", report.name, LOG, cwd=guide.place).code == 0
    text = html.unescape(re.sub(r"</?code>", "", report.read_text(encoding="utf-8")))
    assert f"**Total experiments: {len(latest)}**" in text
    for domain in DOMAINS:
        part = text.partition(f"\n## {domain.replace('_', ' ').capitalize()} domain\n")[2].partition("\n## ")[
            0
        ]
        assert set(re.findall(r"^\| ([\w.]+_\d{8}) \|", part, re.MULTILINE)) == {
            name for name, run in latest.items() if run["domain"] == domain
        }
        rows = [[cell.strip() for cell in row.split("|")] for row in part.splitlines() if row.startswith("|")]
        at = rows[0].index("Accuracy")
        for cells in rows[2:]:
            accuracy = PLACES["accuracy"](latest[cells[1]])
            assert (
                cells[at] == "–"
                if accuracy is None
                else float(cells[at]) == pytest.approx(accuracy, rel=1e-3)
            )


COMPARED: dict[str, Compare] = {
    "Reading Experiment Logs": reading,
    "Key Comparisons": baselines,
    "1. Find Best Performing Experiment": best,
    "2. Compare Fusion Modes": fusion,
    "Get all experiments for a domain": selected,
    "Find experiments with high accuracy": selected,
    "Count experiments by status": statuses,
    "Get latest experiment": selected,
    "Find failed experiments": selected,
    "Malformed JSON Lines": malformed,
    "Duplicate Entries": duplicates,
    "Missing Required Fields": missing,
    "1. baselines.jsonl (Baseline Results)": a_format("baselines.jsonl"),
    "2. training_log.jsonl (Detailed Training Runs)": a_format("training_log.jsonl"),
    "Causal Domain": a_domain("causal"),
    "Knowledge Graph Domain": a_domain("knowledge_graph"),
    "Planning Domain": a_domain("planning"),
    "3. Track Experiment Over Time": progress,
    "4. Generate Experiment Report": tables,
    "1. Experiment Naming Convention": naming,
    "2. Always Include Findings": findings,
    "3. Track Hyperparameter Provenance": hyperparameters,
    "4. Log Architecture Details": architecture,
    "5. Capture Error States": errors,
    "6. Use Consistent Timestamps": timestamps,
    "Domain Exploration": criteria("domain_exploration"),
    "Dual-Pass Validation": criteria("dual_pass_validation"),
    "Hyperparameter Search": criteria("hyperparam_search"),
    "Physics Validation (NSM-33)": criteria("physics_validation"),
}
"""Title of a section -> what must hold between the guide's snippet and our commands."""

ELSEWHERE = {
    "Adding a New Experiment": "test_guide_append",
    "7. Validate Before Appending": "test_guide_append",
    "Logging from Modal Experiments": "test_guide_append",
    "Reading Logs Locally": "test_guide_append",
    "Converting Old Format to New Format": "test_guide_fix",
}
"""Title of a section whose commands write into a log, or fetch one -> the module of tests that runs them."""

BROKEN: dict[str, bytes] = {
    "Malformed JSON Lines": lines(a_run()) + b"{'run_data': 1}\n" + lines(a_run("b_20251101", 1)) + b'{"a": }\n{"a": 1\n',
    "Duplicate Entries": lines(a_run(), a_run("b_20251101", 1), a_run(), a_run("b_20251101", 2), a_run()),
    "Missing Required Fields": lines(
        a_run(), edited(a_run("b_20251101", 1), domain=...), edited(a_run("c_20251101", 2), status=..., run_id=...),
        edited(a_run("d_20251101", 3), entry__timestamp=...), edited(a_run("e_20251101", 4), entry__run_data=...),
    ),
}  # fmt: skip
"""Title of a section that looks for mistakes -> a log that has them."""
