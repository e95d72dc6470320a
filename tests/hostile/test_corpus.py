"""The hostile inputs, one by one: through `main` with real files and real git, and some as real processes.

An ordinary run of the tests plays a sixth of them, the same ones each time. `make hostile` plays them all.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from tests.hostile.case import CLEAN, Case
from tests.hostile.corpus import CASES
from tests.hostile.oracle import faults
from tests.hostile.stage import lay_out, play, play_apart

APART = 40
"""One in so many of the others is played as a process, too."""


def lot(case: Case) -> int:
    """Return a number that stays with a case."""
    return int.from_bytes(hashlib.sha256(case.id.encode()).digest()[:4], "big")


HERE = [case for case in CASES if not case.process]
PROCESSES = [case for case in CASES if case.process or lot(case) % APART == 0]


@pytest.mark.parametrize("case", HERE, ids=lambda case: case.id)
def test_the_gate_holds(case: Case, tmp_path: Path) -> None:
    assert faults(case, play(case, lay_out(case, tmp_path))) == []


@pytest.mark.parametrize("case", PROCESSES, ids=lambda case: case.id)
def test_the_console_script_holds(case: Case, tmp_path: Path) -> None:
    assert faults(case, play_apart(case, lay_out(case, tmp_path))) == []


# --- the corpus itself ----------------------------------------------------------------------------


def test_the_corpus_is_large_and_covers_every_entrance() -> None:
    assert len(CASES) >= 3000
    counts = Counter(case.entrance for case in CASES)
    assert set(counts) == {
        "log lines", "rules", "expressions", "schemas", "configuration", "waivers", "refs", "file names",
        "event payloads", "git states", "repository configuration", "outputs", "environment",
        "other commands", "writers and readers", "standard input", "command lines",
    }  # fmt: skip
    assert min(counts.values()) >= 40
    assert len({case.id for case in CASES}) == len(CASES)


def test_most_of_the_corpus_must_never_be_judged_clean() -> None:
    assert sum(0 not in case.codes for case in CASES) > len(CASES) * 3 / 4
    for case in CASES:
        assert case.codes, case.id
        assert not case.rule or 1 in case.codes, f"{case.id} names a rule, but findings are not right"
        assert not case.file or tuple(case.codes) != CLEAN, f"{case.id} names a file, but no failure is right"
