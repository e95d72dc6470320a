"""Throughput: every line of a long log, with every check and criterion."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks import gate, peers
from benchmarks.places import Places, log_of, sample, size
from benchmarks.processes import Runner
from benchmarks.scale import Scale
from benchmarks.table import Bar, Row, paired, seconds


def measure(places: Places, runner: Runner, scale: Scale) -> list[Row]:
    """Measure `check --all` against reading the lines, and against judging them by the schema alone."""
    runner.say("throughput")
    root = places.repository("clean", scale.lines)
    log = log_of(root)
    jobs = gate.knows_jobs()
    commands = {
        "one": gate.everything(root, 1 if jobs else None),
        "loads": peers.orjson_loop(log),
        "native": peers.native_schema(log),
    }
    if jobs:
        commands["two"] = gate.everything(root, 2)
    times = runner.rounds(commands, scale.rounds, scale.budget)
    one, loads, native = times["one"], times["loads"], times["native"]
    two = times.get("two", [])
    best = two if jobs else one
    what = f"check --all, {scale.lines:,} lines ({size(log) / 1e6:.0f} MB)"
    with_two = f"{what}, 2 jobs" if jobs else f"{what}, no --jobs yet"
    reference = _reference(places, runner, scale, log)
    scaled = f"{reference:.0f} s, from {scale.sample:,} lines" if reference else "–"
    faster = paired([reference] * len(best), best) if reference else None
    parsing, native_name = f"orjson.loads: {seconds(loads)}", "sourcemeta-jsonschema"
    return [
        Row(f"{what}, 1 job", seconds(one), parsing, paired(one, loads), Bar("<=", 3)),
        Row(with_two, seconds(two), parsing, paired(two, loads), Bar("<=", 1.8)),
        Row(with_two, seconds(best), f"{native_name}: {seconds(native)}", paired(best, native), Bar("<", 1)),
        Row(f"{with_two}: times faster", seconds(best), f"jsonschema: {scaled}", faster, Bar(">=", 20)),
        _outputs(places, runner, scale) if jobs else Row(f"{_OUTPUTS}, no --jobs yet", "–", "1", None, _SAME),
    ]


def _reference(places: Places, runner: Runner, scale: Scale, log: Path) -> float | None:
    """Return the seconds that the reference implementation would take for the log, from some of its lines."""
    some = sample(log, scale.sample, max(1, scale.lines // scale.sample), places.folder / "sample.jsonl")
    none = sample(log, 0, 1, places.folder / "none.jsonl")
    times = runner.rounds(
        {"some": peers.reference_loop(some), "none": peers.reference_loop(none)},
        scale.rounds,
        scale.budget / 2,
    )
    if not times["some"] or not times["none"]:
        return None
    start, took = min(times["none"]), min(times["some"])
    return start + (took - start) * scale.lines / scale.sample


_OUTPUTS = "different JSON outputs of 1, 2 and 3 jobs"
_SAME = Bar("<=", 1)


def _outputs(places: Places, runner: Runner, scale: Scale) -> Row:
    """Compare what any number of workers reports of a log with findings."""
    lines = min(scale.lines, 7_000)  # all that is found is written of each: a long log would take minutes
    root = places.repository("mixed", lines, "mixed")
    seen = set()
    for jobs in (1, 2, 3):
        report = places.folder / f"jobs-{jobs}.json"
        if runner.run(gate.everything(root, jobs, json=True), output=report) is None:
            return Row(_OUTPUTS, "–", "1", None, _SAME)
        seen.add(hashlib.sha256(report.read_bytes()).digest())
    return Row(f"{_OUTPUTS}, {lines:,} lines", str(len(seen)), "1", float(len(seen)), _SAME)
