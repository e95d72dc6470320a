"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured.

    Attributes:
        lines: Of the log that throughput and findings are measured on.
        growth: Lengths of log for the cost of growth, ascending.
        starts: Rounds of the start-up.
        rounds: Rounds of everything else.
        budget: Seconds after which the rounds of one measure end early.
        sample: Lines that the reference implementation is tried on.
    """

    lines: int
    growth: tuple[int, ...]
    starts: int
    rounds: int
    budget: float
    sample: int


FULL = Scale(70_000, (1_000, 3_000, 10_000, 30_000, 70_000, 300_000, 1_000_000), 20, 5, 60.0, 1_400)
QUICK = Scale(7_000, (1_000, 3_000, 10_000), 7, 3, 15.0, 350)
