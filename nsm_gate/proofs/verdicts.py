"""Code that judges an entry by criteria, and tells which references may pick it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from nsm_gate.criteria import Applied, applicable
from nsm_gate.expressions import Comparison, Name, Node
from nsm_gate.policy import Domain, ExperimentType, LogKind, Reference
from nsm_gate.proofs.code import FALSE, TRUE, both
from nsm_gate.proofs.frame import Frame
from nsm_gate.proofs.outline import Unsupported
from nsm_gate.proofs.terms import Proof
from nsm_gate.proofs.unpacking import is_ambiguous
from nsm_gate.proofs.variables import Unprovable

_MOST_TYPES = 64


class Need(NamedTuple):
    """A criterion that compares a number of the run with a reference.

    Attributes:
        criterion: Its number among the compiled ones.
        operator: As it stands between the run's number and the reference's.
        reference: The reference.
    """

    criterion: int
    operator: str
    reference: Reference


class Verdicts:
    """Writes the code of the criteria and of the references.

    Attributes:
        criteria: The criteria that are judged, by number, each with the experiment type that asks it.
        needs: Those that wait for a reference, by number of the criterion.
        sources: References of other runs' criteria that pick from this log kind.
    """

    def __init__(self, frame: Frame) -> None:
        """Write nothing yet."""
        self._frame = frame
        self.criteria: list[tuple[Applied, str | None]] = []
        self.needs: dict[int, Need] = {}
        self.sources: list[Reference] = []

    def code(self) -> Iterator[str]:
        """Yield the rows: the criteria first, then the references."""
        yield from self._verdicts()
        yield from self._candidates()

    def _verdicts(self) -> Iterator[str]:
        rows = list(self._criteria())
        if not rows:
            return
        if self._frame.completed == TRUE:
            yield from rows
        else:
            yield f"if {self._frame.completed}:"
            yield from (f"    {row}" for row in rows)

    def _criteria(self) -> Iterator[str]:
        kind = self._frame.kind
        types: list[ExperimentType | None] = [None]
        if kind.experiment_type is not None:
            types = [*self._frame.policy.experiment_types.values(), None]
        domains: list[Domain | None] = [None]
        if kind.domain is not None:
            domains = list(self._frame.policy.domains.values()) or [None]
        if len(types) > _MOST_TYPES or len(domains) > _MOST_TYPES:
            raise Unsupported("too many experiment types")
        probe = _Probe(kind)
        type_variable = self._frame.variable(kind.experiment_type)[0]
        domain_variable = self._frame.variable(kind.domain)[0]
        for type_ in types:
            lists = [list(applicable(probe, type_, domain)) for domain in domains]  # type: ignore[arg-type]
            if not any(lists):
                continue
            shared = [a for a in lists[0] if all(a in other for other in lists[1:])]
            pad = ""
            if type_ is not None:
                yield f"if {type_variable} == {type_.name!r}:"
                pad = "    "
            elif len(types) > 1:
                known = self._frame.constants.name(frozenset(self._frame.policy.experiment_types), "N")
                yield f"if {type_variable} not in {known}:"
                pad = "    "
            rows = [row for applied in shared for row in self._criterion(applied, type_)]
            for domain, applied_list in zip(domains, lists, strict=True):
                own = [applied for applied in applied_list if applied not in shared]
                if own and domain is not None:
                    rows.append(f"if {domain_variable} == {domain.name!r}:")
                    rows += [f"    {row}" for applied in own for row in self._criterion(applied, type_)]
            yield from (f"{pad}{row}" for row in rows or ["pass"])

    def _criterion(self, applied: Applied, type_: ExperimentType | None) -> Iterator[str]:
        """Yield code that counts a criterion as met or missed, or leaves it open."""
        number = len(self.criteria)
        if number >= 60:
            raise Unsupported("too many criteria")
        self.criteria.append((applied, type_.name if type_ is not None else None))
        unsure = f"open_ |= {1 << number}"
        criterion = applied.criterion
        references = {**self._frame.kind.references, **(type_.references if type_ else {})}
        try:
            rows = list(self._branches(applied, number, unsure, references))
            if applied.optional and criterion.subject is not None:
                found = self._frame.names.scalar(criterion.subject)
                if found is None:
                    raise Unprovable(criterion.subject)
                rows = [f"if {found.known}:", *(f"    {row}" for row in rows)]
            if criterion.when is not None:
                when = self._own(criterion.when, references)
                rows = [
                    f"if {when.true}:",
                    *(f"    {row}" for row in rows),
                    f"elif not {when.false}: {unsure}",
                ]
        except Unprovable:
            rows = [unsure]
        yield from rows

    def _branches(
        self, applied: Applied, number: int, unsure: str, references: dict[str, Reference]
    ) -> Iterator[str]:
        pad = ""
        for branch in applied.criterion.branches:
            rows = list(self._test(branch.test, number, unsure, references))
            if branch.condition is None:
                yield from (f"{pad}{row}" for row in rows)
                return
            condition = self._own(branch.condition, references)
            yield f"{pad}if {condition.true}:"
            yield from (f"{pad}    {row}" for row in rows)
            yield f"{pad}elif not {condition.false}: {unsure}"
            yield f"{pad}else:"
            pad += "    "
        yield f"{pad}pass"

    def _test(self, test: Node, number: int, unsure: str, references: dict[str, Reference]) -> Iterator[str]:
        if not any(path[0] in references for path in test.paths()):
            proof = self._frame.terms.truth(test)
            yield f"if {proof.true}: met += 1"
            yield f"elif {proof.false}: missed += 1"
            yield f"else: {unsure}"
            return
        if (
            not isinstance(test, Comparison)
            or len(test.rest) != 1
            or test.rest[0][0] not in ("<", "<=", ">", ">=")
        ):
            raise Unprovable(())
        sign, right = test.rest[0]
        left = test.first
        if isinstance(left, Name) and left.path[0] in references:
            left, right = right, left
            sign = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[sign]
        if not isinstance(right, Name) or right.gaps or right.path[0] not in references:
            raise Unprovable(())
        reference = references[right.path[0]]
        own = self._frame.terms.number(left)
        simple = isinstance(left, Name) and left.path == right.path[1:] == reference.by
        if (
            own is None
            or own.size
            or not simple
            or (reference.rest is not None and self._reads_this(reference))
        ):
            raise Unprovable(())
        if self._frame.kind.names.get(reference.by[0] if len(reference.by) == 1 else "", ((),))[1:]:
            same_kind = reference.log == self._frame.kind.name
            if same_kind:
                raise Unprovable(())  # it counts where the run has the measure
        group = self._group(reference, judged=True)
        self.needs[number] = Need(number, sign, reference)
        known = both([own.known, *group.musts])
        # A time that the proof does not read may be one all the same.
        when = "None"
        if reference.log != self._frame.kind.name:
            when = f"(logged or {self._frame.variable(self._frame.kind.logged)[0]})"
        need = f"(({number}, {own.code}, {group.code}, {when}),)"
        yield f"if {known}: needs += {need}"
        yield f"else: {unsure}"

    def _own(self, node: Node, references: Collection[str]) -> Proof:
        if any(path[0] in references for path in node.paths()):
            raise Unprovable(())
        return self._frame.terms.truth(node)

    @staticmethod
    def _reads_this(reference: Reference) -> bool:
        return (
            any(path[0] == "this" for path in reference.rest.paths()) if reference.rest is not None else False
        )

    def _group(self, reference: Reference, *, judged: bool) -> _Group:
        """Return code for what must agree in two runs, and the variables that must have a value."""
        paths = [*reference.same, *(ours if judged else theirs for theirs, ours in reference.pairs)]
        parts: list[str] = []
        musts: list[str] = []
        for path in paths:
            places = self._frame.names.places(path)
            slot = self._frame.names.slot(places[0]) if len(places) == 1 else None
            if slot is None:
                raise Unprovable(path)
            if is_ambiguous(slot):
                raise Unprovable(path)
            musts.append(slot.known)
            parts.append(slot.name)
        return _Group(f"GROUPS[({', '.join(parts)},)]" if parts else "0", tuple(musts))

    def _candidates(self) -> Iterator[str]:
        """Yield code that tells which references of this log kind's criteria may pick the run."""
        policy = self._frame.policy
        found = {
            reference.law: reference
            for references in (
                *(kind.references for kind in policy.logs.values()),
                *(type_.references for type_ in policy.experiment_types.values()),
            )
            for reference in references.values()
            if reference.log == self._frame.kind.name
        }
        for reference in found.values():
            number = len(self.sources)
            self.sources.append(reference)
            try:
                if self._reads_this(reference):
                    raise Unprovable(())
                rest = (
                    self._frame.terms.truth(reference.rest)
                    if reference.rest is not None
                    else Proof(TRUE, FALSE, TRUE, FALSE)
                )
                strength = self._frame.terms.number(Name(reference.by))
                if strength is None or len(self._frame.names.places(reference.by)) > 1:
                    raise Unprovable(())
                group = self._group(reference, judged=False)
            except Unprovable:
                yield f"if {self._frame.completed}: candidates += (({number}, None, None),)"
                continue
            there = list(group.musts)
            sure = strength.known == TRUE
            measure = strength.code if sure else f"({strength.code} if {strength.known} else None)"
            eligible = both([self._frame.completed, rest.true, *there])
            maybe = both([self._frame.completed, rest.may_be_true, *there])
            yield f"if {eligible}: candidates += (({number}, {group.code}, {measure}),)"
            if maybe != both([self._frame.completed, rest.true, *there]):
                yield f"elif {maybe}: candidates += (({number}, None, None),)"


class Groups(dict[tuple[Any, ...], int]):
    """What must agree in two runs -> a number."""

    def __missing__(self, values: tuple[Any, ...]) -> int:
        """Give a number to what was not seen before."""
        number = self[values] = len(self) + 1
        return number


class _Group(NamedTuple):
    code: str
    musts: tuple[str, ...]


class _Probe(NamedTuple):
    """Stands for any record of a log kind where only its kind counts."""

    kind: LogKind
