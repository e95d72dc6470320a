"""Measure the gate against its peers, and say which bars hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import findings, growth, machine, startup, throughput
from benchmarks.places import Places
from benchmarks.processes import BenchError, Runner
from benchmarks.record import write
from benchmarks.scale import FULL, QUICK
from benchmarks.table import Row, exit_code, render

PARTS = ("startup", "throughput", "findings", "growth")


def main(argv: list[str] | None = None) -> int:
    """Measure what the arguments ask for; the exit code is 1 with --strict where a bar does not hold, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="short logs and few rounds: a look, not a measurement"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part alone; repeatable")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a bar does not hold")
    parser.add_argument("--write", action="store_true", help="record the results in benchmarks/README.md")
    parser.add_argument("--folder", type=Path, help="keep the generated logs here, and use them again")
    parser.add_argument(
        "--patience", type=float, default=90.0, metavar="SECONDS", help="kill what takes longer (default: 90)"
    )
    given = parser.parse_args(argv)
    parts = given.only or list(PARTS)
    if given.write and (given.quick or set(parts) != set(PARTS)):
        parser.error("--write records whole measurements: not with --quick or --only")
    scale = QUICK if given.quick else FULL
    about = machine.describe()
    runner = Runner(given.patience)
    rows: list[Row] = []
    points: list[growth.Point] = []
    with ExitStack() as stack:
        folder = given.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="nsm-gate-bench-"))
        )
        places = Places(folder.resolve())
        if "growth" in parts:
            places.log(scale.growth[-1] + 1)  # the longest once: other logs are its beginning
        try:
            if "startup" in parts:
                rows += startup.measure(places, runner, scale)
            if "throughput" in parts:
                rows += throughput.measure(places, runner, scale)
            if "findings" in parts:
                rows += findings.measure(places, runner, scale)
            if "growth" in parts:
                points = growth.measure(places, runner, scale)
                rows += growth.rows(points, scale)
        except BenchError as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return 2
    text = f"{about}\n\n{render(rows)}"
    if points:
        text += f"\n\n{growth.table(points)}"
    print(text)
    if given.write:
        write(text, points)
    return exit_code(rows, strict=given.strict)


if __name__ == "__main__":
    sys.exit(main())
