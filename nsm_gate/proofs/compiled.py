"""The source of a log kind's proof: one function that decodes a line and says what of it is proven."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import astuple

from nsm_gate.books import summed
from nsm_gate.checks.timestamp_future import SKEW
from nsm_gate.criteria import Applied, applicable
from nsm_gate.expressions import Comparison, Name, Node
from nsm_gate.model import Path
from nsm_gate.names import is_slip
from nsm_gate.policy import Assertion, Domain, ExperimentType, LogKind, Policy, Reference
from nsm_gate.proofs.code import FALSE, TRUE, Constants, both, either, negated
from nsm_gate.proofs.laws import Laws
from nsm_gate.proofs.outline import Object, Outline, Slot, Unsupported
from nsm_gate.proofs.special import Shapes
from nsm_gate.proofs.terms import Proof, Terms, Unprovable, lookup
from nsm_gate.proofs.texts import FORM, is_dated_name, says_something
from nsm_gate.proofs.types import Types
from nsm_gate.records import Record
from nsm_gate.roles import roles
from nsm_gate.timestamps import Instant, parse

TIMES = ("timestamp-invalid", "timestamp-not-utc", "timestamp-naive", "timestamp-future", "timestamp-order",
         "time-span", "duration-mismatch")  # fmt: skip
CHECKED = (
    *TIMES, "schema", "missing-findings", "run-id-format", "missing-hyperparameter", "missing-architecture",
    "missing-error-message", "missing-domain-metric", "foreign-domain-metric", "missing-experiment-type",
    "unknown-experiment-type", "class-collapse", "zero-task-loss", "impossible-metric",
)  # fmt: skip
"""Checks of which a proof says, one by one, whether they are silent. `unknown-field` always is where there
is a proof, and `schema` but for the form of times; what earlier lines decide is not the proof's."""

SURE = ("missing-findings", "missing-error-message", "missing-experiment-type", "unknown-experiment-type")
"""Checks that report one problem or none, of which a proof says where it is one. So it does of assertions."""

BIT = {check: 1 << number for number, check in enumerate(CHECKED)}
_TIME_BITS = sum(BIT[check] for check in TIMES)
_MOST_TYPES = 64
_REMEMBERED = 4096


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


