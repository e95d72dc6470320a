"""The rules of the base, with what only the head knows beside them.

What the base knows judges as the base says. A log kind, experiment type, domain, criterion, assertion or
reference that only the head has is judged by the head and marked so: adding one with its first run is
never unjudged. Severities, waivers, exclusions and limits are the base's, but for names it does not know.
Nothing new takes away the meaning of a word that the base's rules read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from nsm_gate.expressions import Node
from nsm_gate.model import Severity
from nsm_gate.policy import Criterion, ExperimentType, LogKind, Policy, Reference, SeverityRule, UseDomain
from nsm_gate.schema import resolved

Criteria = tuple[Criterion | UseDomain, ...]


def overlay(base: Policy, head: Policy, defaults: Mapping[str, Severity]) -> Policy:
    """Return the base's policy with what is new in the head.

    Args:
        base: The policy that holds.
        head: The proposed one.
        defaults: Rule -> the severity that it has where nobody sets one.
    """
    shared = {
        *_read_by_logs(base),
        *_read(item for domain in base.domains.values() for item in domain.criteria),
    }
    of_types = {name: set(_read_by_type(kind)) for name, kind in base.experiment_types.items()}
    read = shared.union(*of_types.values())
    logs = {name: _log(kind, head.logs.get(name), read) for name, kind in base.logs.items()}
    types = {
        name: _type(kind, head.experiment_types.get(name), shared | of_types[name])
        for name, kind in base.experiment_types.items()
    }
    domains = {
        name: domain._replace(
            criteria=_criteria(domain.criteria, head.domains[name].criteria if name in head.domains else ()),
        )
        for name, domain in base.domains.items()
    }
    new_logs = {name: kind for name, kind in head.logs.items() if name not in base.logs}
    # Log kinds and domains judge runs of a new type, too.
    new_types = {
        name: kind._replace(references=_beside({}, kind.references, shared))
        for name, kind in head.experiment_types.items()
        if name not in base.experiment_types
    }

    def stands(item: SeverityRule) -> bool:
        if item.log in new_logs:
            return True
        if item.log is None or item.experiment_type not in new_types:
            return False
        # The base's rules about records hold for runs of a new type, as gravely.
        return item.severity >= base.severity(item.rule, item.log, None, defaults[item.rule])

    severities = tuple(item for item in head.severities if stands(item))
    return base._replace(
        logs={**logs, **new_logs},
        experiment_types={**types, **new_types},
        domains={**domains, **{name: d for name, d in head.domains.items() if name not in base.domains}},
        severities=(*base.severities, *severities),
        examples=head.examples,
    )


def _criteria(old: Criteria, new: Criteria) -> Criteria:
    known = {item.name for item in old}
    marked = tuple(item._replace(rules_from="base") if isinstance(item, Criterion) else item for item in old)
    return (*marked, *(item for item in new if item.name not in known))


def _type(old: ExperimentType, new: ExperimentType | None, read: Collection[str]) -> ExperimentType:
    return old._replace(
        criteria=_criteria(old.criteria, new.criteria if new else ()),
        references=_beside(old.references, new.references if new else {}, read),
    )


def _beside(
    old: Mapping[str, Reference], new: Mapping[str, Reference], read: Collection[str]
) -> dict[str, Reference]:
    """Return old references and those new ones whose names mean nothing to the rules of the base.

    A type's reference goes before its log kind's, and any reference before the run's own member.
    """
    return {**{name: reference for name, reference in new.items() if name not in read}, **old}


def _log(old: LogKind, new: LogKind | None, read: set[str]) -> LogKind:
    if new is None:
        return old._replace(criteria=_criteria(old.criteria, ()))
    laws = {law.name for law in old.assertions}
    words = read | set(_members(old))
    # A new name must not move what the base's rules already read under it.
    names = {
        name: places for name, places in new.names.items() if name not in old.names and name not in words
    }
    return old._replace(
        criteria=_criteria(old.criteria, new.criteria),
        assertions=(*old.assertions, *(law for law in new.assertions if law.name not in laws)),
        references=_beside(old.references, new.references, read),
        names={**old.names, **names},
        rates={**{name: place for name, place in new.rates.items() if name in names}, **old.rates},
    )


def _members(kind: LogKind) -> Iterator[str]:
    """Yield the members that the run object of an entry can have."""
    node = resolved(kind.schema, kind.schema)
    for step in kind.run:
        node = resolved(node.get("properties", {}).get(step), kind.schema)
    yield from node.get("properties", {})


def _read_by_logs(policy: Policy) -> Iterator[str]:
    """Yield the words that log kinds read in their criteria, assertions and references."""
    for kind in policy.logs.values():
        yield from _read(kind.criteria)
        yield from _of_references(kind.references.values())
        for law in kind.assertions:
            yield from _words((law.test, law.when))


def _read_by_type(kind: ExperimentType) -> Iterator[str]:
    yield from _read(kind.criteria)
    yield from _of_references(kind.references.values())


def _read(items: Iterable[Criterion | UseDomain]) -> Iterator[str]:
    """Yield the words that criteria read."""
    for item in items:
        if isinstance(item, Criterion):
            yield from _words((item.when,))
            for branch in item.branches:
                yield from _words((branch.condition, branch.test))


def _of_references(references: Iterable[Reference]) -> Iterator[str]:
    for reference in references:
        yield reference.by[0]
        yield from (path[0] for path in reference.same)
        yield from _words((reference.where,))


def _words(parts: Iterable[Node | None]) -> Iterator[str]:
    for part in parts:
        for path in part.paths() if part is not None else ():
            yield from path[:2]  # the second, too: the first may be a reference
