"""What stands at the places that a log kind declares, whatever its schema says of them.

Checks read a name, a status or a time where the log kind says that it stands. A schema that leaves such a
place open would let a value pass there that no check can read, and every check of it would keep silent.
"""

from __future__ import annotations

from collections.abc import Iterator

from nsm_gate.model import Json, Path
from nsm_gate.nouns import Final, NamedTuple
from nsm_gate.policy import LogKind

_OBJECT = frozenset({"object"})
_TEXT = frozenset({"string"})
_NUMBER = frozenset({"integer", "number"})
_KEY = frozenset({"string", "integer"})
_TYPES: Final = {
    bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array",
}  # fmt: skip
_LEAST, _BEYOND = -(2**63), 2**63


class Role(NamedTuple):
    """A place of an entry, and what may stand there.

    Attributes:
        path: From the entry's root.
        types: JSON types that checks can read there.
        needed: Why it may neither be absent nor null; empty where it may.
    """

    path: Path
    types: frozenset[str]
    needed: str = ""

    @property
    def words(self) -> str:
        """Return what a value is not, which is none of the types."""
        if self.types == _KEY:
            return "neither a text nor an integer of 64 bits"
        return {_OBJECT: "not an object", _TEXT: "not a text"}.get(self.types, "not a number")

    def takes(self, value: Json) -> bool:
        """Return whether checks can read a value that is there and not null."""
        # A key is compared as it is: an integer that other readers round is none.
        if type(value) is int and self.types == _KEY:
            return _LEAST <= value < _BEYOND
        return _TYPES[type(value)] in self.types


def roles(kind: LogKind) -> Iterator[Role]:
    """Yield the places that checks of a log kind read, objects before what they hold."""
    if kind.run:
        yield Role(kind.run, _OBJECT, "the run stands there")
    for path in kind.key:
        yield Role(path, _KEY, "it tells one run from another")
    if kind.status is not None:
        yield Role(kind.status, _TEXT, "no criterion is asked of a run without it")
    objects = (kind.hyperparameters, kind.architecture, kind.results)
    yield from (Role(path, _OBJECT) for path in objects if path is not None)
    texts = (
        kind.run_id, kind.domain, kind.experiment_type, *kind.times, kind.findings, kind.error_message,
        kind.corrects, kind.reason,
    )  # fmt: skip
    yield from (Role(path, _TEXT) for path in texts if path is not None and path not in kind.key)
    numbers = (kind.seconds, kind.task_loss, *kind.class_accuracies, *kind.rates.values())
    yield from (Role(path, _NUMBER) for path in numbers if path is not None)
