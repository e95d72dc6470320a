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
    names = ("check --staged", "python -c pass", "check-jsonschema, one record")
    commands = (gate.staged(root), peers.interpreter(root), peers.check_jsonschema(record))
    times = runner.rounds(dict(zip(names, commands, strict=True)), scale.starts, scale.budget)
    ours, bare, other = (times[name] for name in names)
    return [
        Row(
            f"{names[0]} against {names[1]}",
            seconds(ours),
            seconds(bare),
            paired(ours, bare),
            Bar("<=", 8, 5),
        ),
        Row(
            f"{names[0]} against {names[2]}",
            seconds(ours),
            seconds(other),
            paired(ours, other),
            Bar("<=", 0.33),
        ),
    ]
