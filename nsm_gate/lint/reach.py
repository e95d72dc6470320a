"""Rules that the schema makes constant: never met, never missed, never asked."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

from nsm_gate.expressions import Node as Expression
from nsm_gate.lint.declared import Declared
from nsm_gate.lint.outcomes import State, assume, can
from nsm_gate.lint.ranges import described
from nsm_gate.lint.remark import Remark, error, warning
from nsm_gate.nouns import dataclass
from nsm_gate.pointers import dotted
from nsm_gate.policy import Assertion, Criterion, LogKind, Policy, Reference, UseDomain
from nsm_gate.sources import Sources
from nsm_gate.strict_yaml import Node
from nsm_gate.whereabouts import HERE


def constant(policy: Policy, sources: Sources) -> Iterator[Remark]:
    """Yield a remark for each part of a rule that cannot come out otherwise than it does."""
    references = {name: r for kind in policy.logs.values() for name, r in kind.references.items()}
    for experiment in policy.experiment_types.values():
        references.update(experiment.references)
    typed = [kind for kind in policy.logs.values() if kind.experiment_type]
    zoned = [kind for kind in policy.logs.values() if kind.domain]
    owners: list[tuple[str, str, Sequence[Criterion | UseDomain], list[LogKind]]] = [
        *(("log", kind.name, kind.criteria, [kind]) for kind in policy.logs.values()),
        *(("experiment_type", t.name, t.criteria, typed) for t in policy.experiment_types.values()),
        *(("domain", domain.name, domain.criteria, zoned) for domain in policy.domains.values()),
    ]
    for group, name, criteria, kinds in owners:
        for item in criteria:
            node = sources.at(group, name, "criteria", item.name)
            if isinstance(item, Criterion) and node is not None:
                HERE.file(node.path)
                HERE.line(node.line)
                rules = [_Rule(f"{item.name} of {name}", node, policy, kind, references) for kind in kinds]
                yield from _in_all([list(rule.criterion(item)) for rule in rules])
    for kind in policy.logs.values():
        for law in kind.assertions:
            node = sources.at("log", kind.name, "assertions", law.name)
            if node is not None:
                HERE.file(node.path)
                HERE.line(node.line)
                yield from _Rule(f"{law.name} of {kind.name}", node, policy, kind, {}).assertion(law)
    yield from _references(policy, sources)


def _references(policy: Policy, sources: Sources) -> Iterator[Remark]:
    groups = [("log", kind.name, kind.references) for kind in policy.logs.values()]
    groups += [("experiment_type", t.name, t.references) for t in policy.experiment_types.values()]
    for group, owner, references in groups:
        for name, reference in references.items():
            node = sources.at(group, owner, "references", name, "where")
            kind = policy.logs.get(reference.log)
            if node is None or kind is None or reference.where is None:
                continue
            # `this` may be a run of several log kinds: nothing is said of it.
            reads_this = any(path[0] == "this" for path in reference.where.paths())
            if not reads_this and not can(reference.where, True, State(Declared(kind, policy, {}).of)):
                hint = "no run can be picked: change the condition, or take the reference out"
                yield error(node, f"where of the reference {name} never holds", hint)


def _in_all(found: list[list[Remark]]) -> Iterator[Remark]:
    """Yield what holds in every log kind that a rule applies to."""
    for remark in found[0] if found else ():
        if all(any(remark.line == r.line and remark.path == r.path for r in other) for other in found[1:]):
            yield remark


@dataclass(frozen=True, slots=True)
class _Rule:
    """A criterion or assertion in the runs of one log kind.

    Attributes:
        said: What it is called.
        node: What the file says.
    """

    said: str
    node: Node
    policy: Policy
    kind: LogKind
    references: dict[str, Reference]

    def criterion(self, criterion: Criterion) -> Iterator[Remark]:
        """Yield remarks on the condition, the branches and the tests of a criterion."""
        state: State | None = self.state(self.references)
        if criterion.when is not None and state is not None:
            yield from self.condition(criterion.when, self.node.get("when") or self.node, "when", state)
            state = assume(criterion.when, True, state)
            if state is None:
                return
        first = self.node.get("first")
        earlier: list[Expression] = []
        for index, branch in enumerate(criterion.branches):
            item = first.at(index) if first is not None else self.node
            number = f"branch {index + 1} of {self.said}"
            taken = state
            if branch.condition is not None:
                yield from self.branch(branch.condition, item, number, earlier, state)
                if state is not None:
                    taken, state = (assume(branch.condition, truth, state) for truth in (True, False))
                earlier.append(branch.condition)
            elif state is None:
                yield error(item, f"{number} is never reached", "the branches before it take every run")
            if taken is not None:
                place = item.get("then") or item.get("else") or item
                said = f"{self.said} in {number.partition(' of ')[0]}" if earlier else self.said
                yield from self.test(branch.test, place, said, branch.expected, taken)

    def condition(self, condition: Expression, node: Node, said: str, state: State) -> Iterator[Remark]:
        """Yield a remark on a condition that is always, or never, true."""
        holds, fails = can(condition, True, state), can(condition, False, state)
        if holds and fails:
            return
        fact = f"{said} of {self.said}" if said == "when" else f"the condition of {said}"
        if not list(condition.paths()):
            yield error(node, f"{fact} reads nothing of the run", "ask something of the run, or take it out")
        elif not holds:
            word = "never holds" if fails else "is never true nor false, so that the verdict is unknown"
            hint = f"{self.bounds(condition)}change the condition, or take the rule out"
            yield error(node, f"{fact} {word}", hint)
        else:
            yield warning(node, f"{fact} always holds", f"{self.bounds(condition)}take it out")

    def branch(
        self,
        condition: Expression,
        item: Node,
        number: str,
        earlier: Sequence[Expression],
        state: State | None,
    ) -> Iterator[Remark]:
        """Yield a remark on a branch that no run reaches, or that every run takes."""
        node = item.get("if") or item
        if condition in earlier:
            fact = f"{number} has the condition of branch {earlier.index(condition) + 1}"
            yield error(node, fact, "no run reaches it: change the condition, or take it out")
            return
        odd = list(self.condition(condition, node, number, self.state(self.references)))
        yield from odd
        if not odd and (state is None or not can(condition, True, state)):
            hint = "the conditions before it take every run that it would: change the order, or take it out"
            yield error(node, f"{number} is never reached", hint)

    def test(self, test: Expression, node: Node, said: str, expected: str, state: State) -> Iterator[Remark]:
        """Yield a remark on a test with one outcome."""
        met, missed = can(test, True, state), can(test, False, state)
        if met and missed:
            return
        bounds = self.bounds(test)
        if met:
            hint = f"{bounds}a test that nothing can miss says nothing: change it, or write known(...)"
            yield warning(node, f"{said} can never be missed: {expected}", hint)
        elif missed:
            yield error(node, f"{said} can never be met: {expected}", f"{bounds}change the test")
        else:
            hint = f"{bounds}compare numbers with numbers and texts with texts"
            yield error(node, f"{said} is never met nor missed: {expected}", hint)

    def assertion(self, law: Assertion) -> Iterator[Remark]:
        """Yield a remark on a law that is never asked for, always broken or never broken."""
        state: State | None = self.state({})
        if law.when is not None and state is not None:
            yield from self.condition(law.when, self.node.get("when") or self.node, "when", state)
            state = assume(law.when, True, state)
        node = self.node.get("assert") or self.node
        if state is not None and not can(law.test, False, state):
            hint = f"{self.bounds(law.test)}change the law, or take it out"
            yield warning(node, f"the law {self.said} can never be broken", hint)

    def state(self, references: Mapping[str, Reference]) -> State:
        """Return what is known of any run."""
        return State(functools.cache(Declared(self.kind, self.policy, references).of))

    def bounds(self, node: Expression) -> str:
        """Say what the schema allows where it bounds what an expression reads."""
        declared = Declared(self.kind, self.policy, self.references)
        said = []
        for path in node.paths():
            words = described(declared.of(path))
            if words and words != "a number":
                said.append(f"{dotted(path)} is {words}")
        return f"by the schema {', '.join(said[:3])}: " if said else ""
