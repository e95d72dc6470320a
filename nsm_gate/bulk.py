"""Judges many lines of a log: proves what can be proven, and judges the rest as ever.

First every line is looked at by itself; that can be spread over processes, since it depends on nothing else.
Then the lines are put in order: keys that come again, results that are alike, references. Of a line only
what it comes to is kept; its findings and verdicts are made again for the few lines that are shown.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from nsm_gate.best import Best
from nsm_gate.checks.duplicate_run import corrects
from nsm_gate.history import Digest, Entered, History, Key, LogInput, digest
from nsm_gate.model import Entry, Outcome, Severity
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.policy import Policy, Reference
from nsm_gate.proofs.prover import REFUSALS, Prover
from nsm_gate.records import Record
from nsm_gate.references import agreement, eligible, same
from nsm_gate.tallies import Alone, Row
from nsm_gate.values import is_number
from nsm_gate.weighing import Weighing
from nsm_gate.whereabouts import HERE

PART = 2048
"""Lines that are looked at in one go."""
_ENDED = ("completed", "failed")


class Facts(NamedTuple):
    """What later lines need to know of a line, and what it comes to by itself.

    Attributes:
        row: Number of the row in the part's table.
        known: IN_ORDER, UNLESS_REPEATED or FOR_GOOD.
        corrected: Whether it corrects an earlier line as it should.
        candidates: (number of the reference, what must agree, strength) for references that may pick it.
        needs: (number of the need, the run's value, what must agree, time) for criteria that compare.
    """

    row: int
    known: int
    key: Key | None
    digest: Digest | None
    status: str | None
    corrected: bool
    candidates: tuple[Any, ...]
    needs: tuple[Any, ...]


IN_ORDER, UNLESS_REPEATED, FOR_GOOD = range(3)
"""When a line is judged: in full, once its place among the others is known; by itself, but in full after
all where an earlier line has its key or its results; by itself, and what such a line means is only added."""


class Part(NamedTuple):
    """What looking at some of the lines gave: plain values alone, since it may come from another process.

    Attributes:
        rows: What lines come to.
        groups: Number of what must agree -> its text, for the numbers that facts name.
        facts: Of each line, in order.
        used: Waivers that accepted something.
    """

    rows: list[Row]
    groups: dict[int, str]
    facts: list[tuple[Any, ...]]
    used: set[int]


class Bulk:
    """The judgement of one log."""

    def __init__(
        self, log: LogInput, judged: Sequence[int], policy: Policy, now: datetime, judge: Weighing
    ) -> None:
        """Learn what the lines look like."""
        self.log = log
        self.book = log.book
        self.judged = judged
        self._judge = judge
        self._policy = policy
        self._more: dict[Row, Row] = {}  # a row -> the one with one more criterion that is met
        self._told: dict[tuple[Any, ...], Row] = {}  # rules of findings, criteria met, experiment type -> row
        self._prover = Prover(log.book.kind, policy, now)
        self._prover.learn(log.book.lines, judged)
        self._references = {name for kind in policy.logs.values() for name in kind.references}
        self._references |= {n for kind in policy.experiment_types.values() for n in kind.references}

    # --- each line by itself ------------------------------------------------------------------

    def look(self, start: int, stop: int) -> Part:
        """Look at the judged lines from one place to another, each by itself."""
        rows: dict[Row, int] = {}
        facts: list[tuple[Any, ...]] = []
        used: set[int] = set()
        texts: dict[str, int] = {}
        lines, book, judged = self.book.lines, self.book, self.judged
        last = len(lines) - 1
        before: datetime | None = None
        at = -2
        clean = [Row(met=met) for met in range(64)]
        for position in range(start, stop):
            index = judged[position]
            if index != at + 1:
                before = self._logged(index - 1)
            at = index
            compiled = self._prover.compiled
            proof = None
            if compiled is not None and (index < last or book.terminated):
                try:
                    proof = compiled.prove(lines[index], before)
                except REFUSALS:
                    proof = None
            if proof is not None:
                bad, open_, missed, met, key, results, logged, needs, candidates, status, corrected, _, _ = (
                    proof
                )
                row: Row | None = clean[met]
                known = FOR_GOOD
                if bad or open_ or missed:
                    row, known = self._partly(index, proof, used)
                if row is not None:
                    number = rows.setdefault(row, len(rows))
                    facts.append((number, known, key, results, status, corrected, candidates, needs))
                    before = logged if logged is not None else self._logged(index)
                    continue
            made = self._carefully(index, used, texts)
            facts.append((rows.setdefault(made[0], len(rows)), *made[1]))
            before = self._logged(index)
        groups = {-number: text for text, number in texts.items()}
        if self._prover.compiled is not None:
            for values, number in self._prover.compiled.groups.items():
                groups[number] = _text_of(values)
        return Part(list(rows), groups, facts, used)

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
                row = self._told[place] = _of(Alone(weights, [], True), used, met, missed)
            return row, known
        weights = self._weights(rules, kind, name, index)
        if not (left or open_):
            return _of(Alone(weights, [], True), used, met, missed), known
        HERE.line(index + 1)
        criteria = [compiled.verdicts.criteria[n][0] for n in range(open_.bit_length()) if open_ >> n & 1]
        if any(path[0] in self._references for applied in criteria for path in applied.criterion.paths()):
            return None, known
        alone = self._judge.alone(self.log, index, *compiled.bits.open(left), criteria)
        if alone is None:
            return None, known
        return _of(alone._replace(weights=[*weights, *alone.weights]), used, met, missed), known

    def _weights(
        self, rules: Iterable[str], kind: str | None, name: str | None, index: int
    ) -> list[tuple[Severity, int | None]]:
        return [self._judge.weigh(rule, self.book, kind, name, index + 1) for rule in rules]

    def _carefully(self, index: int, used: set[int], texts: dict[str, int]) -> tuple[Row, tuple[Any, ...]]:
        """Look at a line of which nothing is proven, as far as it goes without the others."""
        HERE.line(index + 1)
        decoded = self.book.decoded(index)
        if not isinstance(decoded, Entry):
            row = _of(self._judge.whole(self.log, index, entered=False), used)
            return row, (UNLESS_REPEATED, None, None, None, False, (), ())
        self._prover.unproven(decoded)
        record = self.book.seen(index, decoded)
        candidates = tuple(self._candidate(record, texts))
        facts = (record.key, digest(record), record.status, corrects(record), candidates, ())
        if self._judge.compares(record):
            return Row(), (IN_ORDER, *facts)
        return _of(self._judge.whole(self.log, index, entered=False), used), (UNLESS_REPEATED, *facts)

    def _candidate(self, record: Record, texts: dict[str, int]) -> Iterator[tuple[int, int, Any]]:
        compiled = self._prover.compiled
        for number, reference in enumerate(compiled.verdicts.sources if compiled is not None else ()):
            agreed = same(reference, record) if eligible(reference, record, None) else None
            value = record.value(reference.by) if agreed is not None else None
            if agreed is not None:
                group = -texts.setdefault(agreed, len(texts) + 1)
                yield number, group, value if is_number(value) else None

    # --- the lines in order -------------------------------------------------------------------

    def told(self, parts: Sequence[Part]) -> tuple[list[Key | None], list[dict[int, tuple[str, Any]] | None]]:
        """Return the key of every judged line, and for each source what is known of the lines it may pick.

        A source of which something is not known has None.
        """
        keys: list[Key | None] = []
        known: list[dict[int, tuple[str, Any]] | None] = [{} for _ in self.sources]
        for part in parts:
            for fact in part.facts:
                index = self.judged[len(keys)]
                keys.append(fact[2])
                for number, group, value in fact[6]:
                    held = known[number]
                    if group is None:
                        known[number] = None
                    elif held is not None:
                        held[index] = (part.groups[group] if group else "[]", value)
        return keys, known

    def settle(
        self, parts: Iterable[Part], history: History, best: Best, used: set[int], tell: Callable[[], bool]
    ) -> Iterator[tuple[int, Row]]:
        """Put the lines in order; yield each judged line's index and what it comes to.

        Args:
            parts: What looking at the lines gave, in order.
            history: Every line is entered into it.
            best: Finds the runs that criteria compare with.
            used: Takes the waivers that accept something.
            tell: Called once, before the first line that is judged in full, or at the end: tells what was
                found out of the lines to whoever picks runs of them, and returns that it has.
        """
        is_told = False
        known: dict[int, tuple[Any, str | None]] = {}
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
                        is_told = is_told or tell()
                        row = self._again(index, used)
                    yield index, row
                    continue
                same_key, alike = history.add(Entered(self.book, index, 0), key, results)
                if same_key is not None:
                    earlier = known.get(same_key.at) if same_key.book is self.book else None
                    ended = earlier is not None and earlier[1] == "running" and status in _ENDED
                    repeated = not (ended or corrected)
                if alike is not None:
                    first = known.get(alike.at) if alike.book is self.book else None
                    repeated = repeated or first is None or first[0] != key
                redo = redo or (repeated and (judged != FOR_GOOD or row.unknown > 0))
                known[index] = (key, status)
                if needs and not redo:
                    compared = self._compared(row, part, needs, key, best, index)
                    redo = compared is None
                    row = compared or row
                if redo:
                    is_told = is_told or tell()
                    row = self._again(index, used)
                elif repeated:
                    HERE.line(index + 1)
                    row = _with(row, self._judge.repeated(self.log, index), used)
                if same_key is not None:
                    best.supersede(same_key.at if same_key.book is self.book else None)
                for reference, group, value in candidates:
                    best.take(
                        reference,
                        None if group is None else part.groups[group] if group else "[]",
                        value,
                        index,
                        key,
                    )
                yield index, row
        is_told = is_told or tell()

    def _again(self, index: int, used: set[int]) -> Row:
        HERE.line(index + 1)
        return _of(self._judge.whole(self.log, index, entered=True), used)

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

    @property
    def sources(self) -> Sequence[Reference]:
        """Return the references that may pick runs of this log, by number."""
        return self._prover.compiled.verdicts.sources if self._prover.compiled is not None else ()


_OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _of(alone: Alone, used: set[int], met: int = 0, missed: int = 0) -> Row:
    """Return what a line comes to, beside the criteria that are proven to be met or missed."""
    unknown = alone.outcomes.count(Outcome.UNKNOWN)
    row = Row(
        met=met + alone.outcomes.count(Outcome.MET),
        missed=missed + alone.outcomes.count(Outcome.MISSED),
        unknown=unknown,
        weight=int(Severity.NOTICE) if unknown else 0,
        entry=alone.entry,
    )
    return _with(row, alone.weights, used)


def _with(row: Row, weights: Iterable[tuple[Severity, int | None]], used: set[int]) -> Row:
    """Return what a line comes to with more findings."""
    for severity, waiver in weights:
        row = added(row, severity, waived=waiver is not None)
        if waiver is not None:
            used.add(waiver)
    return row


def added(row: Row, severity: Severity, *, waived: bool = False) -> Row:
    """Return what a line comes to with one more finding."""
    if severity is Severity.IGNORE:
        return row
    if waived:
        return row._replace(waived=row.waived + 1, weight=max(row.weight, int(severity)))
    name = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.NOTICE: "notices"}[severity]
    return row._replace(**{name: getattr(row, name) + 1, "weight": max(row.weight, int(severity))})


def _text_of(values: tuple[Any, ...]) -> str:
    """Return what must agree in two runs, read by a proof, as references write it."""
    return agreement(json.loads(msgspec.json.encode(values)))
