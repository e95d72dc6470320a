"""Names, counts and references that are declared and that nothing reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nsm_gate.expressions import Node as Expression
from nsm_gate.lint.declared import Declared
from nsm_gate.lint.ranges import ANYTHING
from nsm_gate.lint.remark import Remark, warning
from nsm_gate.pointers import COUNT
from nsm_gate.policy import Assertion, Criterion, LogKind, Policy, Reference, UseDomain
from nsm_gate.sources import Sources

Name = tuple[str, ...]


def unused(policy: Policy, sources: Sources) -> Iterator[Remark]:
    """Yield a remark for each name, count and reference that nothing reads.

    The words of a pack are for those who extend it, too: of a pack's files they are remarked on only
    where the repository has no rules of its own.
    """
    alone = not any(sources.own.values())
    reads = _Reads(policy)
    # Runs are compared by the same words: what is read of one log kind is for the references of another.
    words = {name: set(found) for name, found in reads.words.items()}
    for kind in policy.logs.values():
        for reference in kind.references.values():
            words.get(reference.log, set()).update(reads.words[kind.name])
    for kind in policy.logs.values():
        found = [
            # A rate is the name's own number, whose count of examples is known.
            *(("names", name, name in words[kind.name] or name in kind.rates) for name in kind.names),
            *(("rates", name, reads.rate(kind, name)) for name in kind.rates),
            *(("references", name, name in reads.references[kind.name]) for name in kind.references),
        ]
        yield from _remarks(sources, "log", kind.name, found, alone=alone)
    for experiment in policy.experiment_types.values():
        used = set(reads.of_criteria(experiment.criteria)).union(*reads.zoned, reads.logged)
        found = [("references", name, any(n[0] == name for n in used)) for name in experiment.references]
        yield from _remarks(sources, "experiment_type", experiment.name, found, alone=alone)


_WORDS = {"names": "name", "rates": "rate", "references": "reference"}


def _remarks(
    sources: Sources, group: str, owner: str, found: Iterable[tuple[str, str, bool]], *, alone: bool
) -> Iterator[Remark]:
    for member, name, used in found:
        node = sources.at(group, owner, member, name)
        if used or node is None or not (alone or sources.owns(node.path)):
            continue
        hint = f"use it in a criterion, or take it out of {member}:"
        yield warning(node, f"nothing reads the {_WORDS[member]} {name} of {owner}", hint)


class _Reads:
    """What the rules read.

    Attributes:
        words: Log kind -> the names of one word that are read of its runs.
        references: Log kind -> the references that are read.
        zoned: What the criteria of each domain read.
        logged: What the criteria of log kinds that have experiment types read.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.words: Mapping[str, set[str]] = {name: set() for name in policy.logs}
        self.references: Mapping[str, set[str]] = {name: set() for name in policy.logs}
        types = policy.experiment_types.values()
        self.zoned = [set(self.of_criteria(domain.criteria)) for domain in policy.domains.values()]
        typed = [set(self.of_criteria(experiment.criteria)) for experiment in types]
        self.logged: set[Name] = set()
        for kind in policy.logs.values():
            references = dict(kind.references)
            for experiment in types if kind.experiment_type else ():
                references.update(experiment.references)
            names = set(self.of_criteria(kind.criteria)) | set(self.of_assertions(kind.assertions))
            if kind.experiment_type:
                self.logged |= names
            names = names.union(
                *(typed if kind.experiment_type else ()), *(self.zoned if kind.domain else ())
            )
            for name in names:
                self.read(kind, name, references)
            for reference in references.values():
                self.reference(kind, reference)
            if kind.history is not None:
                self.read(kind, kind.history, {})

    def rate(self, kind: LogKind, name: str) -> bool:
        """Return whether a rate is read: by a rule, or by impossible-metric, which looks at every number."""
        found = Declared(kind, self.policy, {}).of((name,))
        return (
            name in self.words[kind.name] or name in kind.names or (bool(found.numbers) and found != ANYTHING)
        )

    def read(self, kind: LogKind, name: Name, references: Mapping[str, Reference]) -> None:
        """Note one name that is read of a log kind's runs, or of a reference of theirs."""
        reference = references.get(name[0])
        if reference is not None:
            self.references[kind.name].add(name[0])
            other = self.policy.logs.get(reference.log)
            if other is not None and len(name) > 1:
                self.read(other, name[1:], {})
        elif len(name) == 1:
            self.words[kind.name].add(name[0])
        elif name[0] == COUNT:
            self.words[kind.name].add(name[-1])

    def reference(self, kind: LogKind, reference: Reference) -> None:
        """Note what a reference reads of its candidates and of the judged runs."""
        other = self.policy.logs.get(reference.log)
        if other is None:
            return
        for path in [reference.by, *reference.same, *_paths(reference.where)]:
            if path[0] == "this":
                self.read(kind, path[1:] or ("",), {})
            else:
                self.read(other, path, {})
        for path in reference.same:
            self.read(kind, path, {})

    @staticmethod
    def of_criteria(criteria: Iterable[Criterion | UseDomain]) -> Iterator[Name]:
        """Yield every name that criteria read."""
        for item in criteria:
            if isinstance(item, Criterion):
                yield from _paths(item.when)
                for branch in item.branches:
                    yield from _paths(branch.condition)
                    yield from _paths(branch.test)

    @staticmethod
    def of_assertions(laws: Iterable[Assertion]) -> Iterator[Name]:
        """Yield every name that assertions read."""
        for law in laws:
            yield from _paths(law.test)
            yield from _paths(law.when)


def _paths(node: Expression | None) -> Iterator[Name]:
    if node is not None:
        yield from node.paths()