class Compiled:
    """A compiled proof.

    Attributes:
        prove: (line, time of the line before it) -> what is proven; None where nothing is. Raises what the
            decoder raises.
        criteria: The criteria that it judges, by number, each with the experiment type that asks it.
        needs: Those that wait for a reference, by number of the criterion.
        sources: References of other runs' criteria that pick from this log kind.
        source: The code itself.
    """

    def __init__(self, kind: LogKind, policy: Policy, outline: Outline, now: Any, groups: Groups) -> None:
        """Compile; Unsupported where that cannot be done."""
        self.kind = kind
        self.policy = policy
        self.constants = Constants()
        self.outline = outline
        self.types = Types(outline)
        self.laws = Laws(outline, self.types, self.constants)
        self.terms = Terms(kind, outline, self.constants)
        self.criteria: list[tuple[Applied, str | None]] = []
        self.needs: dict[int, Need] = {}
        self.sources: list[Reference] = []
        self._open: dict[int, tuple[frozenset[str], tuple[Assertion, ...]]] = {}
        self._sure: dict[tuple[int, bool], tuple[tuple[str, ...], int]] = {}
        self._bits = len(CHECKED) + len(kind.assertions)
        self._single: list[str] = []
        self._head: list[str] = []
        self._tuples: dict[str, list[str]] = {}
        self._rows: list[str] = []
        self._now = now
        self.source = self._source()
        space: dict[str, Any] = {
            **self.constants.values,
            "U": UNSET, "NUMBERS": frozenset({int, float}), "T": astuple, "FORM": FORM,
            "TIME": datetime.fromisoformat, "D": math.fsum, "decode": self.types.decode, "GE": operator.ge,
            "LE": operator.le, "LOOKUP": lookup, "FINDINGS": says_something(), "NAMED": is_dated_name,
            "LATEST": (now + SKEW).replace(tzinfo=None), "GROUPS": groups,
            "LIMIT": policy.limits.line, "COLON": b"\\u003", "F": (), "ABSENT": absent,
        }  # fmt: skip
        self.groups = groups
        exec(compile(self.source, f"<proof of {kind.name}>", "exec"), space)  # noqa: S102
        told = [self._variable(path)[0] for path in (kind.status, kind.experiment_type, kind.domain) if path]
        params = ", ".join(["raw", "before", *self._tuples])
        self.shapes = Shapes(self._rows, params, self._tuples, told, space)
        space |= {"MADE": self.shapes.made.get, "OTHER": self.shapes.other}
        head = ["def prove(raw, before):", *(f"    {row}" for row in self._head)]
        head += [f"    key = {self.shapes.key}", f"    return (MADE(key) or OTHER(key))({params})"]
        exec(compile("\n".join(head), f"<proof of {kind.name}>", "exec"), space)  # noqa: S102
        self.prove = space["prove"]

    def sure(self, bad: int, *, alone: bool) -> tuple[tuple[str, ...], int]:
        """Return the rules of the problems that a proof is sure of, and what it leaves open.

        It is sure of them where it leaves no check open, and they stand `alone`: else one may silence
        another, and all are open.
        """
        known = self._sure.get((bad, alone))
        if known is None:
            low = (1 << self._bits) - 1
            rest, told = bad & low, bad >> self._bits & low
            rules = [check for check in SURE if told & BIT[check]]
            laws = [law for n, law in enumerate(self.kind.assertions) if told >> len(CHECKED) + n & 1]
            rules += ["assertion"] * len({law.at for law in laws})
            for number, check in enumerate(self._single):
                if bad >> 2 * self._bits + number & 1:
                    rules.append(check)
                    told |= BIT[check]
            known = (tuple(rules), 0) if alone and not rest else ((), rest | told)
            if len(self._sure) < _REMEMBERED:
                self._sure[bad, alone] = known
        return known

    def asserts(self, bad: int) -> bool:
        """Return whether a proof says that assertions are, or may be, broken."""
        return bool((bad | bad >> self._bits) >> len(CHECKED) & (1 << len(self.kind.assertions)) - 1)

    def open(self, bad: int) -> tuple[frozenset[str], tuple[Assertion, ...]]:
        """Return the checks that a proof leaves open, and of the assertions those that may be broken."""
        known = self._open.get(bad)
        if known is None:
            laws = bad >> len(CHECKED)
            broken = tuple(law for n, law in enumerate(self.kind.assertions) if laws >> n & 1)
            checks = frozenset(check for check, bit in BIT.items() if bad & bit)
            known = (checks | {"assertion"} if broken else checks, broken)
            if len(self._open) < _REMEMBERED:
                self._open[bad] = known
        return known

    # --- the whole ----------------------------------------------------------------------------

    def _source(self) -> str:
        clocks = {slot.name: name for slot, name in self._clocks() if "string" in slot.kinds}
        # What a check of its own reports is not a flaw of the schema: the closer look tells.
        flawed = f"bad |= {BIT['schema']}"
        rows = list(self._texts())
        rows += [
            f"if not {law}: {flawed}" for law in self.laws.code(clocks, self._explained()) if law != TRUE
        ]
        rows += self._roles()
        rows += [*self._patterns(clocks), *_slips(self.outline), *self._checks(), *self._verdicts()]
        rows += self._candidates()
        status = self._variable(self.kind.status)[0] if self.kind.status else "'completed'"
        facts = f"{self._key()}, digest, logged, needs, candidates, {status}, {self._corrects()}"
        type_ = self._variable(self.kind.experiment_type)[0] if self.kind.experiment_type else "None"
        name = self._variable(self.kind.run_id)[0] if self.kind.run_id else "None"
        facts += f", {type_}, {name}"
        ends = [*self._digest(), f"return bad, open_, missed, met, {facts}"]
        end = "\n".join(ends)
        times = list(self._times())
        assigned = [f"{name} = {code}" for name, code in self.terms.prelude.items()]
        needed = "\n".join([*assigned, *times, end])
        memos = [_Memo(slot) for slot in self._recurring(self.outline.root)]
        rest: list[str] = []
        for row in rows:
            memo = next((memo for memo in memos if memo.takes(row)), None)
            (memo.rows if memo is not None else rest).append(row)
        needed = "\n".join([needed, *rest])
        functions: list[str] = []
        body = [*self._unpack(memos, needed, functions), *assigned]
        self._rows = [*body, *times, *rest, *ends]
        return "\n".join(functions)

    def _recurring(self, made: Object) -> Iterator[Slot]:
        """Yield the objects of which much the same is proven line by line: it is remembered."""
        for slot in made.slots:
            if slot.object is None:
                continue
            if slot.recurs and not _is_ambiguous(slot):
                yield slot
            elif slot.sure and not slot.optional and slot.kinds == {"object"}:
                yield from self._recurring(slot.object)

    def _unpack(self, memos: Sequence[_Memo], needed: str, functions: list[str]) -> Iterator[str]:
        """Yield code that reads the entry into the slots' variables, and sees that no member is double.

        The text has a colon for each member and for each in a string. One more is a member written twice.
        """
        # A line that ends otherwise, or spells a colon as an escape, is left to the careful reader.
        self._head += [
            "if raw[-1] != 125 or len(raw) > LIMIT or (92 in raw and COLON in raw): return None",
            "e = decode(raw)",
        ]
        yield "bad = open_ = missed = met = 0"
        yield "needs = candidates = ()"
        count = _Count()
        by_name = {memo.slot.name: memo for memo in memos}
        yield from self._members(
            self.outline.root, "e", count, by_name, needed, functions, sure=True, place="e"
        )
        yield f"if raw.count(58) != {count.code}: return None"

    def _members(
        self, made: Object, value: str, count: _Count, memos: Mapping[str, _Memo], needed: str,
        functions: list[str], *, sure: bool, place: str | None = None,
    ) -> Iterator[str]:  # fmt: skip
        """Yield code that unpacks an object.

        Args:
            made: The object.
            value: The variable that holds it.
            count: Takes how many colons it is written with.
            memos: Objects that are remembered, by variable.
            needed: Code that reads the variables.
            functions: Takes the functions of remembered objects.
            sure: Whether it is always there.
            place: Code for the object where no variable is unpacked yet; its tuple is then made beforehand.
        """
        order = sorted(made.slots, key=lambda slot: slot.optional)
        if not order:
            return
        struct = self.constants.name(self.types.structs[made.number], "S")
        names = ", ".join(slot.name for slot in order)
        values = f"t{made.number}"
        colons = sum(1 + slot.path[-1].count(":") for slot in order)
        optional = any(slot.optional for slot in order)
        if optional and any(":" in slot.path[-1] for slot in order):
            raise Unsupported("an optional member with a colon in its name")
        absent = f" - ABSENT({values})" if optional and place is not None else ""
        absent = absent or (f" - {values}.count(U)" if optional else "")
        if sure:
            taken = f"{values} = T({place or value})"
            count.fixed += colons
            count.parts.append(absent)
        else:
            empty = self.constants.name((UNSET,) * len(order), "A")
            taken = f"{values} = T({place or value}) if ({place or value}).__class__ is {struct} else {empty}"
            count.parts.append(f" + ({colons}{absent} if {value}.__class__ is {struct} else 0)")
        if place is None:
            yield taken
        else:
            self._tuples[values] = [slot.name for slot in order]
            self._head.append(taken)
        yield f"({names},) = {values}"
        for slot in order:
            if "string" in slot.kinds and not self._has_no_colon(slot):
                colons_in = f"{slot.name}.count(':')"
                if slot.optional or slot.kinds != {"string"}:
                    colons_in = f"({colons_in} if {slot.name}.__class__ is str else 0)"
                count.parts.append(f" + {colons_in}")
            if slot.item is not None and slot.item.kinds:
                if "string" in slot.item.kinds:
                    raise Unsupported("a list of texts")
                if slot.item.object is not None:
                    counter = self.constants.name(_counter(slot.item.object, self.types), "C")
                    count.parts.append(f" + ({counter}({slot.name}) if {slot.name}.__class__ is list else 0)")
            if slot.object is None:
                continue
            memo = memos.get(slot.name)
            inner_sure = sure and slot.kinds == {"object"} and not slot.optional
            if memo is None:
                inner = f"{values}[{order.index(slot)}]" if place is not None else None
                yield from self._members(
                    slot.object, slot.name, count, memos, needed, functions, sure=inner_sure, place=inner
                )
                continue
            yield from self._remembered(memo, needed, functions, sure=inner_sure)
            count.parts.append(f" + c_{slot.name}")

    def _remembered(self, memo: _Memo, needed: str, functions: list[str], *, sure: bool) -> Iterator[str]:
        """Write the function of an object that recurs; yield the code that looks its results up."""
        slot = memo.slot
        wanted = set(_VARIABLE.findall(needed))
        exports = [name for name in memo.variables if name in wanted and name != slot.name]
        count = _Count()
        inner: list[str] = []
        if slot.object is not None:
            inner += self._members(slot.object, slot.name, count, {}, "", functions, sure=sure)
        inner += ["bad = 0", *memo.rows]
        result = ", ".join([f"c_{slot.name}", "bad", *exports])
        inner += [f"c_{slot.name} = {count.code}", f"return ({result})"]
        functions += [f"def remember_{slot.name}({slot.name}):", *(f"    {row}" for row in inner)]
        store = self.constants.name({}, "M")
        yield f"m = {store}.get({slot.name})"
        yield "if m is None:"
        yield f"    m = remember_{slot.name}({slot.name})"
        yield "    if m is None: return None"
        yield f"    if len({store}) < 50000: {store}[{slot.name}] = m"
        yield f"c_{slot.name}, b, {', '.join(exports)}".rstrip(", ") + " = m"
        yield "bad |= b"

    def _has_no_colon(self, slot: Slot) -> bool:
        """Return whether the types leave a text no colon: one of a few words."""
        return any(
            isinstance(node.get("enum"), list)
            and self.types.enforces(slot, node, "enum")
            and not any(":" in option for option in node["enum"] if option is not None)
            for node in slot.nodes
        )

    # --- checks -------------------------------------------------------------------------------

    def _variable(self, path: Path | None) -> tuple[str, frozenset[str]]:
        """Return the variable of a path and the types it may have; None and null where no line has it."""
        slot = self.outline.find(path) if path else None
        if slot is None:
            return "None", frozenset({"null"})
        return slot.name, slot.kinds | ({"null"} if slot.optional or len(path or ()) > 1 else frozenset())

    def _known(self, path: Path) -> str:
        """Return code that holds where a member is there and not null."""
        slot = self.outline.find(path)
        return FALSE if slot is None else slot.known

    @property
    def _completed(self) -> str:
        if self.kind.status is None:
            return TRUE
        return f"({self._variable(self.kind.status)[0]} == 'completed')"

    def _clocks(self) -> Iterator[tuple[Slot, str]]:
        """Yield the slots of times, and the variable that holds the time of each."""
        kind = self.kind
        for path, name in ((kind.logged, "logged"), (kind.start, "start"), (kind.end, "end")):
            slot = self.outline.find(path) if path else None
            if slot is not None:
                yield slot, name

    def _roles(self) -> Iterator[str]:
        """Yield code for values at declared places that the schema lets stand there and no check can read."""
        classes = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}
        for role in roles(self.kind):
            slot = self.outline.find(role.path)
            if slot is None:
                if role.needed:
                    yield f"bad |= {BIT['schema']}"
                continue
            wrong = {classes[kind] for kind in slot.kinds - role.types if kind in classes}
            if "object" in slot.kinds - role.types and slot.object is not None:
                wrong.add(self.types.structs[slot.object.number])
            odd = [negated(slot.known)] if role.needed else []
            if wrong:
                odd.append(f"{slot.name}.__class__ in {self.constants.name(frozenset(wrong), 'W')}")
            if (code := either(odd)) != FALSE:
                yield f"if {code}: bad |= {BIT['schema']}"

    def _patterns(self, clocks: Mapping[str, str]) -> Iterator[str]:
        """Yield code for patterns of times: a time that was read has the form, another one is tried."""
        for name, test in self.laws.left_out:
            odd = f"{clocks[name]} is None and {name}.__class__ is str and not {test}({name})"
            yield f"if {odd}: bad |= {BIT['schema']}"

    def _times(self) -> Iterator[str]:
        kind = self.kind
        for path, name in ((kind.logged, "logged"), (kind.start, "start"), (kind.end, "end")):
            variable, kinds = self._variable(path)
            if "string" not in kinds:
                yield f"{name} = None"
                continue
            indent = ""
            if kinds != {"string"}:
                yield f"{name} = None"
                yield f"if {variable}.__class__ is str:"
                indent = "    "
            # The interpreter's parser takes other forms too: the form comes first.
            yield f"{indent}if FORM({variable}): {name} = TIME({variable}[:-1])"
            reader = self.constants.name(self._clock(), "R")
            yield f"{indent}else: {name}, b = {reader}({variable}); bad |= b"
            yield f"{indent}if {name} is not None and {name} > LATEST: bad |= {BIT['timestamp-future']}"
        if kind.logged is not None:
            yield f"if logged is None or before is None or logged < before: bad |= {BIT['timestamp-order']}"
        if kind.start is not None and kind.end is not None:
            yield "if start is not None and end is not None:"
            yield f"    if end < start: bad |= {BIT['time-span']}"
            seconds, kinds = self._variable(kind.seconds)
            if {"integer", "number"} & kinds:
                yield f"    elif {seconds}.__class__ in NUMBERS:"
                yield "        span = (end - start).total_seconds()"
                limit = "(1.0 if span < 20.0 else 0.05 * span) * 0.999999"
                yield f"        if abs({seconds} - span) > {limit}: bad |= {BIT['duration-mismatch']}"

    def _clock(self) -> Callable[[str], tuple[datetime | None, int]]:
        """Return what reads a time that is written without Z: the time, if it is one, and a check's bit."""
        naive, elsewhere = self._one("timestamp-naive"), self._one("timestamp-not-utc")

        def read(text: str) -> tuple[datetime | None, int]:
            instant = parse(text)
            if not isinstance(instant, Instant):
                return None, _TIME_BITS
            bit = naive if instant.offset is None else 0 if instant.is_utc else elsewhere
            return instant.utc.replace(tzinfo=None), bit

        return read

    def _found(self, check: str, *paths: Path | None) -> int:
        """Return the bit for a check that has found something: it is sure where it reads texts alone."""
        slots = [slot for path in paths if path is not None and (slot := self.outline.find(path)) is not None]
        return BIT[check] << (self._bits if all(slot.kinds <= {"null", "string"} for slot in slots) else 0)

    def _one(self, check: str) -> int:
        """Return a bit for one problem of a check that may have several, each at its place."""
        self._single.append(check)
        return 1 << 2 * self._bits + len(self._single) - 1

    def _texts(self) -> Iterator[str]:
        """Yield code for texts that a run owes: what they lack is said before the schema says it."""
        kind = self.kind
        status = self._variable(kind.status)[0] if kind.status else "'completed'"
        if kind.findings is not None:
            text, _ = self._variable(kind.findings)
            quiet = f"({text}.__class__ is str and FINDINGS({text}))"
            running = f"{status} == 'running' or " if kind.status else ""
            yield f"if not ({running}{quiet}): bad |= {self._found('missing-findings', kind.findings)}"
        if kind.error_message is not None:
            text, _ = self._variable(kind.error_message)
            said = f"({text}.__class__ is str and {text}.strip())"
            bit = self._found("missing-error-message", kind.error_message)
            yield f"if {status} == 'failed' and not {said}: bad |= {bit}"

    def _explained(self) -> dict[str, str]:
        """Return the variables of what a run owes, and code that holds where a check surely reports it."""
        kind = self.kind
        made = {}
        for check, path in (
            ("missing-findings", kind.findings),
            ("missing-error-message", kind.error_message),
        ):
            slot = self.outline.find(path) if path is not None else None
            if slot is not None:
                made[slot.name] = f"bad & {BIT[check] << self._bits}"
        for name in kind.required_hyperparameters:
            slot = self.outline.find((*(kind.hyperparameters or ()), name))
            if slot is not None and slot.known != TRUE:
                made[slot.name] = negated(slot.known)
        return made

    def _checks(self) -> Iterator[str]:
        kind = self.kind
        if kind.run_id is not None and kind.key == (kind.run_id,):
            name, _ = self._variable(kind.run_id)
            odd = f"{name}.__class__ is str and {name} and not NAMED({name})"
            yield f"if {odd}: bad |= {BIT['run-id-format']}"
        yield from self._laws()
        yield from self._measures()
        yield from self._of_domain()
        yield from self._of_type()

    def _laws(self) -> Iterator[str]:
        for number, law in enumerate(self.kind.assertions):
            bit = 1 << len(CHECKED) + number
            try:
                test = self.terms.truth(law.test)
                when = self.terms.truth(law.when) if law.when is not None else None
            except Unprovable:
                yield f"bad |= {bit}"
                continue
            sure = both([when.true, test.false] if when is not None else [test.false])
            maybe = both([when.may_be_true, test.may_be_false] if when is not None else [test.may_be_false])
            if sure != FALSE:
                yield f"if {sure}: bad |= {bit << self._bits}"
            if maybe not in (FALSE, sure):
                yield f"if {both([maybe, negated(sure)])}: bad |= {bit}"

    def _measures(self) -> Iterator[str]:
        kind = self.kind
        rates = [self._variable(path) for path in kind.class_accuracies]
        rates = [rate for rate in rates if {"integer", "number"} & rate[1]]
        if len(rates) > 1:
            low = either([f"({name}.__class__ in NUMBERS and {name} < 0.01)" for name, _ in rates])
            high = either([f"({name}.__class__ in NUMBERS and {name} > 0.99)" for name, _ in rates])
            yield f"if {both([self._completed, low, high])}: bad |= {BIT['class-collapse']}"
        loss, kinds = self._variable(kind.task_loss)
        if {"integer", "number"} & kinds:
            zero = f"{loss}.__class__ in NUMBERS and {loss} == 0"
            yield f"if {both([self._completed, zero])}: bad |= {BIT['zero-task-loss']}"
        for name, path in kind.rates.items():
            found = self.terms.scalar((name,))
            count, kinds = self._variable(path)
            if found is None:
                yield f"bad |= {BIT['impossible-metric']}"
            elif {"integer", "number"} & kinds and {"integer", "number"} & found.kinds:
                rate = found.code
                yield f"if {count}.__class__ is int and {rate}.__class__ in NUMBERS and 0 <= {rate} <= 1:"
                yield f"    hits = {rate} * {count}"
                yield f"    if abs(hits - round(hits)) > 4e-7 * {count}: bad |= {BIT['impossible-metric']}"

    def _of_domain(self) -> Iterator[str]:
        kind = self.kind
        if kind.domain is None:
            return
        domain, _ = self._variable(kind.domain)
        word = "if"
        for name, found in self.policy.domains.items():
            rows = []
            own = set(found.metrics)
            others = [
                metric
                for other in self.policy.domains.values()
                for metric in other.metrics
                if metric not in own
            ]
            foreign = either([self._known(self._metric(metric)) for metric in dict.fromkeys(others)])
            if foreign != FALSE:
                rows.append(f"    if {foreign}: bad |= {BIT['foreign-domain-metric']}")
            for metric in found.metrics:
                variable, types = self._variable(self._metric(metric))
                if not types <= {"null", "integer", "number"}:
                    known = self._known(self._metric(metric))
                    rows.append(f"    if {known} and {variable}.__class__ not in NUMBERS: return None")
            yield f"{word} {domain} == {name!r}:"
            yield from rows or ["    pass"]
            word = "elif"
        yield "else: return None" if word == "elif" else "return None"

    def _metric(self, metric: str) -> Path:
        return self.kind.run + tuple(metric.split("."))

    def _of_type(self) -> Iterator[str]:
        """Yield code for what depends on the experiment type, without its criteria."""
        kind = self.kind
        if kind.experiment_type is None:
            yield from self._required(None)
            return
        variable, _ = self._variable(kind.experiment_type)
        word = "if"
        for name, found in self.policy.experiment_types.items():
            yield f"{word} {variable} == {name!r}:"
            yield from [f"    {row}" for row in self._required(found)] or ["    pass"]
            word = "elif"
        missing, unknown = (self._found(check, kind.experiment_type) for check in SURE[2:])
        bits = str(missing | unknown)
        if missing >> self._bits:
            none = either([negated(self._known(kind.experiment_type)), f"(not {variable}.strip())"])
            bits = f"({missing} if {none} else {unknown})"
        if word == "if":
            yield f"bad |= {bits}"
            yield from self._required(None)
            return
        yield "else:"
        yield from (f"    {row}" for row in [f"bad |= {bits}", *self._required(None)])

    def _required(self, found: ExperimentType | None) -> Iterator[str]:
        kind = self.kind
        if kind.hyperparameters is not None:
            names = [*kind.required_hyperparameters, *self._asked(found, kind.hyperparameters)]
            yield from self._there("missing-hyperparameter", kind.hyperparameters, names, bool(names))
        if kind.architecture is not None and found is not None:
            names = self._asked(found, kind.architecture)
            wanted = bool(names) or ".".join(kind.architecture[len(kind.run) :]) in found.requires
            yield from self._there("missing-architecture", kind.architecture, names, wanted)
        if found is not None and found.asks_domain_metrics:
            word = "if"
            domain, _ = self._variable(kind.domain)
            for name, of_domain in self.policy.domains.items():
                there = both([self._known(self._metric(metric)) for metric in of_domain.metrics])
                if there != TRUE:
                    missing = both([self._completed, negated(there)])
                    yield f"{word} {domain} == {name!r}:"
                    yield f"    if {missing}: bad |= {BIT['missing-domain-metric']}"
                    word = "elif"

    def _asked(self, found: ExperimentType | None, folder: Path) -> list[str]:
        paths = [self.kind.run + tuple(text.split(".")) for text in (found.requires if found else ())]
        return [path[-1] for path in paths if path[:-1] == folder]

    def _there(self, check: str, holder: Path, names: Sequence[str], wanted: bool) -> Iterator[str]:
        if not wanted:
            return
        slot = self.outline.find(holder)
        parts = [self._known(holder)]
        for name in dict.fromkeys(names):
            inner = self.outline.find((*holder, name))
            sure = inner is not None and not inner.optional and "null" not in inner.kinds
            parts.append(TRUE if sure else self._known((*holder, name)))
        if slot is not None and not slot.optional and "null" not in slot.kinds:
            parts[0] = TRUE
        there = both(parts)
        if there == TRUE:
            return
        if check != "missing-hyperparameter" or slot is None or not slot.sure or slot.kinds != {"object"}:
            yield f"if not {there}: bad |= {BIT[check]}"
            return
        yield f"if not {there}:"
        for part in parts:
            if part != TRUE:
                yield f"    if not {part}: bad |= {self._one(check)}"

    # --- criteria -----------------------------------------------------------------------------

    def _verdicts(self) -> Iterator[str]:
        rows = list(self._criteria())
        if not rows:
            return
        if self._completed == TRUE:
            yield from rows
        else:
            yield f"if {self._completed}:"
            yield from (f"    {row}" for row in rows)

    def _criteria(self) -> Iterator[str]:
        kind = self.kind
        types: list[ExperimentType | None] = [None]
        if kind.experiment_type is not None:
            types = [*self.policy.experiment_types.values(), None]
        domains: list[Domain | None] = [None]
        if kind.domain is not None:
            domains = list(self.policy.domains.values()) or [None]
        if len(types) > _MOST_TYPES or len(domains) > _MOST_TYPES:
            raise Unsupported("too many experiment types")
        probe = _Probe(kind)
        type_variable = self._variable(kind.experiment_type)[0]
        domain_variable = self._variable(kind.domain)[0]
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
                known = self.constants.name(frozenset(self.policy.experiment_types), "N")
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
        references = {**self.kind.references, **(type_.references if type_ else {})}
        try:
            rows = list(self._branches(applied, number, unsure, references))
            if applied.optional and criterion.subject is not None:
                found = self.terms.scalar(criterion.subject)
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
            proof = self.terms.truth(test)
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
        own = self.terms.number(left)
        simple = isinstance(left, Name) and left.path == right.path[1:] == reference.by
        if (
            own is None
            or own.size
            or not simple
            or (reference.rest is not None and self._reads_this(reference))
        ):
            raise Unprovable(())
        if self.kind.names.get(reference.by[0] if len(reference.by) == 1 else "", ((),))[1:]:
            same_kind = reference.log == self.kind.name
            if same_kind:
                raise Unprovable(())  # it counts where the run has the measure
        group = self._group(reference, judged=True)
        self.needs[number] = Need(number, sign, reference)
        known = both([own.known, *group.musts])
        # A time that the proof does not read may be one all the same.
        when = "None"
        if reference.log != self.kind.name:
            when = f"(logged or {self._variable(self.kind.logged)[0]})"
        need = f"(({number}, {own.code}, {group.code}, {when}),)"
        yield f"if {known}: needs += {need}"
        yield f"else: {unsure}"

    def _own(self, node: Node, references: Collection[str]) -> Proof:
        if any(path[0] in references for path in node.paths()):
            raise Unprovable(())
        return self.terms.truth(node)

    # --- references ---------------------------------------------------------------------------

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
            places = self.terms.places(path)
            slot = self.terms.slot(places[0]) if len(places) == 1 else None
            if slot is None:
                raise Unprovable(path)
            if _is_ambiguous(slot):
                raise Unprovable(path)
            musts.append(slot.known)
            parts.append(slot.name)
        return _Group(f"GROUPS[({', '.join(parts)},)]" if parts else "0", tuple(musts))

    def _candidates(self) -> Iterator[str]:
        """Yield code that tells which references of this log kind's criteria may pick the run."""
        policy = self.policy
        found = {
            reference.law: reference
            for references in (
                *(kind.references for kind in policy.logs.values()),
                *(type_.references for type_ in policy.experiment_types.values()),
            )
            for reference in references.values()
            if reference.log == self.kind.name
        }
        for reference in found.values():
            number = len(self.sources)
            self.sources.append(reference)
            try:
                if self._reads_this(reference):
                    raise Unprovable(())
                rest = (
                    self.terms.truth(reference.rest)
                    if reference.rest is not None
                    else Proof(TRUE, FALSE, TRUE, FALSE)
                )
                strength = self.terms.number(Name(reference.by))
                if strength is None or len(self.terms.places(reference.by)) > 1:
                    raise Unprovable(())
                group = self._group(reference, judged=False)
            except Unprovable:
                yield f"if {self._completed}: candidates += (({number}, None, None),)"
                continue
            there = list(group.musts)
            sure = strength.known == TRUE
            measure = strength.code if sure else f"({strength.code} if {strength.known} else None)"
            eligible = both([self._completed, rest.true, *there])
            maybe = both([self._completed, rest.may_be_true, *there])
            yield f"if {eligible}: candidates += (({number}, {group.code}, {measure}),)"
            if maybe != both([self._completed, rest.true, *there]):
                yield f"elif {maybe}: candidates += (({number}, None, None),)"

    # --- what later lines are held against ----------------------------------------------------

    def _key(self) -> str:
        parts = []
        for path in self.kind.key:
            slot = self.outline.find(path)
            if slot is None or slot.kinds != {"string"} or slot.optional:
                raise Unsupported("a key that is no text")
            parts.append(slot.name)
        if not parts:
            raise Unsupported("a log kind without a key")
        return f"({', '.join(parts)},)"

    def _digest(self) -> Iterator[str]:
        slot = self.outline.find(self.kind.results) if self.kind.results else None
        if slot is None or slot.object is None:
            yield "digest = None"
            return
        names = set(summed(self.kind))
        numbers = [s.name for s in slot.object.slots if s.path[-1] in names]
        struct = self.constants.name(self.types.structs[slot.object.number], "S")
        values = f"filter(None, ({', '.join(numbers)},))" if numbers else "()"
        yield f"digest = D({values}) if {slot.name}.__class__ is {struct} else None"
        # Results that add up to nothing are compared as text.
        yield "if digest == 0.0: return None"

    def _corrects(self) -> str:
        """Return code that holds where a line corrects an earlier one as it should."""
        kind = self.kind
        named, reason = (self.outline.find(path) if path else None for path in (kind.corrects, kind.reason))
        run_id = self.outline.find(kind.run_id) if kind.run_id else None
        if named is None or reason is None or run_id is None:
            return FALSE
        said = f"{reason.name}.__class__ is str and {reason.name}.strip()"
        return f"({named.name}.__class__ is str and {named.name} == {run_id.name} and {said} and True)"


