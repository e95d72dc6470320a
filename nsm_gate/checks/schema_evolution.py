"""A changed schema accepts every line that is logged already.

Why: logged lines never change, so a schema that refuses one can never be satisfied again; and whoever
reads the log by the new schema loses the old runs.
Fix: widen the schema: make a new member optional, keep an old type beside the new one.
Example: a new required member that lines 1 to 7 do not have.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.checks.check import LogCheck, LogContext
from nsm_gate.jsonl import decode
from nsm_gate.model import At, Entry, Line, Problem, Severity
from nsm_gate.whereabouts import HERE

_SHOWN = 20


def run(log: LogContext) -> Iterator[Problem]:
    """Yield a problem for each logged line that the base's schema accepts and the head's refuses."""
    if log.evolved is None:
        return
    old, new = log.evolved
    count = 0
    last = 0
    for index, raw in enumerate(log.head):
        HERE.line(index + 1)
        decoded = decode(Line(index + 1, raw), log.limit) if log.change.mask(index) else None
        if not isinstance(decoded, Entry) or new.accepts(decoded.value) or not old.accepts(decoded.value):
            continue
        count += 1
        if count > _SHOWN:
            last = index + 1
            continue
        flaw = next(new.flaws(decoded.value))
        yield Problem(
            "schema-evolution",
            f"the changed schema refuses this logged line: {flaw.message}",
            "widen the schema: a new member is optional, an old type stays",
            index + 1,
            pointer=flaw.pointer,
            at=At.NAME if flaw.is_unknown_member else At.VALUE,
        )
    if count > _SHOWN:
        fact = f"the changed schema refuses {count - _SHOWN:,} more logged lines, the last of them this one"
        yield Problem("schema-evolution", fact, "widen the schema", last)


CHECK = LogCheck("schema-evolution", __doc__, Severity.ERROR, run)
