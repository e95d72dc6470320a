"""Which lines of a log are logged history: what git has of it, as a base or where others have it too."""

from __future__ import annotations

from collections.abc import Sequence

from nsm_gate.changes import compare
from nsm_gate.edge.bases import Comparison, shared
from nsm_gate.edge.files import CommitTree
from nsm_gate.edge.git import Git
from nsm_gate.jsonl import split


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
        self._trees: list[CommitTree] | None = None

    def __call__(self, path: str, lines: Sequence[bytes]) -> frozenset[int]:
        """Return the indices of the lines that are logged history.

        Args:
            path: The log.
            lines: Its lines now.
        """
        found = [split(tree.read(path) or b"")[0] for tree in self.trees()]
        kept = compare([base for base in found if base], (), lines).kept
        return frozenset(index for indices in kept for index in indices)

    def trees(self) -> list[CommitTree]:
        """Return the commits that hold logged history."""
        if self._trees is None:
            git, asked = self._git, self._comparison
            commits = () if git is None else (*asked.bases, *asked.published, *shared(git, asked.head))
            self._trees = [CommitTree(git, oid, self._limit) for oid in dict.fromkeys(commits) if git]
        return self._trees
