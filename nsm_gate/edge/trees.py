"""What a place holds, by path: a commit, the index or the work tree behind one small interface."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nsm_gate.nouns import NamedTuple, Protocol, dataclass, field

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


class Files(NamedTuple):
    """A tree that is handed over: content by path."""

    content: Mapping[str, bytes]
    label: str = "an empty tree"

    def paths(self) -> Collection[str]:
        """Return the path of every file."""
        return self.content.keys()

    def item(self, path: str) -> Item | None:
        """Return one file."""
        return Item(REGULAR[0]) if path in self.content else None

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        return self.content.get(path)


class Recording:
    """A tree that remembers what was read of it."""

    def __init__(self, tree: Tree) -> None:
        """Read from another tree."""
        self._tree = tree
        self.reads: dict[str, bytes | None] = {}

    @property
    def label(self) -> str:
        """Return what the tree is, in words."""
        return self._tree.label

    def paths(self) -> Collection[str]:
        """Return the path of every file."""
        return self._tree.paths()

    def item(self, path: str) -> Item | None:
        """Return one file; that there is none is remembered, too."""
        found = self._tree.item(path)
        if found is None:
            self.reads[path] = None
        return found

    def read(self, path: str) -> bytes | None:
        """Return a regular file's content, and remember it."""
        self.reads[path] = data = self._tree.read(path)
        return data

    def same_in(self, other: Tree, folders: Collection[str]) -> bool:
        """Return whether another tree gives the same for all that was read, and has no more rules.

        Args:
            other: The tree to compare with.
            folders: Where rules lie.
        """
        roots = tuple("" if folder in ("", ".") else f"{folder.removeprefix('./')}/" for folder in folders)
        listed = other.paths() if roots else ()
        more = any(
            p.startswith(roots) and p.endswith((".yaml", ".yml")) and p not in self.reads for p in listed
        )
        return not more and all(other.read(path) == data for path, data in self.reads.items())


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
