"""Puts lines that were looked at by themselves in order: keys and results that come again, references.

Of a line only what it comes to is kept; its findings and verdicts are made again for the few that are shown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence

from nsm_gate.best import Best
from nsm_gate.history import Entered, History, Key, LogInput
from nsm_gate.nouns import Any
from nsm_gate.parts import FOR_GOOD, IN_ORDER, Facts, Part
from nsm_gate.policy import Policy
from nsm_gate.proofs.prover import Prover
from nsm_gate.tallies import Row, added, of_alone, with_weights
from nsm_gate.weighing import Weighing
from nsm_gate.whereabouts import HERE

_KEY, _STATUS, _CANDIDATES = map(Facts._fields.index, ("key", "status", "candidates"))
_ENDED = ("completed", "failed")
_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Settling:
    """The judged lines of one log, in order."""

    def __init__(
        self, log: LogInput, judged: Sequence[int], policy: Policy, prover: Prover, judge: Weighing
    ) -> None:
        """Begin before the first line.

        Args:
            log: The log.
            judged: Indices of the lines, in order.
            policy: The rules.
            prover: What proved of the lines what is known of them.
            judge: Judges a line that takes a closer look.
        """
        self.log = log
        self.book = log.book
        self.judged = judged
        self._policy = policy
        self._prover = prover
        self._judge = judge
        self.sources = prover.sources
        self._more: dict[Row, Row] = {}  # a row -> the one with one more criterion that is met

    def told(self, parts: Sequence[Part]) -> tuple[list[Key | None], list[dict[int, tuple[str, Any]] | None]]:
        """Return the key of every judged line, and for each source what is known of the lines it may pick.

        A source of which something is not known has None.
        """
        keys: list[Key | None] = []
        known: list[dict[int, tuple[str, Any]] | None] = [{} for _ in self.sources]
        for part in parts:
            for fact in part.facts:
                index = self.judged[len(keys)]
                keys.append(fact[_KEY])
                for number, group, value in fact[_CANDIDATES] if self.sources else ():
                    held = known[number]
                    if group is None:
                        known[number] = None
                    elif held is not None:
                        held[index] = (part.groups[group] if group else "[]", value)
        return keys, known

    def settle(
        self, parts: Iterable[Part], history: History, best: Best, used: set[int], tell: Callable[[], None]
    ) -> Iterator[tuple[int, Row]]:
        """Put the lines in order; yield each judged line's index and what it comes to.

        Args:
            parts: What looking at the lines gave, in order.
            history: Every line is entered into it.
            best: Finds the runs that criteria compare with.
            used: Takes the waivers that accept something.
            tell: Called before a line is judged in full: waits for all parts, and tells what was found out
                of the lines to whoever picks runs of them.
        """
        known: dict[int, tuple[Any, ...]] = {}
        position = 0
        for part in parts:
            for fact in part.facts:
                number, judged, key, results, status, corrected, candidates, needs = fact
                index = self.judged[position]
                position += 1
                row = part.rows[number]
                redo, repeated = judged == IN_ORDER, False
                if key is None and results is None:
                    if redo:
                        tell()
                        row = self._again(index, used)
                    yield index, row
                    continue
                same_key, alike = history.add(Entered(self.book, index, 0), key, results)
                if same_key is not None:
                    earlier = known.get(same_key.at) if same_key.book is self.book else None
                    ended = earlier is not None and earlier[_STATUS] == "running" and status in _ENDED
                    repeated = not (ended or corrected)
                if alike is not None:
                    first = known.get(alike.at) if alike.book is self.book else None
                    repeated = repeated or first is None or first[_KEY] != key
                redo = redo or (repeated and (judged != FOR_GOOD or row.unknown > 0))
                known[index] = fact
                if needs and not redo:
                    compared = self._compared(row, part, needs, key, best, index)
                    redo = compared is None
                    row = compared or row
                if redo:
                    tell()
                    row = self._again(index, used)
                elif repeated:
                    HERE.line(index + 1)
                    row = with_weights(row, self._judge.repeated(self.log, index), used)
                if same_key is not None:
                    best.supersede(same_key.at if same_key.book is self.book else None)
                for reference, group, value in candidates if self.sources else ():
                    best.take(
                        reference,
                        None if group is None else part.groups[group] if group else "[]",
                        value,
                        index,
                        key,
                    )
                yield index, row

    def _again(self, index: int, used: set[int]) -> Row:
        HERE.line(index + 1)
        return of_alone(self._judge.whole(self.log, index, entered=True), used)

    def _compared(
        self, row: Row, part: Part, needs: Sequence[Any], key: Key, best: Best, index: int
    ) -> Row | None:
        """Return what a line comes to with its comparisons; None where one takes a closer look."""
        compiled = self._prover.compiled
        if compiled is None:
            return None
        for number, value, group, logged in needs:
            need = compiled.verdicts.needs.get(number)
            if need is None:
                return None  # the proof was made again since, and sees less
            other = best.strongest(need.reference, part.groups[group] if group else "[]", key, logged)
            if other is None:
                return None
            holds = _OPERATORS[need.operator](value, other)
            if holds:
                more = self._more.get(row)
                if more is None:
                    more = self._more[row] = row._replace(met=row.met + 1)
                row = more
                continue
            name = self._name(index) if self._policy.waivers else None
            kind = compiled.verdicts.criteria[need.criterion][1]
            weight = self._judge.weigh("criterion-missed", self.book, kind, name, index + 1)
            if weight[1] is not None:
                return None
            row = added(row, weight[0])._replace(missed=row.missed + 1)
        return row

    def _name(self, index: int) -> str | None:
        record = self.book.record(index)
        return record.name if record is not None else None
