"""Writes `nsm_gate/edge/bundled.py`: the bundled pack's policy as the Python that makes it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from enum import Enum
from typing import Any

from nsm_gate.checks import BY_ID
from nsm_gate.edge import packs
from nsm_gate.edge.policy_files import read_rules
from nsm_gate.edge.trees import Files
from nsm_gate.policy import LogKind, Policy

PATH = "nsm_gate/edge/bundled.py"
_WIDTH = 110
_HEAD = '''"""The policy of the bundled pack, as `policy_build` makes it of rules/ and schemas/.

Written by `make docs`, never by hand: `make lint` fails where it is not what the rules give. It counts only
while the pack's files have the SHA-256 that it was made from; see `packs.compiled`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
{imports}

PACK = "{pack}"


def policy(schema: Callable[[str], Mapping[str, Any]]) -> Policy:
    """Return the policy.

    Args:
        schema: Returns a schema of the pack by its file's name.
    """
    return {policy}
'''


def built() -> Policy:
    """Return the policy of the bundled pack, made of its YAML."""
    return read_rules(Files({}), None, BY_ID)[0]


def source() -> str:
    """Return the text of the module."""
    used: dict[str, set[str]] = defaultdict(set)
    used["nsm_gate.nouns"].add("Any")
    made = _Writer(used).text(built(), 4, len("return "))
    imports = "".join(
        f"from {module} import {', '.join(sorted(names, key=str))}\n"
        for module, names in sorted(used.items())
    )
    return _HEAD.format(imports=imports.rstrip(), pack=packs.fingerprint(packs.files()), policy=made)


class _Writer:
    def __init__(self, used: dict[str, set[str]]) -> None:
        self._used = used

    def text(self, value: Any, indent: int, taken: int = 0) -> str:
        """Return Python that makes a value, broken where it does not fit into a line.

        Args:
            value: The value.
            indent: Of the line that it begins on.
            taken: Columns of that line that are taken.
        """
        flat = self._joined(value, None)
        return flat if indent + taken + len(flat) <= _WIDTH else self._joined(value, indent)

    def _joined(self, value: Any, indent: int | None) -> str:
        if isinstance(value, Enum):
            return f"{self._name(type(value))}.{value.name}"
        if isinstance(value, Decimal):
            return f"{self._name(Decimal)}({str(value)!r})"
        if isinstance(value, dict):
            return self._items("{", value.values(), "}", indent, [f"{key!r}: " for key in value])
        if isinstance(value, frozenset):
            return self._items("frozenset((", sorted(value), "))", indent)
        names = getattr(value, "_fields", None) or getattr(value, "_nouns", None)
        if names:
            parts = [getattr(value, name) for name in names]
            if isinstance(value, LogKind):
                parts[list(names).index("schema")] = _Schema(value.schema_name)
            return self._items(f"{self._name(type(value))}(", parts, ")", indent)
        if type(value) is tuple:
            return self._items("(", value, ",)" if len(value) == 1 and indent is None else ")", indent)
        if value is None or isinstance(value, (str, int, float, _Schema)):
            return repr(value)
        raise TypeError(f"a policy holds a {type(value).__name__}")

    def _items(self, left: str, values: Any, right: str, indent: int | None, heads: Any = None) -> str:
        parts = list(zip(heads or [""] * len(values), values, strict=True))
        if indent is None:
            return left + ", ".join(head + self._joined(value, None) for head, value in parts) + right
        deeper = indent + 4
        rows = [f"{' ' * deeper}{head}{self.text(value, deeper, len(head) + 1)},\n" for head, value in parts]
        return f"{left}\n{''.join(rows)}{' ' * indent}{right}"

    def _name(self, made: type) -> str:
        self._used[made.__module__].add(made.__name__)
        return made.__name__


class _Schema:
    """A schema, which is read from its own file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"schema({self.name!r})"
