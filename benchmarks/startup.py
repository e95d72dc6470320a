"""Start-up: what the hook costs on one appended line."""

from __future__ import annotations

from benchmarks import gate, peers
from benchmarks.places import REAL_LINES, Places, log_of
from benchmarks.processes import Runner
from benchmarks.scale import Scale
from benchmarks.table import Bar, Row, paired, seconds


def measure(places: Places, runner: Runner, scale: Scale) -> list[Row]:
    """Measure `check --staged` in a repository with a log as long as the real one and one line more."""
    runner.say("start-up")
    root = places.repository("startup", REAL_LINES, appended=1)
    record = places.folder / "record.json"
    record.write_bytes(log_of(root).read_bytes().splitlines(keepends=True)[-1])
    commands = {
        "ours": gate.staged(root),
        "bare": peers.interpreter(root),
        "other": peers.check_jsonschema(record),
    }
    times = runner.rounds(commands, scale.starts, scale.budget)
    ours, bare, other = times["ours"], times["bare"], times["other"]
    what = f"check --staged, 1 line after {REAL_LINES}"
    return [
        Row(what, seconds(ours), f"python -c pass: {seconds(bare)}", paired(ours, bare), Bar("<=", 8, 5)),
        Row(what, seconds(ours), f"check-jsonschema: {seconds(other)}", paired(ours, other), Bar("<=", 0.33)),
    ]
