"""Old entries -> new lines that the policy accepts, and rejects with the reasons."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from nsm_gate.edits import edited
from nsm_gate.errors import GateError
from nsm_gate.fixes.numbers import nulls_for_no_numbers
from nsm_gate.jsonl import decode
from nsm_gate.mapping import ABSENT, Fault, Old, Plan, convert, find, holds
from nsm_gate.model import Entry, Finding, Json, Line, Report, Severity
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.policy import LogKind
from nsm_gate.schema import resolved

_MEMBERS = 2000
"""How many members of the old entries are kept in mind, for suggestions and for what is not taken over."""


class Reason(NamedTuple):
    """Why an entry is rejected.

    Attributes:
        rule: The rule that the new line breaks; None where there is no new line.
        pointer: JSON pointer into the new entry; None where it is about the whole.
    """

    rule: str | None
    pointer: str | None
    message: str
    hint: str


class Reject(NamedTuple):
    """An entry that cannot be migrated, with every reason that is known."""

    old: Old
    reasons: tuple[Reason, ...]


class Migrated(NamedTuple):
    """What became of an old file.

    Attributes:
        total: How many entries it has.
        lines: The new lines, without newlines.
        rejects: In the order of the old file.
        left_out: How many entries `where` leaves out.
        standing: How many are in the new log already.
        untaken: Members of the old entries that the mapping does not read, and in how many entries they are.
        report: What is found of the new lines.
    """

    total: int
    lines: tuple[bytes, ...]
    rejects: tuple[Reject, ...]
    left_out: int
    standing: int
    untaken: Mapping[str, int]
    report: Report


class Situation(NamedTuple):
    """What a migration depends on beside the old file and the mapping.

    Attributes:
        kind: The log kind of the new log.
        existing: The lines that the new log has already, without newlines.
        judge: Lines behind the existing ones -> what is found of the log.
        now: The time of the migration, in UTC.
        limit: Bytes that an entry may have.
        tell: Called now and then.
    """

    kind: LogKind
    existing: Sequence[bytes]
    judge: Callable[[Sequence[bytes]], Report]
    now: datetime
    limit: int
    tell: Callable[[], object] = lambda: None


_Candidate = tuple[Old, bytes]


def migrate(olds: Sequence[Old], plan: Plan, situation: Situation) -> Migrated | list[GateError]:
    """Return what becomes of old entries, or the mistakes of a mapping that reads what none of them has.

    Args:
        olds: The old entries.
        plan: The mapping.
        situation: What else counts.
    """
    survey = _Survey(plan)
    for old in olds:
        entry = _read(old, plan, situation)
        if isinstance(entry, dict):
            survey.see(entry)
    if survey.entries and survey.missing:
        return list(survey.mistakes())
    standing = {_canonical(entry) for entry in _entries(situation.existing, situation.limit)}
    candidates: list[_Candidate] = []
    rejects: list[Reject] = []
    left_out = already = 0
    for old in olds:
        made = _converted(old, plan, situation)
        if isinstance(made, list):
            rejects.append(Reject(old, tuple(made)))
        elif made is None:
            left_out += 1
        elif standing and _canonical(json.loads(made)) in standing:
            already += 1
        else:
            candidates.append((old, made))
    kept, refused, report = _accepted(candidates, situation)
    rejects = sorted([*rejects, *refused], key=lambda reject: reject.old.number)
    lines = tuple(line for _, line in kept)
    return Migrated(len(olds), lines, tuple(rejects), left_out, already, survey.untaken(), report)


# --- one entry ----------------------------------------------------------------------------------------


def _read(old: Old, plan: Plan, situation: Situation) -> dict[str, Json] | list[Reason]:
    """Return an old entry with its nulls, or why it cannot be read."""
    situation.tell()
    if old.fault:
        return [Reason(None, None, old.fault, "")]
    raw = old.raw
    if plan.nan_is_null:
        edits = nulls_for_no_numbers(raw, 1)
        raw = edited(raw, False, edits) if edits else raw
    decoded = decode(Line(old.number, raw), situation.limit)
    if isinstance(decoded, Entry):
        nulled: dict[str, Json] = _nulled(decoded.value, plan.nulls) if plan.nulls else decoded.value
        return nulled
    return [Reason(decoded.rule, None, f"{decoded.reason} (column {decoded.column})", decoded.hint)]


def _nulled(value: Json, nulls: Collection[str]) -> Json:
    if isinstance(value, dict):
        return {name: _nulled(inner, nulls) for name, inner in value.items()}
    if isinstance(value, list):
        return [_nulled(inner, nulls) for inner in value]
    return None if isinstance(value, str) and value in nulls else value


def _converted(old: Old, plan: Plan, situation: Situation) -> bytes | list[Reason] | None:
    """Return the new line, why there is none, or None where it is not wanted."""
    entry = _read(old, plan, situation)
    if isinstance(entry, list):
        return entry
    if plan.where is not None:
        wanted = holds(plan.where, entry)
        if wanted is False:
            return None
        if wanted is not True:
            lacks = [".".join(p) for p in plan.where.paths() if find(entry, p) in (ABSENT, None)]
            about = f": {', '.join(lacks)} is missing" if lacks else ""
            return [Reason(None, None, f"where is neither true nor false{about}", "")]
    made = convert(entry, plan, situation.now)
    if isinstance(made, list):
        return [_reason(fault) for fault in made]
    try:
        ordered = _ordered(made, situation.kind.schema, situation.kind.schema)
        return json.dumps(ordered, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except ValueError:
        fact = "the new entry holds what JSON has no way to write: an infinite number, or half a character"
        return [Reason(None, None, fact, "")]


def _reason(fault: Fault) -> Reason:
    return Reason(None, fault.pointer, fault.message, fault.hint)


def _ordered(value: Json, node: Any, schema: Mapping[str, Any]) -> Json:
    """Return a value with members in the order of the schema; those that it does not know go last."""
    node = resolved(node, schema)
    if isinstance(value, list):
        return [_ordered(item, node.get("items"), schema) for item in value]
    if not isinstance(value, dict):
        return value
    declared = node.get("properties")
    members: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
    names = [*(name for name in members if name in value), *(name for name in value if name not in members)]
    return {name: _ordered(value[name], members.get(name), schema) for name in names}


def _canonical(entry: Json) -> str:
    return json.dumps(entry, sort_keys=True)


def _entries(lines: Sequence[bytes], limit: int) -> Iterator[Json]:
    for raw in lines:
        decoded = decode(Line(1, raw), limit)
        if isinstance(decoded, Entry):
            yield decoded.value


# --- what the policy says -----------------------------------------------------------------------------


def _accepted(
    candidates: list[_Candidate], situation: Situation
) -> tuple[list[_Candidate], list[Reject], Report]:
    """Return the candidates that the policy accepts side by side, the others, and the last report."""
    refused: list[Reject] = []
    while True:
        report = situation.judge([line for _, line in candidates])
        errors = _errors(report, len(situation.existing), len(candidates))
        if not errors:
            return candidates, refused, report
        # A line that repeats the run of a rejected one is no repetition: it is judged again without that.
        own = {i for i, found in errors.items() if any(f.rule != "duplicate-run" for f in found)}
        dropped = own or set(errors)
        refused += [Reject(candidates[i][0], tuple(map(_told, errors[i]))) for i in sorted(dropped)]
        candidates = [item for i, item in enumerate(candidates) if i not in dropped]


def _errors(report: Report, before: int, count: int) -> dict[int, list[Finding]]:
    """Return the errors of each candidate by its index; GateError for one that is nobody's."""
    found: dict[int, list[Finding]] = {}
    paths = {log.path for log in report.logs}
    for finding in report.findings:
        if finding.severity is not Severity.ERROR or finding.waived is not None:
            continue
        index = finding.line - 1 - before
        if finding.path not in paths or not 0 <= index < count:
            raise GateError(finding.message, finding.hint, finding.path, finding.line)
        found.setdefault(index, []).append(finding)
    return found


