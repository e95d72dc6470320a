"""What the lines of a log look like: the members that they have, and the types of what stands there."""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.model import Json, Path

_VARIETY = 2000
_MOST_PLACES = 5000
"""Places of entries that are learned, from which on nothing would be compiled anyway."""


class Learned:
    """The members of open objects that lines have, and the types of what stands there."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.kinds: dict[Path, set[str]] = {}
        self._values: dict[Path, set[str]] = {}
        self._seen: dict[Path, int] = {}

    def take(self, value: Json, path: Path = ()) -> bool:
        """Take in a decoded value; return whether anything was new."""
        if self.is_full:
            return False
        kind = kind_of(value)
        known = self.kinds.setdefault(path, set())
        new = kind not in known
        known.add(kind)
        if kind == "object":
            if path and len(self._values.setdefault(path, set())) < _VARIETY:
                self._values[path].add(repr(value))
            self._seen[path] = self._seen.get(path, 0) + 1
            # Every member is taken in, also behind the first new one.
            news = [self.take(inner, (*path, member)) for member, inner in value.items()]
            new = any(news) or new
        elif kind == "array":
            news = [self.take(item, (*path, "*")) for item in value]
            new = any(news) or new
        return new

    @property
    def is_full(self) -> bool:
        """Return whether there are too many places to learn."""
        return len(self.kinds) > _MOST_PLACES

    def recurs(self, path: Path) -> bool:
        """Return whether an object holds the same values in many lines."""
        values = len(self._values.get(path, ()))
        return values < _VARIETY and 2 * values <= self._seen.get(path, 0)

    def members(self, path: Path) -> Iterator[str]:
        """Yield the members that were seen under a path."""
        for known in self.kinds:
            if len(known) == len(path) + 1 and known[:-1] == path and known[-1] != "*":
                yield known[-1]


def kind_of(value: Json) -> str:
    """Return the JSON type of a decoded value."""
    if value is None:
        return "null"
    return {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}.get(
        type(value), "array"
    )