_VARIABLE = re.compile(r"\b[vns](?:_v)?[0-9]+(?:_v[0-9]+)*\b|\bs_\w+")


_BY_ITSELF = re.compile(r"if .*: (bad \|= [0-9]+|return None)\Z", re.DOTALL)
"""Matches a row that no `elif` follows, and that does nothing else than a remembered function can."""


class _Count:
    """How many colons the text of an entry has, as code."""

    def __init__(self) -> None:
        self.fixed = 0
        self.parts: list[str] = []

    @property
    def code(self) -> str:
        return f"{self.fixed}{''.join(self.parts)}"


class _Memo:
    """An object of which the same is proven wherever it holds the same."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.rows: list[str] = []
        self.variables = [slot.name, *_inside(slot.object)] if slot.object is not None else []
        self._own = frozenset(self.variables)

    def takes(self, row: str) -> bool:
        """Return whether a row reads nothing else, and stands for itself."""
        words = set(_VARIABLE.findall(row))
        return _BY_ITSELF.match(row) is not None and bool(words) and words <= self._own


def _inside(made: Object) -> list[str]:
    names = []
    for slot in made.slots:
        names.append(slot.name)
        if slot.object is not None:
            names += _inside(slot.object)
    return names


def _is_ambiguous(slot: Slot) -> bool:
    """Return whether two values may be equal and not the same: true and 1. Lists have no hash."""
    if slot.item is not None or ("boolean" in slot.kinds and {"integer", "number"} & slot.kinds):
        return True
    return slot.object is not None and any(_is_ambiguous(inner) for inner in slot.object.slots)


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


def _counter(made: Object, types: Types) -> Any:
    """Return what counts the members of all items of a list, those in texts excepted."""
    order = sorted(made.slots, key=lambda slot: slot.optional)
    if any(":" in slot.path[-1] for slot in order):
        raise Unsupported("a member with a colon in its name, in a list")
    if any({"string", "object", "array"} & slot.kinds for slot in order):
        raise Unsupported("items that hold more than numbers")
    struct, size = types.structs[made.number], len(order)
    taken: Any = astuple

    def count(items: list[Any]) -> int:
        total = 0
        for item in items:
            if item.__class__ is struct:
                values: tuple[Any, ...] = taken(item)
                total += size - values.count(UNSET)
        return total

    return count


def absent(values: tuple[Any, ...]) -> int:
    """Return how many members are not there. A shape knows, and does not ask."""
    return values.count(UNSET)


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


__all__ = ["BIT", "CHECKED", "Compiled", "Groups", "Need", "Record"]
