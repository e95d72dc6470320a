"""The table of measures: what was measured, against what, and whether the bar holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

HEAD = ("measure", "ours", "peer", "ratio", "bar", "holds")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio is held to.

    Attributes:
        relation: How the ratio must stand to the limit.
        limit: The bar itself.
        aim: What is hoped for, and not judged.
    """

    relation: Literal["<=", "<", ">="]
    limit: float
    aim: float | None = None

    def holds(self, ratio: float) -> bool:
        """Return whether a ratio is as the bar asks."""
        if self.relation == "<=":
            return ratio <= self.limit
        return ratio < self.limit if self.relation == "<" else ratio >= self.limit

    def __str__(self) -> str:
        sign = {"<=": "≤", "<": "<", ">=": "≥"}[self.relation]
        return f"{sign} {self.limit:g}" + (f" (aim {self.aim:g})" if self.aim is not None else "")


@dataclass(frozen=True, slots=True)
class Row:
    """A measure.

    Attributes:
        measure: What was measured.
        ours: The gate's figure, as it is printed.
        peer: That of what it is compared with.
        ratio: What the bar judges; None where it was not measured.
        bar: None for a figure that is told only.
    """

    measure: str
    ours: str
    peer: str
    ratio: float | None
    bar: Bar | None = None

    @property
    def holds(self) -> bool | None:
        """Return whether the bar holds. What was not measured does not hold; None where there is no bar."""
        if self.bar is None:
            return None
        return self.ratio is not None and self.bar.holds(self.ratio)

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows."""
        ratio = "not measured" if self.ratio is None else f"{self.ratio:.2f}"
        holds = {True: "yes", False: "**no**", None: ""}[self.holds]
        return (self.measure, self.ours, self.peer, ratio, str(self.bar or ""), holds)


def seconds(samples: Sequence[float]) -> str:
    """Return the shortest and the middle one of some times."""
    if not samples:
        return "–"
    low, middle = min(samples), median(samples)
    if middle < 1:
        return f"{low * 1000:.0f} / {middle * 1000:.0f} ms"
    return f"{low:.2f} / {middle:.2f} s"


def megabytes(count: float) -> str:
    """Return a size in MB, of a million bytes."""
    return f"{count / 1e6:.1f} MB" if count < 1e8 else f"{count / 1e6:.0f} MB"


def paired(ours: Sequence[float], peer: Sequence[float]) -> float | None:
    """Return the middle one of the ratios of each round; None where nothing was measured.

    Both of a round met the same machine: what else ran then has slowed down both.
    """
    ratios = [mine / theirs for mine, theirs in zip(ours, peer, strict=False)]
    return median(ratios) if ratios else None


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that reads well as plain text too."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


def render(rows: Sequence[Row]) -> str:
    """Return the table, and how many bars hold."""
    judged = [row for row in rows if row.bar is not None]
    held = sum(row.holds is True for row in judged)
    return f"{markdown(HEAD, [row.cells() for row in rows])}\n\n{held} of {len(judged)} bars hold."


def exit_code(rows: Sequence[Row], *, strict: bool) -> int:
    """Return 1 where a bar does not hold, or nothing was judged, and that is asked for; else 0."""
    judged = [row for row in rows if row.bar is not None]
    return int(strict and not (judged and all(row.holds for row in judged)))
