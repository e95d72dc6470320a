"""What is wrong with an entry, one problem a defect."""

from __future__ import annotations

import re
from collections.abc import Collection

from nsm_gate.checks import CHECKS
from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem
from nsm_gate.nouns import NamedTuple
from nsm_gate.pointers import EVERYWHERE

_INDEX = re.compile(r"/[0-9]+(?=/|$)")


class Defects(NamedTuple):
    """The problems of an entry, and the values that nothing else is to be said of.

    Attributes:
        problems: In the order of the checks, those of the schema first.
        refused: JSON pointers of values that the schema refuses, and of lists that hold one; EVERYWHERE where
            there are more than are listed.
        reported: JSON pointers of values that some problem speaks of already.
        roots: Beginnings of the pointers under which nothing is reported.
    """

    problems: tuple[Problem, ...]
    refused: frozenset[str]
    reported: frozenset[str]
    roots: tuple[str, ...]

    def speak_of(self, place: str) -> bool:
        """Return whether a value is reported already, or lies under one that is."""
        return place in self.reported or place.startswith(self.roots)


def defects(subject: Subject, only: Collection[str] | None = None) -> Defects:
    """Return an entry's problems, one a defect.

    Args:
        subject: The entry.
        only: The checks to run, where the others are known to find nothing.

    The specific rule wins over the schema where it owns the place. What the schema refuses is not
    computed with: no law or warning speaks of a refused value, nor of anything below an object that is
    missing or of the wrong type.
    """
    owned: set[str] = set()
    flaws: list[Problem] = []
    found: list[tuple[bool, Problem]] = []
    for check in CHECKS:
        if not isinstance(check, EntryCheck) or (only is not None and check.id not in only):
            continue
        for problem in check.run(subject):
            if check.id == "schema":
                flaws.append(problem)
                continue
            found.append((check.owns, problem))
            if check.owns and problem.pointer is not None:
                owned.add(problem.pointer)
            owned.update(problem.covers)
    roots = tuple(f"{flaw.pointer}/" for flaw in flaws if flaw.below and flaw.pointer not in owned)
    refused = {flaw.pointer or "" for flaw in flaws if flaw.pointer not in owned and not flaw.yields}
    cut = any(flaw.is_cut for flaw in subject.flaws)
    told = {place for _, problem in found for place in problem.covers}
    kept = [
        problem
        for owns, problem in found
        if not (problem.pointer or "").startswith(roots)
        and not (refused | told).intersection(problem.reads)
        and not (cut and problem.reads)
        and (owns or problem.pointer not in refused)
    ]
    laws = {problem.pointer for problem in kept if problem.reads}
    shown = [
        flaw for flaw in flaws if flaw.pointer not in owned and not (flaw.yields and flaw.pointer in laws)
    ]
    # A path over a list plucks: what one item refuses, the series does.
    lists = {_INDEX.sub("", place) for place in refused}
    beyond = {EVERYWHERE} if cut else set()
    return Defects((*shown, *kept), frozenset(refused | lists | beyond), frozenset(refused | owned), roots)
