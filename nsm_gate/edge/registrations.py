"""Since when the history of the rules holds a criterion, as it judges now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from nsm_gate.checks.check import Registration
from nsm_gate.edge.files import CommitTree
from nsm_gate.edge.git import Git
from nsm_gate.edge.trees import Files, Tree
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.policy import Policy
from nsm_gate.rule_changes import pieces

_RULES = (":(glob)**/*.yaml", ":(glob)**/*.yml", ":(glob)**/pyproject.toml")


class Registrations:
    """Dates criteria by the first-parent line of a commit, where a merged branch counts from its merge."""

    def __init__(self, git: Git, read: Callable[[Tree], Policy], start: str = "HEAD") -> None:
        """Keep the way to the rules of a commit; nothing is read yet.

        Args:
            git: The repository.
            read: Returns the policy of a tree.
            start: The commit that the line begins at.
        """
        self._git = git
        self._read = read
        self._start = start
        self._commits: list[tuple[str, int]] | None = None
        self._laws: dict[str, frozenset[str]] = {}

    def __call__(self, law: str) -> Registration:
        """Return since when every commit holds a criterion's canonical text."""
        if self._commits is None:
            head = self._git.commit(self._start)
            self._commits = self._git.first_parents(head, *_RULES) if head else []
        found: tuple[str, int] | None = None
        for commit, time in self._commits:
            if law not in self._at(commit):
                return Registration(found[0][:7], _date(found[1])) if found else Registration("", None)
            found = (commit, time)
        if law in self._at(""):
            return Registration("", None, always=True)
        if found is None:
            return Registration("", None)
        return Registration(found[0][:7], _date(found[1]), certain=not self._git.shallow)

    def _at(self, commit: str) -> frozenset[str]:
        """Return the laws that a commit's rules hold; those of the pack alone for no commit."""
        if commit not in self._laws:
            tree: Tree = CommitTree(self._git, commit) if commit else Files({})
            try:
                held = list(pieces(self._read(tree)).values())
            except (GateError, GateErrors):
                held = []  # rules that do not load judge nothing
            self._laws[commit] = frozenset(piece.law for piece in held if piece.criterion is not None)
        return self._laws[commit]


def _date(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
