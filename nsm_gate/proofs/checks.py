"""Code that tells which checks have something to say of an entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nsm_gate.model import Path
from nsm_gate.names import is_slip
from nsm_gate.policy import ExperimentType
from nsm_gate.proofs.bits import BIT, Bits
from nsm_gate.proofs.clocks import Clocks
from nsm_gate.proofs.code import FALSE, TRUE, both, either, negated
from nsm_gate.proofs.frame import Frame
from nsm_gate.proofs.outline import Outline
from nsm_gate.proofs.variables import Unprovable
from nsm_gate.roles import roles


class Checks:
    """Writes the code of the checks that look at one entry, but for its key and its results."""

    def __init__(self, frame: Frame, bits: Bits, clocks: Clocks) -> None:
        """Write nothing yet."""
        self._frame = frame
        self._bits = bits
        self._clocks = clocks

    def code(self) -> Iterator[str]:
        """Yield the rows, in an order that counts: what a text lacks is said before the schema says it."""
        clocks = {slot.name: name for slot, name in self._clocks.slots() if "string" in slot.kinds}
        yield from self._texts()
        for law in self._frame.laws.code(clocks, self._explained()):
            if law != TRUE:
                yield f"if not {law}: bad |= {BIT['schema']}"
        yield from self._strays()
        yield from self._roles()
        yield from _slips(self._frame.outline)
        yield from self._of_values()

    def _strays(self) -> Iterator[str]:
        """Yield code for values of which all that is said is that the schema refuses them."""
        for made in self._frame.outline.objects:
            for slot in made.slots:
                if slot.strays:
                    yield f"if {slot.stray}: bad |= {self._bits.one('schema')}"

    def _roles(self) -> Iterator[str]:
        """Yield code for values at declared places that the schema lets stand there and no check can read."""
        classes = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}
        for role in roles(self._frame.kind):
            slot = self._frame.outline.find(role.path)
            if slot is None:
                if role.needed:
                    yield f"bad |= {BIT['schema']}"
                continue
            wrong = {classes[kind] for kind in slot.kinds - slot.strays - role.types if kind in classes}
            if "object" in slot.kinds - role.types and slot.object is not None:
                wrong.add(self._frame.types.structs[slot.object.number])
            odd = [negated(slot.known)] if role.needed else []
            if wrong:
                odd.append(f"{slot.name}.__class__ in {self._frame.constants.name(frozenset(wrong), 'W')}")
            if (code := either(odd)) != FALSE:
                yield f"if {code}: bad |= {BIT['schema']}"

    def _found(self, check: str, path: Path) -> int:
        return self._bits.found(check, self._frame.outline.find(path))

    def _texts(self) -> Iterator[str]:
        """Yield code for texts that a run owes: what they lack is said before the schema says it."""
        kind = self._frame.kind
        status = self._frame.variable(kind.status)[0] if kind.status else "'completed'"
        if kind.findings is not None:
            text, _ = self._frame.variable(kind.findings)
            quiet = f"({text}.__class__ is str and FINDINGS({text}))"
            running = f"{status} == 'running' or " if kind.status else ""
            yield f"if not ({running}{quiet}): bad |= {self._found('missing-findings', kind.findings)}"
        if kind.error_message is not None:
            text, _ = self._frame.variable(kind.error_message)
            said = f"({text}.__class__ is str and {text}.strip())"
            bit = self._found("missing-error-message", kind.error_message)
            yield f"if {status} == 'failed' and not {said}: bad |= {bit}"

    def _explained(self) -> dict[str, str]:
        """Return the variables of what a run owes, and code that holds where a check surely reports it."""
        kind = self._frame.kind
        made = {}
        for check, path in (
            ("missing-findings", kind.findings),
            ("missing-error-message", kind.error_message),
        ):
            slot = self._frame.outline.find(path) if path is not None else None
            if slot is not None:
                made[slot.name] = f"bad & {self._bits.certain(check)}"
        for name in kind.required_hyperparameters:
            slot = self._frame.outline.find((*(kind.hyperparameters or ()), name))
            if slot is not None and slot.known != TRUE:
                made[slot.name] = negated(slot.known)
        return made

    def _of_values(self) -> Iterator[str]:
        kind = self._frame.kind
        if kind.run_id is not None and kind.key == (kind.run_id,):
            name, _ = self._frame.variable(kind.run_id)
            odd = f"{name}.__class__ is str and {name} and not NAMED({name})"
            yield f"if {odd}: bad |= {BIT['run-id-format']}"
        yield from self._laws()
        yield from self._measures()
        yield from self._of_domain()
        yield from self._of_type()

    def _laws(self) -> Iterator[str]:
        for number, law in enumerate(self._frame.kind.assertions):
            bit = self._bits.law(number)
            try:
                test = self._frame.terms.truth(law.test)
                when = self._frame.terms.truth(law.when) if law.when is not None else None
            except Unprovable:
                yield f"bad |= {bit}"
                continue
            # No law speaks of what the schema refuses, nor computes with it.
            taken = negated(
                either([self._frame.names.strays(law.test.paths()), self._frame.names.stray(law.at)])
            )
            sure = both([when.true, test.false, taken] if when is not None else [test.false, taken])
            maybe = both([when.may_be_true, test.may_be_false] if when is not None else [test.may_be_false])
            if sure != FALSE:
                yield f"if {sure}: bad |= {self._bits.law(number, sure=True)}"
            if maybe not in (FALSE, sure):
                yield f"if {both([maybe, negated(sure)])}: bad |= {bit}"

    def _measures(self) -> Iterator[str]:
        kind = self._frame.kind
        rates = [self._frame.variable(path) for path in kind.class_accuracies]
        rates = [rate for rate in rates if {"integer", "number"} & rate[1]]
        if len(rates) > 1:
            low = either([f"({name}.__class__ in NUMBERS and {name} < 0.01)" for name, _ in rates])
            high = either([f"({name}.__class__ in NUMBERS and {name} > 0.99)" for name, _ in rates])
            yield f"if {both([self._frame.completed, low, high])}: bad |= {BIT['class-collapse']}"
        loss, kinds = self._frame.variable(kind.task_loss)
        if {"integer", "number"} & kinds:
            zero = f"{loss}.__class__ in NUMBERS and {loss} == 0"
            yield f"if {both([self._frame.completed, zero])}: bad |= {BIT['zero-task-loss']}"
        for name, path in kind.rates.items():
            found = self._frame.names.scalar((name,))
            count, kinds = self._frame.variable(path)
            if found is None:
                yield f"bad |= {BIT['impossible-metric']}"
            elif {"integer", "number"} & kinds and {"integer", "number"} & found.kinds:
                rate = found.code
                yield f"if {count}.__class__ is int and {rate}.__class__ in NUMBERS and 0 <= {rate} <= 1:"
                yield f"    hits = {rate} * {count}"
                yield f"    if abs(hits - round(hits)) > 4e-7 * {count}: bad |= {BIT['impossible-metric']}"

    def _of_domain(self) -> Iterator[str]:
        kind = self._frame.kind
        if kind.domain is None:
            return
        domain, _ = self._frame.variable(kind.domain)
        word = "if"
        for name, found in self._frame.policy.domains.items():
            rows = []
            own = set(found.metrics)
            others = [
                metric
                for other in self._frame.policy.domains.values()
                for metric in other.metrics
                if metric not in own
            ]
            foreign = either(
                [self._frame.known(self._frame.metric(metric)) for metric in dict.fromkeys(others)]
            )
            if foreign != FALSE:
                rows.append(f"    if {foreign}: bad |= {BIT['foreign-domain-metric']}")
            for metric in found.metrics:
                variable, types = self._frame.variable(self._frame.metric(metric))
                if not types <= {"null", "integer", "number"}:
                    known = self._frame.known(self._frame.metric(metric))
                    rows.append(f"    if {known} and {variable}.__class__ not in NUMBERS: return None")
            yield f"{word} {domain} == {name!r}:"
            yield from rows or ["    pass"]
            word = "elif"
        yield "else: return None" if word == "elif" else "return None"

    def _of_type(self) -> Iterator[str]:
        """Yield code for what depends on the experiment type, without its criteria."""
        kind = self._frame.kind
        if kind.experiment_type is None:
            yield from self._required(None)
            return
        variable, _ = self._frame.variable(kind.experiment_type)
        word = "if"
        for name, found in self._frame.policy.experiment_types.items():
            yield f"{word} {variable} == {name!r}:"
            yield from [f"    {row}" for row in self._required(found)] or ["    pass"]
            word = "elif"
        missing = self._found("missing-experiment-type", kind.experiment_type)
        unknown = self._found("unknown-experiment-type", kind.experiment_type)
        bits = str(missing | unknown)
        if missing == self._bits.certain("missing-experiment-type"):
            none = either([negated(self._frame.known(kind.experiment_type)), f"(not {variable}.strip())"])
            bits = f"({missing} if {none} else {unknown})"
        if word == "if":
            yield f"bad |= {bits}"
            yield from self._required(None)
            return
        yield "else:"
        yield from (f"    {row}" for row in [f"bad |= {bits}", *self._required(None)])

    def _required(self, found: ExperimentType | None) -> Iterator[str]:
        kind = self._frame.kind
        if kind.hyperparameters is not None:
            names = [*kind.required_hyperparameters, *self._asked(found, kind.hyperparameters)]
            yield from self._there("missing-hyperparameter", kind.hyperparameters, names, bool(names))
        if kind.architecture is not None and found is not None:
            names = self._asked(found, kind.architecture)
            wanted = bool(names) or ".".join(kind.architecture[len(kind.run) :]) in found.requires
            yield from self._there("missing-architecture", kind.architecture, names, wanted)
        if found is not None and found.asks_domain_metrics:
            word = "if"
            domain, _ = self._frame.variable(kind.domain)
            for name, of_domain in self._frame.policy.domains.items():
                there = both([self._frame.known(self._frame.metric(metric)) for metric in of_domain.metrics])
                if there != TRUE:
                    missing = both([self._frame.completed, negated(there)])
                    yield f"{word} {domain} == {name!r}:"
                    yield f"    if {missing}: bad |= {BIT['missing-domain-metric']}"
                    word = "elif"

    def _asked(self, found: ExperimentType | None, folder: Path) -> list[str]:
        paths = [self._frame.kind.run + tuple(text.split(".")) for text in (found.requires if found else ())]
        return [path[-1] for path in paths if path[:-1] == folder]

    def _there(self, check: str, holder: Path, names: Sequence[str], wanted: bool) -> Iterator[str]:
        if not wanted:
            return
        slot = self._frame.outline.find(holder)
        parts = [self._frame.known(holder)]
        for name in dict.fromkeys(names):
            inner = self._frame.outline.find((*holder, name))
            sure = inner is not None and not inner.optional and "null" not in inner.kinds
            parts.append(TRUE if sure else self._frame.known((*holder, name)))
        if slot is not None and not slot.optional and "null" not in slot.kinds:
            parts[0] = TRUE
        there = both(parts)
        if there == TRUE:
            return
        # Of an object that is not there, none of the members is missed by itself.
        always = slot is not None and slot.sure and not slot.optional and slot.kinds == {"object"}
        if check != "missing-hyperparameter" or not always:
            yield f"if not {there}: bad |= {BIT[check]}"
            return
        yield f"if not {there}:"
        for part in parts:
            if part != TRUE:
                yield f"    if not {part}: bad |= {self._bits.one(check)}"


def _slips(outline: Outline) -> Iterator[str]:
    """Yield code for members of open objects that are nearly called like a declared one that is absent."""
    for made in outline.objects:
        declared = {name for node in made.nodes for name in node.get("properties", {})}
        for slot in made.slots:
            if slot.path[-1] in declared:
                continue
            for name in declared:
                if is_slip(slot.path[-1], name):
                    other = made.get(name)
                    absent = TRUE if other is None else f"({other.name} is U)" if other.optional else FALSE
                    if absent != FALSE:
                        yield f"if {both([f'{slot.name} is not U', absent])}: return None"
