"""What stands at the places that a log kind declares, whatever its schema says of them.

Checks read a name, a status or a time where the log kind says that it stands. A schema that leaves such a
place open would let a value pass there that no check can read, and every check of it would keep silent.
"""

from __future__ import annotations

from functools import lru_cache

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
_Paths = tuple["Path | None", ...]
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


def roles(kind: LogKind) -> tuple[Role, ...]:
    """Return the places that checks of a log kind read, objects before what they hold."""
    objects = (kind.hyperparameters, kind.architecture, kind.results)
    texts = (
        kind.run_id, kind.domain, kind.experiment_type, *kind.times, kind.findings, kind.error_message,
        kind.corrects, kind.reason,
    )  # fmt: skip
    numbers = (kind.seconds, kind.task_loss, *kind.class_accuracies, *kind.rates.values())
    return _roles(kind.run, kind.key, kind.status, objects, texts, numbers)


@lru_cache  # every line asks for them
def _roles(
    run: Path, key: tuple[Path, ...], status: Path | None, objects: _Paths, texts: _Paths, numbers: _Paths
) -> tuple[Role, ...]:
    found = [Role(run, _OBJECT, "the run stands there")] if run else []
    found += [Role(path, _KEY, "it tells one run from another") for path in key]
    if status is not None:
        found.append(Role(status, _TEXT, "no criterion is asked of a run without it"))
    found += [Role(path, _OBJECT) for path in objects if path is not None]
    found += [Role(path, _TEXT) for path in texts if path is not None and path not in key]
    found += [Role(path, _NUMBER) for path in numbers if path is not None]
    return tuple(found)
