"""Counts per entrance, behind a run of the corpus alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.hostile.corpus import CASES


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many cases of each entrance were played, here and as processes, and how many failed."""
    entrances = dict.fromkeys(case.entrance for case in CASES)
    here, apart, failed = (Counter[str]() for _ in range(3))
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            test, bracket, case = report.nodeid.partition("[")
            entrance = case.partition("/")[0]
            if not bracket or entrance not in entrances or "test_corpus" not in test:
                continue
            (apart if "console_script" in test else here)[entrance] += 1
            failed[entrance] += outcome != "passed"
    if not here and not apart:
        return
    terminalreporter.section("hostile inputs")
    for entrance in entrances:
        row = f"{entrance:26} {here[entrance]:5} in one process {apart[entrance]:4} apart"
        terminalreporter.write_line(f"{row}  {failed[entrance]} failed" if failed[entrance] else row)
    total = f"{'together':26} {here.total():5} in one process {apart.total():4} apart"
    terminalreporter.write_line(f"{total}, {failed.total()} failed")
