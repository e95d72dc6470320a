"""Which log kind a command means, where it is named, found by a path, or told by an entry."""

from __future__ import annotations

from collections.abc import Iterable

from nsm_gate.errors import GateError
from nsm_gate.globs import matches
from nsm_gate.model import Json
from nsm_gate.names import suggestion
from nsm_gate.policy import LogKind, Policy


def kind_at(policy: Policy, path: str) -> LogKind | None:
    """Return the log kind that claims a path from the root, or None. What is excluded counts too."""
    return next((kind for kind in policy.logs.values() if matches(path, kind.files)), None)


def kind_called(policy: Policy, name: str | None) -> LogKind:
    """Return the log kind of a name; without one, the only kind that there is or that has experiment types.

    Raises:
        GateError: No log kind has the name, or several could be meant.
    """
    if name is not None:
        if name not in policy.logs:
            hint = suggestion(name, policy.logs) or f"the policy knows {', '.join(policy.logs)}"
            raise GateError(f"no log kind is called {name!r}", hint)
        return policy.logs[name]
    kinds = list(policy.logs.values())
    typed = [kind for kind in kinds if kind.experiment_type]
    if len(kinds) > 1 and len(typed) != 1:
        names = ", ".join(policy.logs)
        raise GateError("there are several log kinds", f"name one of them with --log: {names}")
    return (typed if len(typed) == 1 else kinds)[0]


def kind_by_members(policy: Policy, values: Iterable[Json]) -> LogKind | None:
    """Return the one log kind whose required members the first entry has, or None."""
    value = next((value for value in values if isinstance(value, dict)), None)
    if value is None:
        return None
    counts = {
        name: len(set(value) & set(kind.schema.get("required", ()))) for name, kind in policy.logs.items()
    }
    best = max(counts, key=lambda name: counts[name], default=None)
    if best is None or not counts[best] or list(counts.values()).count(counts[best]) > 1:
        return None
    return policy.logs[best]
