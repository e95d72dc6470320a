"""Which lines of a log are logged history: what git has of it, as a base or where others have it too."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nsm_gate.changes import compare
from nsm_gate.edge.bases import Comparison, shared
from nsm_gate.edge.files import CommitTree
from nsm_gate.edge.git import Git
from nsm_gate.lines import Lines


class Logged:
    """The lines that no command may change. Commits are looked up when they are first needed."""

    def __init__(self, git: Git | None, comparison: Comparison, limit: int) -> None:
        """Keep where to look.

        Args:
            git: The repository, or None outside of one: there is no history there.
            comparison: What the judgement compares.
            limit: Bytes of a log that are read at most.
        """
        self._git = git
        self._comparison = comparison
        self._limit = limit
        self._trees: dict[str, CommitTree] | None = None

    def __call__(self, path: str, lines: Sequence[bytes]) -> frozenset[int]:
        """Return the indices of the lines that are logged history, of those that are new to the bases.

        Args:
            path: The log.
            lines: Its lines now.
        """
        # No line that is new to a base is one of its own.
        others = [tree for oid, tree in self.trees().items() if oid not in self._comparison.bases]
        found = [Lines(tree.read(path) or b"") for tree in others]
        kept = compare([base for base in found if base], (), lines).kept
        logged = {index for indices in kept for index in indices}
        moved = self._moved(path)
        if moved:
            logged |= {index for index, line in enumerate(lines) if line in moved}
        return frozenset(logged)

    def _moved(self, path: str) -> frozenset[bytes]:
        """Return the lines of logs that are gone, where this one is new: it may be one of them, renamed."""
        head, ending = self._comparison.head, os.path.splitext(path)[1]
        moved: set[bytes] = set()
        for tree in self.trees().values():
            if tree.item(path) is None:
                gone = (p for p in tree.paths() if p.endswith(ending) and head.item(p) is None)
                moved.update(line for p in gone for line in Lines(tree.read(p) or b"") if line)
        return frozenset(moved)

    def trees(self) -> dict[str, CommitTree]:
        """Return the commits that hold logged history, by their ids."""
        if self._trees is None:
            git, asked = self._git, self._comparison
            commits = () if git is None else (*asked.bases, *asked.published, *shared(git, asked.head))
            self._trees = {oid: CommitTree(git, oid, self._limit) for oid in commits if git}
        return self._trees
