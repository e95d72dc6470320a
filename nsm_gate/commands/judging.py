"""Judge one entry by itself, as the first line of a log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nsm_gate.model import Finding, Json, Severity
from nsm_gate.policy import Example, LogKind, Policy
from nsm_gate.trial import judged


def errors_of(policy: Policy, kind: LogKind, entry: Mapping[str, Json], now: datetime) -> list[Finding]:
    """Return the errors of an entry of a log kind, whatever is waived.

    Args:
        policy: The rules.
        kind: The log kind.
        entry: The whole entry.
        now: The current time, in UTC.
    """
    owner = ("log", kind.name)
    place = kind.schema_path  # what is to blame where this takes too long
    example = Example(
        kind.name, owner, kind.name, entry, before={}, expect={}, findings=(), path=place, line=1
    )  # fmt: skip
    return [found for found in judged(example, policy, now).findings if found.severity is Severity.ERROR]
