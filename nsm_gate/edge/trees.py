"""What a place holds, by path: a commit, the index or the work tree behind one small interface."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

REGULAR = ("100644", "100755")
SYMLINK = "120000"
SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a tree.

    Attributes:
        mode: Git's file mode; of the work tree, the mode that git would give it.
        oid: The blob's object id, where the tree has one.
        sparse: Whether the index says that the work tree leaves it out.
    """

    mode: str
    oid: str | None = None
    sparse: bool = field(default=False, compare=False)


class Tree(Protocol):
    """Files by path from the repository root, with forward slashes."""

    @property
    def label(self) -> str:
        """What the tree is, in words."""

    def paths(self) -> Collection[str]:
        """Return the path of every file of the tree."""

    def item(self, path: str) -> Item | None:
        """Return one file, or None where there is none."""

    def read(self, path: str) -> bytes | None:
        """Return a regular file's content; None where there is none."""
