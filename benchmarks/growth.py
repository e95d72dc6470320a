"""The cost of growth: time and memory, by the length of the log."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks import gate, peers
from benchmarks.places import Places, log_of, size
from benchmarks.processes import Command, Runner, Sample
from benchmarks.scale import Scale
from benchmarks.table import Bar, Row, markdown, megabytes

LINEAR = 1.1
"""The exponent up to which a growth passes as linear: caches and page faults add a little."""

_ROOM = 150e6
"""Bytes that judging one appended line may take."""

HEAD = (
    "lines", "log", "all", "all: largest / tree", "one appended", "one: largest / tree", "orjson.loads",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """What a log of some length costs.

    Attributes:
        lines: Its length.
        size: Its bytes.
        all: Judging every line; None where that takes too long.
        one: Judging one line appended to them.
        loads: Seconds of a bare orjson.loads loop.
    """

    lines: int
    size: int
    all: Sample | None
    one: Sample | None
    loads: float | None

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows."""
        return (
            f"{self.lines:,}", megabytes(self.size), *_cells(self.all), *_cells(self.one),
            f"{self.loads:.3f} s" if self.loads is not None else "–",
        )  # fmt: skip


def _cells(sample: Sample | None) -> tuple[str, str]:
    if sample is None:
        return ("too long", "–")
    return (f"{sample.seconds:.3f} s", f"{megabytes(sample.largest)} / {megabytes(sample.tree)}")


def measure(places: Places, runner: Runner, scale: Scale) -> list[Point]:
    """Measure logs of each length, shortest first; after one that takes too long, none that is longer."""
    runner.say("growth")
    places.log(scale.growth[-1] + 1)  # the longest first: the shorter logs are its beginnings
    points: list[Point] = []
    skip: set[str] = set()
    for lines in scale.growth:
        runner.say(f"  {lines:,} lines")
        root = places.repository("growth", lines, appended=1)
        log = log_of(root)
        commands = {"all": gate.everything(root), "one": gate.staged(root), "loads": peers.orjson_loop(log)}
        found: dict[str, Sample | None] = {}
        for name, command in commands.items():
            found[name] = None if name in skip else _best(runner, command, 2 if lines > 100_000 else 5)
            if found[name] is None:
                skip.add(name)
        loads = found["loads"]
        points.append(
            Point(lines, size(log), found["all"], found["one"], loads.seconds if loads is not None else None)
        )
        runner.lost.clear()  # the next repository has the same place
        shutil.rmtree(root)
    return points


def _best(runner: Runner, command: Command, count: int) -> Sample | None:
    """Return the shortest time of some runs, and the memory of one more, whose time is not counted."""
    times = [runner.run(command) for _ in range(count)]
    if any(sample is None for sample in times):
        return None
    looked = runner.run(command, memory=True)
    if looked is None:
        return None
    took = min(sample.seconds for sample in times if sample is not None)
    return Sample(took, looked.largest, max(looked.tree, looked.largest))


def exponent(points: Sequence[tuple[int, float]]) -> float | None:
    """Return k of time = start + c * lines ** k, to 0.01; None where there are too few points.

    By least squares of the relative error. It is 0 where the longest log takes hardly more than the shortest:
    then the times are those of the start, and noise.
    """
    if len(points) < 3:
        return None
    if points[-1][1] < 1.5 * points[0][1]:
        return 0.0
    return min((step / 100 for step in range(10, 301)), key=lambda power: _error(points, power))


def _error(points: Sequence[tuple[int, float]], power: float) -> float:
    """Return the least sum of squared relative errors of start + c * lines ** power, with a start of 0 or more."""
    longest = points[-1][0]
    # Each point as (1 / time, lines ** power / time), which are to add up to 1.
    rows = [(1 / took, (lines / longest) ** power / took) for lines, took in points]
    aa, ab, bb = (math.fsum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b = (math.fsum(row[i] for row in rows) for i in (0, 1))
    start = max(0.0, (a * bb - b * ab) / (aa * bb - ab * ab))
    slope = (b - start * ab) / bb
    return math.fsum((start * row[0] + slope * row[1] - 1) ** 2 for row in rows)


def rows(points: Sequence[Point], scale: Scale) -> list[Row]:
    """Judge the growth."""
    made = [
        _grows("time of check --all,", [(p.lines, p.all.seconds) for p in points if p.all], scale),
        _grows("time of 1 line after", [(p.lines, p.one.seconds) for p in points if p.one], scale),
    ]
    for point in points:
        if point.lines in (scale.lines, scale.growth[-1]):
            what, log = f"memory of check --all, {point.lines:,} lines", f"the log: {megabytes(point.size)}"
            made += _memory(what, point.all, log, point.size, Bar("<=", 3))
    for point in points:
        if point.lines == scale.lines:
            what = f"memory of 1 line after {point.lines:,} ({point.size / 1e6:.0f} MB)"
            made += _memory(what, point.one, megabytes(_ROOM), _ROOM, Bar("<", 1))
    return made


def _memory(what: str, used: Sample | None, peer: str, room: float, bar: Bar) -> list[Row]:
    """Judge the peak of the largest process, and that of all."""
    if used is None:
        return [Row(what, "–", peer, None, bar)]
    return [
        Row(f"{what}, {of}", megabytes(peak), peer, peak / room, bar)
        for of, peak in (("largest process", used.largest), ("all processes", used.tree))
    ]


def _grows(what: str, times: Sequence[tuple[int, float]], scale: Scale) -> Row:
    found = exponent(times) if times and times[-1][0] == scale.growth[-1] else None
    # Without an exponent the last time may be that of a shorter log than the row names.
    ours = f"{times[0][1]:.3f} to {times[-1][1]:.3f} s" if found is not None else "–"
    span = f"{scale.growth[0]:,} to {scale.growth[-1]:,} lines"
    return Row(f"{what} {span}", ours, "exponent: linear is 1", found, Bar("<=", LINEAR))


def table(points: Sequence[Point]) -> str:
    """Return the figures of each length."""
    return markdown(HEAD, [point.cells() for point in points])
