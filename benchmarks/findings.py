"""Many findings: a log in which every line fails."""

from __future__ import annotations

import re

from benchmarks import gate
from benchmarks.places import Places
from benchmarks.processes import BenchError, Runner
from benchmarks.scale import Scale
from benchmarks.table import Bar, Row, paired, seconds


def measure(places: Places, runner: Runner, scale: Scale) -> list[Row]:
    """Measure `check --all` on a failing log against the clean one with the same runs."""
    runner.say("many findings")
    clean = places.repository("clean", scale.lines)
    failing = places.repository("failing", scale.lines, "failing")
    commands = {"failing": gate.everything(failing, code=1), "clean": gate.everything(clean)}
    times = runner.rounds(commands, scale.rounds, scale.budget)
    _counted(places, runner, scale)
    ours, peer = times["failing"], times["clean"]
    what = f"check --all, {scale.lines:,} failing lines"
    return [Row(what, seconds(ours), f"clean lines: {seconds(peer)}", paired(ours, peer), Bar("<=", 4))]


def _counted(places: Places, runner: Runner, scale: Scale) -> None:
    """Refuse to measure a report that does not count every failing line."""
    report = places.folder / "failing.txt"
    if runner.run(gate.everything(places.folder / "failing", code=1), output=report) is None:
        return
    found = re.search(r"^([0-9,]+) errors?\b", report.read_text(encoding="utf-8"), re.MULTILINE)
    errors = int(found[1].replace(",", "")) if found else 0
    if errors < scale.lines:
        raise BenchError(f"{scale.lines} failing lines, and only {errors} errors counted")
