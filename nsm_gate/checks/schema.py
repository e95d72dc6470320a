"""An entry satisfies the JSON Schema of its log kind.

Why: a reader of the log must be able to rely on names, types and ranges. A wrong type is always reported
here, also at a place that the log kind declares and its schema leaves open; and so is a domain that no rule
defines. What a more specific rule reports is not repeated.
Fix: the message says which value is wrong and what would be right.
Example: `"accuracy": "0.61"`, a string.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import At, Problem, Severity
from nsm_gate.names import nearest
from nsm_gate.pointers import pointer, show
from nsm_gate.records import ABSENT
from nsm_gate.roles import roles
from nsm_gate.values import is_number


def run(subject: Subject) -> Iterator[Problem]:
    """Yield the flaws of the entry, and a domain that the policy does not know."""
    record = subject.record
    for flaw in subject.flaws:
        if flaw.is_cut:
            yield Problem("schema", flaw.message, flaw.hint, record.line, pointer="", yields=True)
        elif not flaw.is_unknown_member:
            whole = flaw.keyword in ("type", "required")
            # A combination of members is wrong: the name of the object that holds them is enough.
            at = At.NAME if flaw.keyword in ("not", "anyOf", "oneOf") else At.VALUE
            yield Problem(
                "schema", flaw.message, flaw.hint, record.line, pointer=flaw.pointer, at=at, below=whole,
                yields=flaw.conditional,
            )  # fmt: skip
    refused = {flaw.pointer for flaw in subject.flaws if not (flaw.is_unknown_member or flaw.is_cut)}
    for metric in subject.domain.metrics if subject.domain else ():
        path = record.kind.run + tuple(metric.split("."))
        value, where = record.at(path), pointer(*path)
        # A domain's own metrics need no place in the schema, but they are numbers all the same.
        if value is not ABSENT and value is not None and not is_number(value) and where not in refused:
            fact = f"{'.'.join(path)} is {show(value)}, not a number"
            yield Problem("schema", fact, "write a number, or null", record.line, pointer=where)
    yield from _unreadable(subject)
    domain = record.domain
    if domain and record.kind.domain and subject.domain is None:
        near = nearest(domain, subject.policy.domains)
        known = ", ".join(subject.policy.domains) or "none"
        hint = f"did you mean {near!r}?" if near else f"known domains: {known}"
        where = pointer(*record.kind.domain)
        yield Problem(
            "schema", f"no rule defines the domain {show(domain)}", hint, record.line, pointer=where
        )


def _unreadable(subject: Subject) -> Iterator[Problem]:
    """Yield what stands where the log kind declares something else, and the schema says nothing of it."""
    record = subject.record
    told = [flaw.pointer for flaw in subject.flaws if not flaw.is_unknown_member]
    for role in roles(record.kind):
        value = record.at(role.path)
        lacks = value is ABSENT or value is None
        if (lacks and not role.needed) or (not lacks and role.takes(value)):
            continue
        where = pointer(*role.path)
        if any(where == place or where.startswith(f"{place}/") for place in told):
            continue
        told.append(where)
        name = ".".join(role.path)
        if lacks:
            fact = f"{name} is {'absent' if value is ABSENT else 'null'}: {role.needed}"
            hint = f"log {name}"
        else:
            fact, hint = f"{name} is {show(value)}, {role.words}", "write what the log kind declares there"
        # What cannot be read is not looked into.
        yield Problem("schema", fact, hint, record.line, pointer=where, below=True)


CHECK = EntryCheck("schema", __doc__, Severity.ERROR, run)
