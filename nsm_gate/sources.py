"""The YAML that a policy was made of, with the place of everything in it."""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.nouns import NamedTuple
from nsm_gate.strict_yaml import Node

Roots = Mapping[str, Mapping[str, Node]]
"""`log`, `experiment_type` and `domain` -> name -> the file's root."""


class Sources(NamedTuple):
    """What was read to make a policy.

    Attributes:
        config: The configuration of the repository; None where it has none.
        merged: What counts: the repository's files over those of the packs, each node with its own place.
        packs: The files of the packs alone, merged.
        own: The repository's files alone.
        files: Every YAML file that was read, as places name it, where examples were asked for.
        schemas: Log kind -> where its JSON Schema lies, and the schema's bytes.
        package: The configuration of the installed pack that the repository extends, if it extends one.
    """

    config: Node | None
    merged: Roots
    packs: Roots
    own: Roots
    files: tuple[str, ...]
    schemas: Mapping[str, tuple[str, bytes]] = {}
    package: Node | None = None

    def at(self, group: str, name: str, *steps: str | int) -> Node | None:
        """Return what counts at a place of the rules; None where nothing stands there."""
        node = self.merged[group].get(name)
        for step in steps:
            inner = node.value if node is not None else None
            if isinstance(inner, dict) and isinstance(step, str):
                node = inner.get(step)
            elif isinstance(inner, list) and isinstance(step, int) and step < len(inner):
                node = inner[step]
            else:
                return None
        return node

    def owns(self, path: str) -> bool:
        """Return whether a file is one of the repository's own rules files."""
        return any(root.path == path for roots in self.own.values() for root in roots.values())
