"""A tree with the content of some files replaced, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nsm_gate.edge.trees import Item, Tree


class Patched:
    """Another tree, as it would be with some files changed."""

    def __init__(self, tree: Tree, content: Mapping[str, bytes]) -> None:
        """Read from `tree` what `content` does not hold."""
        self._tree = tree
        self._content = content

    @property
    def label(self) -> str:
        """Return what the tree is, in words."""
        return self._tree.label

    def paths(self) -> Collection[str]:
        """Return the path of every file."""
        return self._tree.paths()

    def item(self, path: str) -> Item | None:
        """Return one file."""
        return self._tree.item(path)

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        return self._content[path] if path in self._content else self._tree.read(path)
