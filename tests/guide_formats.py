"""What the guide says of the form of an entry, held against what the commands beside it say. One function a section.

These snippets are entries with comments, or members of one. Where they state a rule, it is read off the log once more,
in the plainest Python, and must be broken in the same lines; then entries that the guide shows are tried themselves.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.guide import Ran
from tests.support import a_run, edited, gate, lines

LOG = "experiments/training_log.jsonl"
DOMAINS = {
    "causal": ("counterfactual_accuracy", "intervention_accuracy"),
    "knowledge_graph": ("hits_at_10", "mrr", "analogical_reasoning_acc"),
    "planning": ("goal_achievement_rate", "temporal_ordering_acc"),
}


# --- what the tests read and write ------------------------------------------------------------


def entries(place: Path, log: str = LOG) -> list[dict[str, Any]]:
    """Return the entries of a log."""
    return [json.loads(line) for line in (place / log).read_bytes().splitlines()]


def broken(place: Path, rule: Callable[[dict[str, Any]], bool]) -> set[int]:
    """Return the lines of the training log whose run breaks a rule."""
    return {number for number, entry in enumerate(entries(place), 1) if not rule(entry["run_data"])}


def found(document: Any, path: str = LOG) -> set[int]:
    """Return the lines of a log that a report has findings on."""
    return {finding["line"] for finding in document["findings"] if finding["path"] == path}


def tried(place: Path, entry: Any, *rules: str, name: str = "training_log.jsonl") -> list[dict[str, Any]]:
    """Return what these rules find in a log of this one entry, beside the others."""
    log = place / "tried" / name
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(lines(entry))
    asked = ("check", "--all", "--select", ",".join(rules), "--output-format", "json", f"tried/{name}")
    return gate(*asked, cwd=place).findings


def members(block: str) -> dict[str, Any]:
    """Return what a snippet that is members of a Python dictionary says."""
    said = ast.literal_eval("{" + block.replace("null", "None") + "}")
    assert isinstance(said, dict)
    assert said
    return said


def without_comments(block: str) -> Any:
    """Return what a snippet that is JSON with comments says."""
    return json.loads(re.sub(r"//[^\n]*", "", block))


def leaves(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each member that holds no members."""
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from leaves(member, (*at, name))
    else:
        yield at


def changed(entry: Any, path: tuple[str, ...], value: Any) -> Any:
    """Return a copy of an entry with another value at a path."""
    made = copy.deepcopy(entry)
    *above, name = path
    holder = made
    for each in above:
        holder = holder[each]
    holder[name] = value
    return made


# --- file formats -----------------------------------------------------------------------------

FREE = {("run_data", "architecture", "fusion_weights")}
"""Members of which the format does not say what they hold."""


def a_format(name: str) -> Callable[[Ran, list[Any]], None]:
    """Return the comparison of a log kind's format."""

    def compare(guide: Ran, ours: list[Any]) -> None:
        report, shown, skeleton = ours
        assert report["findings"] == []
        assert shown.startswith(f"log kind {name.removesuffix('.jsonl')} ")
        entry = without_comments(guide.block)
        paths = set(leaves(entry))
        assert len(paths) > 20
        assert tried(guide.place, entry, "schema", "unknown-field", name=name) == []
        for path in paths - FREE:
            wrong = [["a list"]] if isinstance(entry, dict) else None
            (finding,) = tried(guide.place, changed(entry, path, wrong), "schema", name=name)[:1]
            assert finding["pointer"].startswith("/" + "/".join(path))
        unknown = tried(guide.place, {**entry, "mood": "good"}, "unknown-field", name=name)
        assert [finding["pointer"] for finding in unknown] == ["/mood"]
        # What the skeleton asks for, the guide's entry has, but for what it gives to other experiments alone.
        assert set(leaves(json.loads(skeleton))) <= paths

    return compare


# --- domains ----------------------------------------------------------------------------------


def a_domain(name: str) -> Callable[[Ran, list[Any]], None]:
    """Return the comparison of a domain's metrics."""

    def compare(guide: Ran, ours: list[Any]) -> None:
        table, report, shown = ours
        metrics = tuple(members(guide.block))
        assert metrics == DOMAINS[name]
        runs = [entry["run_data"] for entry in entries(guide.place)]
        assert table["runs"] == [
            {"run": run["run_id"], **{metric: run.get(metric) for metric in metrics}}
            for run in runs if run["domain"] == name
        ]  # fmt: skip
        assert re.search(rf"^metrics +{', '.join(metrics)}$", shown, re.MULTILINE)
        # The logs have what their runs need.
        lacking = broken(guide.place, lambda run: not must_have(run) or has_all(run))
        foreign = broken(guide.place, lambda run: not foreigners(run))
        assert found(report) == lacking | foreign
        every = {
            metric: value for block in DOMAINS for metric, value in dict.fromkeys(DOMAINS[block]).items()
        }
        full = edited(a_run(), domain=name, dataset_config__domain=name, **{**every, **members(guide.block)})
        rules = ("missing-domain-metric", "foreign-domain-metric")
        assert tried(guide.place, full, *rules) == []
        for metric in metrics:
            (finding,) = tried(guide.place, edited(full, **{metric: None}), *rules)
            assert (finding["rule"], metric in finding["message"]) == ("missing-domain-metric", True)
        elsewhere = "planning" if name != "planning" else "causal"
        moved = edited(full, domain=elsewhere, **dict.fromkeys(DOMAINS[elsewhere], 0.9))
        strangers = [f for f in tried(guide.place, moved, *rules) if f["rule"] == "foreign-domain-metric"]
        assert {metric for metric in metrics for f in strangers if metric in f["message"]} == set(metrics)

    return compare


