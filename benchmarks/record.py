"""The results that benchmarks/README.md holds, and the picture beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.growth import Point
from benchmarks.plot import draw

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def replaced(page: str, results: str) -> str:
    """Return the page with other results.

    Raises:
        ValueError: The page has no place for them.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{BEGIN} and {END} are not there")
    return f"{before}{begin}\n{results}\n{end}{after}"


def write(results: str, points: Sequence[Point], folder: Path = FOLDER) -> None:
    """Record the results of a whole run."""
    page = folder / "README.md"
    picture = "![Time and peak memory by the length of the log](growth.svg)"
    page.write_text(replaced(page.read_text(), f"\n{results}\n\n{picture}\n"))
    draw(points, folder / "growth.svg")
