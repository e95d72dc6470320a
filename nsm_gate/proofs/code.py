"""Pieces of Python that a compiled proof is made of, with what is known beforehand folded away."""

from __future__ import annotations

from collections.abc import Iterable

from nsm_gate.nouns import Any

TRUE, FALSE = "True", "False"


def both(parts: Iterable[str]) -> str:
    """Return code that holds where all parts do."""
    kept = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else f"({' and '.join(kept)})"


def either(parts: Iterable[str]) -> str:
    """Return code that holds where one of the parts does."""
    kept = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else f"({' or '.join(kept)})"


def negated(code: str) -> str:
    """Return code that holds where a piece does not."""
    return {TRUE: FALSE, FALSE: TRUE}.get(code) or f"(not {code})"


class Constants:
    """Values that the compiled code names: functions, types, numbers that have no short spelling."""

    def __init__(self) -> None:
        """Begin with what every proof uses."""
        self.values: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def name(self, value: Any, prefix: str = "k") -> str:
        """Return the name under which the code finds a value."""
        known = self._names.get(id(value))
        if known is None:
            known = f"{prefix}{len(self.values)}_"
            self.values[known] = value
            self._names[id(value)] = known
        return known