def must_have(run: dict[str, Any]) -> bool:
    """Say whether a run needs the metrics of its domain: the types that are about domains ask for them."""
    return (run["status"], run.get("experiment_type")) == ("completed", "domain_exploration")


def has_all(run: dict[str, Any]) -> bool:
    """Say whether a run has every metric of its domain."""
    return all(run.get(metric) is not None for metric in DOMAINS[run["domain"]])


def foreigners(run: dict[str, Any]) -> list[str]:
    """Return the metrics of other domains that a run has."""
    other = [metric for domain, metrics in DOMAINS.items() if domain != run["domain"] for metric in metrics]
    return [metric for metric in other if run.get(metric) is not None]


# --- best practices ---------------------------------------------------------------------------


def naming(guide: Ran, ours: list[Any]) -> None:
    report, skeleton = ours
    assert guide.block == "{experiment_type}_{variant}_{date}\n"
    assert found(report) == broken(
        guide.place, lambda run: bool(re.fullmatch(r"\w+_[\w.]+_\d{8}", run["run_id"]))
    )
    assert re.fullmatch(r"dual_pass_\w*planning_\d{8}", json.loads(skeleton)["run_data"]["run_id"])
    for name in (
        "baseline_single_pass_20251021", "dual_pass_equal_fusion_20251021", "planning_high_cycle_weight_20251023",
    ):  # fmt: skip
        assert tried(guide.place, a_run(name), "run-id-format") == []
    for name in ("run7", "dual_pass_equal_fusion", "dual-pass-equal-20251021", "dual_pass_equal_20251341"):
        assert len(tried(guide.place, a_run(name), "run-id-format")) == 1


def findings(guide: Ran, ours: list[Any]) -> None:
    assert found(ours[0]) == broken(
        guide.place, lambda r: r["status"] == "running" or bool(r.get("findings"))
    )
    assert tried(guide.place, edited(a_run(), **members(guide.block)), "missing-findings") == []
    for nothing in (..., None, "", "  ", "TODO", "tbd", "n/a"):
        (finding,) = tried(guide.place, edited(a_run(), findings=nothing), "missing-findings")
        assert finding["severity"] == "error"
    running = edited(a_run(), status="running", findings=None)
    assert tried(guide.place, running, "missing-findings") == []


def hyperparameters(guide: Ran, ours: list[Any]) -> None:
    wanted = members(guide.block)["hyperparameters"]
    assert len(wanted) == 8
    assert found(ours[0]) == broken(
        guide.place, lambda run: all(run["hyperparameters"].get(name) is not None for name in wanted)
    )
    full = edited(a_run(), hyperparameters=wanted)
    assert tried(guide.place, full, "missing-hyperparameter") == []
    for name in wanted:
        for value in (..., None):
            one = edited(full, **{f"hyperparameters__{name}": value})
            (finding,) = tried(guide.place, one, "missing-hyperparameter")
            assert (finding["severity"], f"'{name}'" in finding["message"]) == ("error", True)


def architecture(guide: Ran, ours: list[Any]) -> None:
    report, groups = ours
    about = ("dual_pass_validation",)
    assert found(report) == broken(
        guide.place,
        lambda run: (
            run.get("experiment_type") not in about or bool((run.get("architecture") or {}).get("variant"))
        ),
    )
    counts = {group["architecture.variant"]: group["count"] for group in groups["groups"]}
    variants = [
        (entry["run_data"].get("architecture") or {}).get("variant") for entry in entries(guide.place)
    ]
    assert counts == {variant: variants.count(variant) for variant in variants}
    full = edited(a_run(), experiment_type="dual_pass_validation", **members(guide.block))
    assert tried(guide.place, full, "missing-architecture", "schema", "unknown-field") == []
    for gone in ({"architecture": ...}, {"architecture": None}, {"architecture__variant": ...}):
        assert tried(guide.place, edited(full, **gone), "missing-architecture")


def errors(guide: Ran, ours: list[Any]) -> None:
    report, failed = ours
    assert found(report) == broken(
        guide.place, lambda r: r["status"] != "failed" or bool(r.get("error_message"))
    )
    assert failed["runs"] == [
        {"run": r["run_id"], **{name: r.get(name) for name in ("error_message", "last_successful_epoch")}}
        for r in (entry["run_data"] for entry in entries(guide.place)) if r["status"] == "failed"
    ]  # fmt: skip
    full = edited(a_run(), **members(guide.block))
    rules = ("missing-error-message", "schema", "unknown-field")
    assert tried(guide.place, full, *rules) == []
    for nothing in (..., None, ""):
        (finding,) = tried(guide.place, edited(full, error_message=nothing), "missing-error-message")
        assert finding["severity"] == "error"


def timestamps(guide: Ran, ours: list[Any]) -> None:
    naive = guide.names["timestamp"]
    assert isinstance(naive, str)
    stamps = [entry["timestamp"] for entry in entries(guide.place)]
    assert found(ours[0]) == {number for number, stamp in enumerate(stamps, 1) if not stamp.endswith("Z")}
    rules = ("timestamp-naive", "timestamp-not-utc", "timestamp-invalid")
    said = {}
    for stamp in (naive, f"{naive}Z", "2025-11-01T00:01:31+02:00", "2025-11-31T00:00:00Z"):
        report = tried(guide.place, edited(a_run(), entry__timestamp=stamp), *rules)
        said[stamp] = [(finding["rule"], finding["severity"]) for finding in report]
    assert list(said.values()) == [
        [("timestamp-naive", "warning")], [], [("timestamp-not-utc", "error")], [("timestamp-invalid", "error")],
    ]  # fmt: skip
