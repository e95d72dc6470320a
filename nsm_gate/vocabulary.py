"""What the names of a query stand for in the runs of one log kind.

Names are those of the rule language: a path from the run object, a word of the log kind's `names:`, or
`entry.` and a path from the entry's root. Beside them stand words that every log kind has (`run`, `log`,
`line`, `logged`, and `status`, `domain` and `experiment_type` wherever the entry keeps them), and those of
the verdicts: `verdict.accuracy`, `margin.accuracy`, `verdicts.missed`. A member of the entry goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from nsm_gate.expressions import Lookup
from nsm_gate.model import Outcome, Path, Verdict
from nsm_gate.nouns import Any
from nsm_gate.pointers import COUNT
from nsm_gate.policy import Criterion, LogKind, Policy
from nsm_gate.records import Record
from nsm_gate.schema import resolved
from nsm_gate.values import UNKNOWN, Value

Name = tuple[str, ...]
Verdicts = Mapping[tuple[str, int], Sequence[Verdict]]
"""The verdicts of each line: by log and line number."""

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
OF_VERDICTS = ("verdict", "margin", "verdicts")


class Vocabulary:
    """The names of one log kind."""

    def __init__(self, kind: LogKind, policy: Policy, verdicts: Verdicts | None = None) -> None:
        """Know what the schema and the rules declare; verdicts only where they were judged."""
        self.kind = kind
        self._policy = policy
        self._verdicts = verdicts or {}
        self._metrics = {metric for domain in policy.domains.values() for metric in domain.metrics}
        self._criteria = frozenset(_criteria(policy, kind))
        self._words: dict[str, Callable[[Record], Any]] = {
            "run": lambda record: record.name,
            "log": lambda record: record.path,
            "line": lambda record: record.line,
            "logged": lambda record: record.text(kind.logged),
            "status": lambda record: record.status,
            "domain": lambda record: record.domain,
            "experiment_type": lambda record: record.experiment_type,
        }

    # --- what there is --------------------------------------------------------------------------

    def knows(self, name: Name) -> bool:
        """Return whether the log kind declares a name, or it is a word of every query."""
        if COUNT in name:
            return name[-1] in self.kind.rates and len(name) == 2
        if len(name) == 1 and (name[0] in self.kind.names or name[0] in self._metrics):
            return True
        return self._declared(name) or self._word(name) is not None

    def words(self, above: Name) -> Collection[str]:
        """Return the names that are declared below a path; at the run itself, the words too."""
        members = self._members(above)
        if above:
            return members
        beside = [f"entry.{member}" for member in self._members(("entry",)) if (member,) != self.kind.run]
        of_verdicts = [f"{head}.{name}" for head in OF_VERDICTS[:2] for name in sorted(self._criteria)]
        of_verdicts += [f"verdicts.{outcome}" for outcome in _OUTCOMES]
        return [*members, *self.kind.names, *sorted(self._metrics), *self._words, *beside, *of_verdicts]

    def is_reference(self, name: Name) -> bool:
        """Return whether a name begins with a reference, which only criteria compare with."""
        types = self._policy.experiment_types.values()
        return name[0] in self.kind.references or any(name[0] in kind.references for kind in types)

    def asks_verdicts(self, name: Name) -> bool:
        """Return whether a name is of the verdicts, so that the runs must be judged."""
        return name[0] in OF_VERDICTS and not self._declared(name[:1])

    def _declared(self, name: Name) -> bool:
        return len(name) > 0 and name[-1] in self._members(name[:-1])

    def _members(self, above: Name) -> Mapping[str, Any]:
        schema = self.kind.schema
        steps = above[1:] if above[:1] == ("entry",) else self.kind.run + above
        node = resolved(schema, schema)
        for step in steps:
            node = _item(node, schema)
            node = resolved((node.get("properties") or {}).get(step), schema)
        members: Mapping[str, Any] = _item(node, schema).get("properties") or {}
        return members

    def _word(self, name: Name) -> Callable[[Record], Any] | None:
        """Return how a word is read that is no member of the entry."""
        head = name[0]
        if head in self.kind.names or self._declared((head,)):
            return None
        if len(name) == 1:
            return self._words.get(head)
        if len(name) != 2:
            return None
        if head == "verdicts" and name[1] in _OUTCOMES:
            return lambda record: self._count(record, _OUTCOMES[name[1]])
        if head == "verdict" and name[1] in self._criteria:
            return lambda record: self._of(record, name[1], lambda verdict: verdict.outcome.value)
        if head == "margin" and name[1] in self._criteria:
            return lambda record: self._of(record, name[1], lambda verdict: verdict.margin)
        return None

    def _count(self, record: Record, outcome: Outcome) -> int:
        given = self._verdicts.get((record.path, record.line), ())
        return sum(verdict.outcome is outcome for verdict in given)

    def _of(self, record: Record, criterion: str, read: Callable[[Verdict], Any]) -> Any:
        given = self._verdicts.get((record.path, record.line), ())
        return next((read(verdict) for verdict in given if verdict.criterion == criterion), None)

    # --- what it is in a run --------------------------------------------------------------------

    def reader(self, names: Collection[Name]) -> Callable[[Record], Lookup]:
        """Return what finds the names of a query in a run.

        Args:
            names: All that will be asked for.
        """
        words = {name: word for name in names if (word := self._word(name)) is not None}
        if not words:
            return lambda record: record.value

        def of(record: Record) -> Lookup:
            def lookup(path: Name, gaps: bool = False, /) -> Value:
                word = words.get(path)
                if word is None:
                    return record.value(path, gaps)
                value = word(record)
                return UNKNOWN if value is None else value

            return lookup

        return of


def has(record: Record, name: Name) -> bool:
    """Return whether a run has what a name stands for, null or not."""
    return _has(record.entry.value, record.place(name))


def members_at(record: Record, above: Name) -> Collection[str]:
    """Return the members that a run has below a path."""
    value: Any = record.entry.value
    for step in record.place(above) if above else record.kind.run:
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(step) if isinstance(value, dict) else None
    value = value[0] if isinstance(value, list) and value else value
    return value.keys() if isinstance(value, dict) else ()


def _has(value: Any, path: Path) -> bool:
    for index, member in enumerate(path):
        if isinstance(value, list):
            return any(_has(item, path[index:]) for item in value)
        if not isinstance(value, dict) or member not in value:
            return False
        value = value[member]
    return True


def _criteria(policy: Policy, kind: LogKind) -> Iterator[str]:
    types = [each.criteria for each in policy.experiment_types.values()]
    domains = [each.criteria for each in policy.domains.values()]
    for criteria in (kind.criteria, *types, *domains):
        yield from (criterion.name for criterion in criteria if isinstance(criterion, Criterion))


def _item(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a list's items, since a path over a list plucks."""
    if "properties" not in node and "items" in node:
        return resolved(node["items"], schema)
    return node
