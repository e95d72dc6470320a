"""The rules of the base, with what only the head knows beside them.

What the base knows judges as the base says. A log kind, experiment type, domain, criterion, assertion or
reference that only the head has is judged by the head and marked so: adding one with its first run is
never unjudged. Severities, waivers, exclusions and limits are the base's, but for names it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.expressions import Node
from nsm_gate.policy import Criterion, ExperimentType, LogKind, Policy, Reference, UseDomain
from nsm_gate.schema import resolved

Criteria = tuple[Criterion | UseDomain, ...]


def overlay(base: Policy, head: Policy) -> Policy:
    """Return the base's policy with what is new in the head."""
    read = set(_read(base))
    logs = {name: _log(kind, head.logs.get(name), read) for name, kind in base.logs.items()}
    types = {
        name: _type(kind, head.experiment_types.get(name)) for name, kind in base.experiment_types.items()
    }
    domains = {
        name: domain._replace(
            criteria=_criteria(domain.criteria, head.domains[name].criteria if name in head.domains else ()),
        )
        for name, domain in base.domains.items()
    }
    new_logs = {name: kind for name, kind in head.logs.items() if name not in base.logs}
    new_types = {
        name: kind for name, kind in head.experiment_types.items() if name not in base.experiment_types
    }
    severities = tuple(
        item
        for item in head.severities
        if (item.log is not None and item.log in new_logs)
        or (item.experiment_type is not None and item.experiment_type in new_types)
    )
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


def _type(old: ExperimentType, new: ExperimentType | None) -> ExperimentType:
    return old._replace(
        criteria=_criteria(old.criteria, new.criteria if new else ()),
        references={**(new.references if new else {}), **old.references},
    )


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
        references={**new.references, **old.references},
        names={**old.names, **names},
        rates={**{name: place for name, place in new.rates.items() if name in names}, **old.rates},
    )


def _members(kind: LogKind) -> Iterator[str]:
    """Yield the members that the run object of an entry can have."""
    node = resolved(kind.schema, kind.schema)
    for step in kind.run:
        node = resolved(node.get("properties", {}).get(step), kind.schema)
    yield from node.get("properties", {})


def _read(policy: Policy) -> Iterator[str]:
    """Yield the first word of every path that the rules of a policy read."""
    references: list[Reference] = []
    criteria: list[Criterion | UseDomain] = []
    parts: list[Node | None] = []
    for kind in policy.logs.values():
        references += kind.references.values()
        criteria += kind.criteria
        for law in kind.assertions:
            parts += (law.test, law.when)
    for experiment in policy.experiment_types.values():
        references += experiment.references.values()
        criteria += experiment.criteria
    for domain in policy.domains.values():
        criteria += domain.criteria
    for reference in references:
        yield reference.by[0]
        yield from (path[0] for path in reference.same)
        parts.append(reference.where)
    for item in criteria:
        if isinstance(item, Criterion):
            parts.append(item.when)
            for branch in item.branches:
                parts += (branch.condition, branch.test)
    for part in parts:
        for path in part.paths() if part is not None else ():
            yield from path[:2]  # the second, too: the first may be a reference
