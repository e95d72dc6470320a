"""Looks at the lines of a log one by one: proves what can be proven, and judges the rest as ever.

It depends on nothing else, so it can be spread over processes; `settling` puts the lines in order afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from nsm_gate.checks.duplicate_run import corrects
from nsm_gate.history import LogInput, digest
from nsm_gate.model import Entry, Severity
from nsm_gate.nouns import Any
from nsm_gate.parts import FOR_GOOD, IN_ORDER, UNLESS_REPEATED, Part
from nsm_gate.policy import Policy
from nsm_gate.proofs.places import places
from nsm_gate.proofs.prover import REFUSALS, Prover
from nsm_gate.records import Record
from nsm_gate.references import agreement, eligible, same
from nsm_gate.tallies import Alone, Row, of_alone
from nsm_gate.values import is_number
from nsm_gate.weighing import Weighing
from nsm_gate.whereabouts import HERE


class Bulk:
    """The judged lines of one log, each by itself."""

    def __init__(
        self, log: LogInput, judged: Sequence[int], policy: Policy, prover: Prover, judge: Weighing
    ) -> None:
        """Look at nothing yet.

        Args:
            log: The log.
            judged: Indices of the lines.
            policy: The rules.
            prover: Proves lines; it has learned what they look like.
            judge: Judges a line that takes a closer look.
        """
        self.log = log
        self.book = log.book
        self.judged = judged
        self._judge = judge
        self._policy = policy
        self._groups: dict[int, str] = {}
        self._told: dict[tuple[Any, ...], Row] = {}  # rules of findings, criteria met, experiment type -> row
        self._prover = prover
        self._references = {name for kind in policy.logs.values() for name in kind.references}
        self._references |= {n for kind in policy.experiment_types.values() for n in kind.references}

    def look(self, start: int, stop: int) -> Part:
        """Look at the judged lines from one place to another, each by itself."""
        rows: dict[Row, int] = {}
        facts: list[tuple[Any, ...]] = []
        used: set[int] = set()
        texts: dict[str, int] = {}
        book, prover = self.book, self._prover
        judged = self.judged[start:stop]
        lines = self._lines(judged)
        last = len(book.lines) - 1
        before: datetime | None = None
        at = -2
        clean: dict[int, int] = {}  # criteria met -> number of the row
        for index, line in zip(judged, lines, strict=True):
            if index != at + 1:
                before = self._logged(index - 1)
            at = index
            compiled = prover.compiled
            proof = None
            if compiled is not None and (index < last or book.terminated):
                try:
                    proof = compiled.prove(line, before)
                except REFUSALS:
                    proof = None
            if proof is not None:
                bad, open_, missed, met, key, results, logged, needs, candidates, status, corrected, _, _ = (
                    proof
                )
                known = FOR_GOOD
                number: int | None
                if bad or open_ or missed:
                    row, known = self._partly(index, proof, used)
                    number = rows.setdefault(row, len(rows)) if row is not None else None
                else:
                    number = clean.get(met)
                    if number is None:
                        number = clean[met] = rows.setdefault(Row(met=met), len(rows))
                if number is not None:
                    facts.append((number, known, key, results, status, corrected, candidates, needs))
                    before = logged if logged is not None else self._logged(index)
                    continue
            made = self._carefully(index, used, texts)
            facts.append((rows.setdefault(made[0], len(rows)), *made[1]))
            before = self._logged(index)
        groups = {-number: text for text, number in texts.items()}
        if prover.compiled is not None:
            for values, number in prover.compiled.groups.items():
                if number not in self._groups:
                    self._groups[number] = _text_of(values)
        return Part(list(rows), groups | self._groups, facts, used)

    def _lines(self, judged: Sequence[int]) -> Sequence[bytes]:
        """Return lines: those that follow each other at once."""
        lines = self.book.lines
        if judged and judged[-1] - judged[0] == len(judged) - 1:
            return lines[judged[0] : judged[-1] + 1]
        return [lines[index] for index in judged]

    def _logged(self, index: int) -> datetime:
        """Return when a line was logged, for the one after it; the beginning of time where none says it."""
        record = self.book.record(index) if index >= 0 else None
        instant = record.instant if record is not None else None
        return instant.utc.replace(tzinfo=None) if instant is not None else datetime.min

    def _partly(self, index: int, proof: tuple[Any, ...], used: set[int]) -> tuple[Row | None, int]:
        """Judge what a proof leaves open; return what the line comes to, and how much is known of it.

        None where it takes more than that.
        """
        compiled = self._prover.compiled
        assert compiled is not None  # noqa: S101  # for mypy
        bad, open_, missed, met, _, _, _, _, _, _, _, kind, name = proof
        sure, left = compiled.bits.sure(bad, alone=not open_)
        rules = (*sure, *("criterion-missed",) * missed)
        # What a repeated line says of a correction may be what an assertion speaks of.
        known = UNLESS_REPEATED if compiled.bits.asserts(bad) else FOR_GOOD
        if not (left or open_) and not self._policy.waivers:
            place = (rules, met, kind)
            row = self._told.get(place)
            if row is None:
                weights = self._weights(rules, kind, name, index)
                row = self._told[place] = of_alone(Alone(weights, [], True), used, met, missed)
            return row, known
        weights = self._weights(rules, kind, name, index)
        if not (left or open_):
            return of_alone(Alone(weights, [], True), used, met, missed), known
        HERE.line(index + 1)
        criteria = [compiled.verdicts.criteria[n][0] for n in range(open_.bit_length()) if open_ >> n & 1]
        if any(path[0] in self._references for applied in criteria for path in applied.criterion.paths()):
            return None, known
        alone = self._judge.alone(self.log, index, *compiled.bits.open(left), criteria)
        if alone is None:
            return None, known
        return of_alone(alone._replace(weights=[*weights, *alone.weights]), used, met, missed), known

    def _weights(
        self, rules: Iterable[str], kind: str | None, name: str | None, index: int
    ) -> list[tuple[Severity, int | None]]:
        return [self._judge.weigh(rule, self.book, kind, name, index + 1) for rule in rules]

    def _carefully(self, index: int, used: set[int], texts: dict[str, int]) -> tuple[Row, tuple[Any, ...]]:
        """Look at a line of which nothing is proven, as far as it goes without the others."""
        HERE.line(index + 1)
        decoded = self.book.decoded(index)
        if not isinstance(decoded, Entry):
            row = of_alone(self._judge.whole(self.log, index, entered=False), used)
            return row, (UNLESS_REPEATED, None, None, None, False, (), ())
        self._prover.unproven(decoded)
        record = self.book.seen(index, decoded)
        candidates = tuple(self._candidate(record, texts))
        facts = (record.key, digest(record), record.status, corrects(record), candidates, ())
        if self._judge.compares(record):
            return Row(), (IN_ORDER, *facts)
        return of_alone(self._judge.whole(self.log, index, entered=False), used), (UNLESS_REPEATED, *facts)

    def _candidate(self, record: Record, texts: dict[str, int]) -> Iterator[tuple[int, int | None, Any]]:
        for number, reference in enumerate(self._prover.sources):
            if len(places(record.kind, reference.by)) > 1:
                # Its measure depends on where the run has it that is compared with.
                yield number, None, None
                continue
            agreed = same(reference, record) if eligible(reference, record, None) else None
            value = record.value(reference.by) if agreed is not None else None
            if agreed is not None:
                group = -texts.setdefault(agreed, len(texts) + 1)
                yield number, group, value if is_number(value) else None


def _text_of(values: tuple[Any, ...]) -> str:
    """Return what must agree in two runs, read by a proof, as references write it."""
    return agreement(json.loads(msgspec.json.encode(values)))