def _told(finding: Finding) -> Reason:
    return Reason(finding.rule, finding.pointer, finding.message, finding.hint)


# --- what the old entries have ------------------------------------------------------------------------


class _Survey:
    """Which members the old entries have, and which of them the mapping reads."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entries = 0
        self.read: set[str] = set()
        self.missing: dict[str, tuple[int, int]] = {}
        self.members: Counter[str] = Counter()
        self.inner: set[str] = set()
        if plan.where is not None:
            for path in plan.where.paths():
                self.ask(".".join(path), False, plan.where_at)
        for field in plan.fields:
            for name, optional in field.source.names():
                self.ask(name, optional, field.places.get(name, field.defined_at))

    def ask(self, name: str, optional: bool, place: tuple[int, int]) -> None:
        self.read.add(name)
        if not optional:
            self.missing.setdefault(name, place)

    def see(self, entry: dict[str, Json]) -> None:
        self.entries += 1
        for name in [name for name in self.missing if find(entry, name.split(".")) is not ABSENT]:
            del self.missing[name]
        for name in dict.fromkeys(self.leaves(entry, "")):
            if name in self.members or len(self.members) < _MEMBERS:
                self.members[name] += 1

    def leaves(self, value: Json, where: str) -> Iterator[str]:
        items = value if isinstance(value, list) else [value]
        if not any(isinstance(item, dict) and item for item in items):
            yield where
            return
        if where and len(self.inner) < _MEMBERS:
            self.inner.add(where)
        for item in items:
            for name, inner in item.items() if isinstance(item, dict) else ():
                yield from self.leaves(inner, f"{where}.{name}" if where else name)

    def mistakes(self) -> Iterator[GateError]:
        known = [*self.members, *self.inner]
        for name, (line, column) in self.missing.items():
            hint = suggestion(name, known) or "correct the name, or say optional: true"
            fact = f"no entry of the old file has {name!r}"
            yield GateError(fact, hint, self.plan.path, line, column)

    def untaken(self) -> dict[str, int]:
        def taken(leaf: str) -> bool:
            return any(
                leaf == name or leaf.startswith(f"{name}.") or name.startswith(f"{leaf}.")
                for name in self.read
            )

        return {leaf: count for leaf, count in self.members.items() if leaf and not taken(leaf)}
