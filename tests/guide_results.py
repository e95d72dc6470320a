"""What the guide's snippets compute, held against what the commands beside them say. One function a section."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.guide import Ran, working_in
from tests.support import a_run, edited, lines

Compare = Callable[[Ran, list[Any]], None]

DOMAINS = ("planning", "causal", "knowledge_graph")


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
}
"""Title of a section -> what must hold between the guide's snippet and our commands."""

NOTHING_COMPUTED: dict[str, str] = {}
"""Title of a section whose snippet computes nothing to compare with -> why."""

ELSEWHERE = {"Converting Old Format to New Format": "test_guide_fix"}
"""Title of a section whose commands write -> the module of tests that runs them."""

TO_COME = {
    "Adding a New Experiment", "1. baselines.jsonl (Baseline Results)", "2. training_log.jsonl (Detailed Training Runs)",
    "Causal Domain", "Knowledge Graph Domain", "Planning Domain", "3. Track Experiment Over Time",
    "4. Generate Experiment Report", "1. Experiment Naming Convention", "2. Always Include Findings",
    "3. Track Hyperparameter Provenance", "4. Log Architecture Details", "5. Capture Error States",
    "6. Use Consistent Timestamps", "7. Validate Before Appending", "Logging from Modal Experiments",
    "Reading Logs Locally", "Domain Exploration", "Dual-Pass Validation", "Hyperparameter Search",
    "Physics Validation (NSM-33)",
}  # fmt: skip
"""Headings of the guide whose blocks the page does not have yet. A section that is written leaves this set."""

BROKEN: dict[str, bytes] = {
    "Malformed JSON Lines": lines(a_run()) + b"{'run_data': 1}\n" + lines(a_run("b_20251101", 1)) + b'{"a": }\n{"a": 1\n',
    "Duplicate Entries": lines(a_run(), a_run("b_20251101", 1), a_run(), a_run("b_20251101", 2), a_run()),
    "Missing Required Fields": lines(
        a_run(), edited(a_run("b_20251101", 1), domain=...), edited(a_run("c_20251101", 2), status=..., run_id=...),
        edited(a_run("d_20251101", 3), entry__timestamp=...), edited(a_run("e_20251101", 4), entry__run_data=...),
    ),
}  # fmt: skip
"""Title of a section that looks for mistakes -> a log that has them."""
