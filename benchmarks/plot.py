"""The picture of the cost of growth."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.growth import Point


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw time and memory by the length of the log, into an SVG. The same points give the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "nsm-gate", "svg.fonttype": "none", "font.family": "sans-serif"})
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    everything = [(p.lines, p.all) for p in points if p.all]
    one = [(p.lines, p.one) for p in points if p.one]
    left.plot([n for n, _ in everything], [s.seconds for _, s in everything], "o-", label="check --all")
    left.plot([n for n, _ in one], [s.seconds for _, s in one], "s-", label="one appended line")
    loads = [(p.lines, p.loads) for p in points if p.loads is not None]
    left.plot([n for n, _ in loads], [t for _, t in loads], "x--", color="grey", label="orjson.loads")
    left.set(title="time", ylabel="seconds")
    right.plot([n for n, _ in everything], [s.tree / 1e6 for _, s in everything], "o-", label="check --all")
    right.plot([n for n, _ in one], [s.tree / 1e6 for _, s in one], "s-", label="one appended line")
    sizes = [(p.lines, p.size / 1e6) for p in points]
    right.plot([n for n, _ in sizes], [s for _, s in sizes], "x--", color="grey", label="the log itself")
    right.set(title="peak memory of all processes", ylabel="MB")
    for axes in (left, right):
        axes.set(xlabel="lines of the log", xscale="log", yscale="log")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
    made = io.StringIO()
    figure.savefig(made, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Type", "Format")))
    pyplot.close(figure)
    # Nothing of another host is named, as on any page of the documentation.
    path.write_text(re.sub(r"<!DOCTYPE[^>]*>\n", "", made.getvalue()), encoding="utf-8", newline="\n")
