"""Entry x criterion x references -> verdict, explained with the values."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from functools import partial

from nsm_gate.expressions import Call, Comparison, Name, Node
from nsm_gate.functions import FUNCTIONS, standard_error
from nsm_gate.model import Json, Outcome, Path, ReferenceUsed, Verdict
from nsm_gate.nouns import NamedTuple
from nsm_gate.pointers import COUNT, EVERYWHERE, dotted, pointer, show
from nsm_gate.policy import Branch, Criterion, Domain, ExperimentType, UseDomain
from nsm_gate.records import ABSENT, Record
from nsm_gate.references import Picked
from nsm_gate.values import UNKNOWN, Value, decimal, is_number, rounded

Pick = Callable[[str], "Picked | None"]
"""Reference name -> what was picked; None where no reference is called so."""

_NONE = ("pass", "warn", "unknown", "fail")
"""What may hold where a reference has no run, from the mildest to the gravest."""


class Applied(NamedTuple):
    """A criterion that is asked of a run.

    Attributes:
        optional: Whether a missing subject makes it not applicable, rather than unknown.
    """

    criterion: Criterion
    optional: bool = False


def applicable(record: Record, kind: ExperimentType | None, domain: Domain | None) -> Iterator[Applied]:
    """Yield the criteria of the run's log kind, experiment type and domain, in that order.

    Domain criteria are asked strictly of types that require domain metrics or take them in with
    `use: domain`; of other runs only where the metric is present.
    """
    items = (*record.kind.criteria, *(kind.criteria if kind else ()))
    for item in items:
        if isinstance(item, UseDomain):
            yield from _of_domain(domain)
        else:
            yield Applied(item)
    if not any(isinstance(item, UseDomain) for item in items):
        yield from _of_domain(domain, optional=not (kind and kind.asks_domain_metrics))


def _of_domain(domain: Domain | None, *, optional: bool = False) -> Iterator[Applied]:
    for item in domain.criteria if domain else ():
        if isinstance(item, Criterion):
            yield Applied(item, optional)


def judge(
    applied: Applied,
    record: Record,
    pick: Pick,
    refused: Collection[str] = frozenset(),
    *,
    brief: bool,
) -> Verdict:
    """Judge one run by one criterion. Never raises; what is missing is unknown, never met.

    Args:
        applied: The criterion.
        record: The run.
        pick: Finds the run that a reference stands for.
        refused: JSON pointers of values that the schema refuses, or EVERYWHERE: they count as unknown.
        brief: Whether a criterion that is met, or does not apply, gets its outcome alone.
    """
    return _Judgement(applied, record, pick, refused, brief).verdict()


class _Judgement:
    def __init__(
        self, applied: Applied, record: Record, pick: Pick, refused: Collection[str], brief: bool
    ) -> None:
        self.criterion = applied.criterion
        self.optional = applied.optional
        self.record = record
        self.pick = pick
        self.refused = refused
        self.brief = brief
        self.picked: dict[str, Picked] = {}
        self.lacking: list[str] = []

    def lookup(self, path: tuple[str, ...], gaps: bool = False, /) -> Value:
        found = self.reference(path[0])
        if found is None:
            if self.refused and self.is_refused(self.record.place(path)):
                return UNKNOWN
            return self.record.value(path, gaps)
        if found.record is None or len(path) == 1:
            return UNKNOWN
        return found.record.value_like(path[1:], self.record)

    def is_refused(self, place: Path) -> bool:
        return pointer(*place) in self.refused or EVERYWHERE in self.refused

    def reference(self, name: str) -> Picked | None:
        if name not in self.picked:
            found = self.pick(name)
            if found is None:
                return None
            self.picked[name] = found
        return self.picked[name]

    def verdict(self) -> Verdict:
        criterion = self.criterion
        first = criterion.branches[0]
        if self.record.status != "completed":
            if self.brief:
                return self.bare(Outcome.NOT_APPLICABLE)
            status = show(self.record.status) if self.record.status else "without a status"
            return self.result(Outcome.NOT_APPLICABLE, first, f"the run is {status}")
        if criterion.when is not None:
            holds = criterion.when.value(self.lookup)
            if holds is False and self.brief:
                return self.bare(Outcome.NOT_APPLICABLE)
            if holds is False:
                reads = self.reads(criterion.when)
                return self.result(Outcome.NOT_APPLICABLE, first, f"does not apply: {reads}")
            if holds is not True:
                return self.result(Outcome.UNKNOWN, first, self.missing(criterion.when))
        if self.optional and criterion.subject and self.lookup(criterion.subject) is UNKNOWN:
            return self.result(Outcome.NOT_APPLICABLE, first, self.missing(first.test))
        because = ""
        for branch in criterion.branches:
            holds = True if branch.condition is None else branch.condition.value(self.lookup)
            if holds is False:
                continue
            if branch.condition is not None:
                because = f", as {self.reads(branch.condition)}"
            if holds is not True and branch.condition is not None:
                return self.result(Outcome.UNKNOWN, branch, self.missing(branch.condition))
            return self.judged(branch, because)
        return self.result(Outcome.NOT_APPLICABLE, first, "no branch applies")

    def judged(self, branch: Branch, because: str) -> Verdict:
        value = branch.test.value(self.lookup)
        if value is not True and value is not False:
            return self.unknown(branch)
        if value and self.brief:
            return self.bare(Outcome.MET)
        outcome = Outcome.MET if value else Outcome.MISSED
        words = "is" if value else "is not"
        test = branch.test
        if self.criterion.subject is not None:
            gaps = isinstance(test, Call) and FUNCTIONS[test.name].names
            observed = self.said(self.lookup(self.criterion.subject, gaps))
            said = f"{self.criterion.name} {observed} {words} {branch.expected}"
            others = self.reads(test, but=self.criterion.subject)
            why = test.why(self.lookup) if isinstance(test, Call) else ""
            said += f" ({others})" if others else f": {why}" if why else ""
        elif isinstance(test, Comparison) and len(test.rest) == 1 and test.margin(self.lookup) is not None:
            left, (operator, right) = test.first, test.rest[0]
            said = f"{self.side(left)} {words} {operator} {self.side(right)}"
            # A computed side says a number that stands nowhere: say what it is made of.
            made_of = ", ".join(self.reads(s) for s in (left, right) if s.children())
            said += f" ({made_of})" if made_of else ""
        else:
            said = f"{branch.expected} {'holds' if value else 'does not hold'}: {self.reads(test)}"
        used = self.used(list(test.paths()))
        whose = f", {used.name} being {used.run}" if used is not None else ""
        return self.result(outcome, branch, said + self.distance(test, outcome) + whose + because)

    def unknown(self, branch: Branch) -> Verdict:
        """Judge a test without a value: by the rules' word where all it lacks is a run to compare with."""
        missing = self.missing(branch.test)
        absent = [p for p in branch.test.paths() if self.lookup(p) is UNKNOWN]
        found = [self.reference(path[0]) for path in absent]
        if not absent or any(picked is None or picked.record is not None for picked in found):
            return self.result(Outcome.UNKNOWN, branch, missing)
        # The gravest word counts where several references have no run.
        word = max((picked.none for picked in found if picked), key=_NONE.index)
        if word == "unknown":
            return self.result(Outcome.UNKNOWN, branch, missing)
        if not self.fits(branch.test):
            return self.result(Outcome.UNKNOWN, branch, self.unfit(branch.test))
        outcome = Outcome.MISSED if word == "fail" else Outcome.MET
        said = "missed" if word == "fail" else "met"
        verdict = self.result(outcome, branch, f"{missing}, which the rules count as {said}")
        return verdict._replace(unverified=word == "warn")

    def fits(self, test: Node) -> bool:
        """Return whether a test could be decided if there were a run to compare with.

        A text where a number belongs is not met for want of another run.
        """
        return any(isinstance(test.value(partial(self.stood_in, one)), bool) for one in (False, True))

    def stood_in(self, one: bool, path: tuple[str, ...], gaps: bool = False, /) -> Value:
        """Look a name up as if a run that is not there were this one, or had 1 everywhere."""
        found = self.reference(path[0])
        if found is None or found.record is not None or len(path) == 1:
            # No series of its own has gaps here: it would be missing.
            return self.lookup(path)
        return Decimal(1) if one else self.record.value(path[1:], gaps)

    def distance(self, test: Node, outcome: Outcome) -> str:
        margin = test.margin(self.lookup)
        if margin is None:
            return ""
        words = "by"
        if outcome is Outcome.MISSED and isinstance(test, Comparison):
            words = "short by" if test.rest[0][0].startswith(">") else "over by"
        if not margin:
            return " (exactly at the threshold)"
        parts = [f"{words} {rounded(abs(margin))}"]
        errors = self.standard_errors(abs(margin))
        if errors:
            parts.append(errors)
        return f" ({', '.join(parts)})"

    def standard_errors(self, margin: Value) -> str:
        """Say how many binomial standard errors the margin is, where the count is known."""
        subject = self.criterion.subject
        if subject is None or len(subject) != 1:
            return ""
        rate, count = self.lookup(subject), self.lookup((COUNT, *subject))
        # At the ends the estimate says nothing.
        error = standard_error(rate, count) if is_number(rate) and 0 < rate < 1 else None
        return f"{float(margin) / float(error):.1f} standard errors at n={count}" if error else ""

    def reads(self, node: Node, but: tuple[str, ...] | None = None) -> str:
        said = []
        for path in node.paths():
            value = self.lookup(path)
            if path != but:
                name = dotted(path)
                said.append(self.lacks(path) if value is UNKNOWN else f"{name} {self.said(value)}")
        return ", ".join(said)

    def lacks(self, path: tuple[str, ...]) -> str:
        """Say why a name has no value."""
        found = self.reference(path[0])
        if found is not None:
            if found.record is None:
                return found.reason
            return f"{found.record.name or 'the reference'} has no {dotted(path[1:])} at the same place"
        place = self.record.place(path)
        if COUNT in place:
            return f"no count of examples is declared for {path[-1]}"
        run = self.record.kind.run
        start = len(run) if place[: len(run)] == run else 0
        short = ".".join(place[start:])
        if self.is_refused(place) and self.record.at(place) is not ABSENT:
            return f"{short} is refused by the schema"
        value = self.record.entry.value
        for index, member in enumerate(place):
            holder = value
            value = holder.get(member, ABSENT) if isinstance(holder, dict) else ABSENT
            # It is on the way: a list where the path ends is a value.
            if isinstance(value, list):
                series = ".".join(place[min(start, index) : index + 1])
                if not value:
                    return f"{series} is empty"
                return f"{'.'.join(place[index + 1 :])} is not in every item of {series}"
        return f"{short} is {'absent' if value is ABSENT else 'null'}"

    def side(self, node: Node) -> str:
        value = self.said(node.value(self.lookup))
        return f"{dotted(node.path)} {value}" if isinstance(node, Name) else value

    @staticmethod
    def said(value: Value) -> str:
        if value is UNKNOWN:
            return "unknown"
        if isinstance(value, list) and len(value) > 1 and all(is_number(item) for item in value):
            first, last = (rounded(decimal(item)) for item in (value[0], value[-1]))
            return f"{first} → {last} over {len(value)} values"
        return rounded(decimal(value)) if is_number(value) else show(value)

    def missing(self, node: Node) -> str:
        """Say which values a test lacks, or which have the wrong type."""
        absent = [path for path in node.paths() if self.lookup(path) is UNKNOWN]
        self.lacking = [pointer(*self.record.place(p)) for p in absent if self.reference(p[0]) is None]
        reasons = [self.lacks(path) for path in absent]
        return ", ".join(dict.fromkeys(reasons)) if reasons else self.unfit(node)

    def unfit(self, node: Node) -> str:
        """Say that values are there and cannot be tested."""
        where = ""
        if isinstance(node, Call) and FUNCTIONS[node.name].unknown:
            why = FUNCTIONS[node.name].unknown.replace("`", "")
            where = f" ({node.name} is unknown where {why})"
        return f"the values do not fit the test: {self.reads(node)}{where}"

    def bare(self, outcome: Outcome) -> Verdict:
        """Return a verdict of which nothing is to be said."""
        criterion, record = self.criterion, self.record
        return Verdict(
            record.path, record.line, None, None, None, criterion.name, outcome, None, "", None, "", None,
            None, criterion.law, criterion.defined_at, criterion.rules_from,
        )  # fmt: skip

    def result(self, outcome: Outcome, branch: Branch, explanation: str) -> Verdict:
        criterion, record = self.criterion, self.record
        reads = list(branch.test.paths())
        observed: Json
        if criterion.subject is not None:
            observed = _json(self.lookup(criterion.subject))
        elif outcome is Outcome.NOT_APPLICABLE:
            observed = None
        else:
            observed = {dotted(path): _json(self.lookup(path)) for path in reads}
        own = criterion.subject or next((p for p in reads if self.reference(p[0]) is None), None)
        judged = outcome in (Outcome.MET, Outcome.MISSED)
        margin = branch.test.margin(self.lookup) if judged else None
        return Verdict(
            path=record.path,
            line=record.line,
            run=record.name,
            experiment_type=record.experiment_type,
            domain=record.domain,
            criterion=criterion.name,
            outcome=outcome,
            observed=observed,
            expected=branch.expected,
            margin=_finite(margin),
            explanation=explanation,
            pointer=pointer(*_to_list(record, record.place(own))) if own else None,
            reference=None if outcome is Outcome.NOT_APPLICABLE else self.used(reads),
            law=criterion.law,
            defined_at=criterion.defined_at,
            rules_from=criterion.rules_from,
            lacks=tuple(self.lacking),
        )

    def used(self, reads: list[tuple[str, ...]]) -> ReferenceUsed | None:
        for path in reads:
            found = self.reference(path[0])
            if found is None or found.record is None:
                continue
            values = {dotted(p[1:]): _json(self.lookup(p)) for p in reads if p[0] == path[0]}
            other = found.record
            return ReferenceUsed(path[0], other.name or "", other.path, other.line, other.appended, values)
        return None


def _to_list(record: Record, place: Path) -> Path:
    """Return a place up to the first list: a plucked series has no pointer of its own."""
    for end in range(len(place)):
        if isinstance(record.at(place[:end]), list):
            return place[:end]
    return place


def _finite(margin: Value) -> float | None:
    number = math.inf if margin is None else float(margin)
    return number if math.isfinite(number) else None


def _json(value: Value) -> Json:
    return None if value is UNKNOWN else value
