"""Which logs there are, and their lines at base and head."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from nsm_gate.changes import Change, compare
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.files import CommitTree, IndexTree, WorkTree
from nsm_gate.edge.git import Git
from nsm_gate.edge.trees import REGULAR, SUBMODULE, SYMLINK, Item, Tree
from nsm_gate.errors import GateError
from nsm_gate.globs import matches
from nsm_gate.history import Book, LogInput
from nsm_gate.lines import Lines
from nsm_gate.policy import LogKind, Policy

_LFS = b"version https://git-lfs.github.com/spec/"
_UNCHANGED = Change((), (), (), ())


class Logs:
    """The logs of a comparison. Files are read when they are first needed."""

    def __init__(self, policy: Policy, comparison: Comparison, git: Git | None) -> None:
        """Keep what to read; read nothing yet."""
        self._policy = policy
        self._head = comparison.head
        self._comparison = comparison
        limit = policy.limits.file
        trees = (
            {c: CommitTree(git, c, limit) for c in (*comparison.bases, *comparison.published)} if git else {}
        )
        self._bases = [trees[commit] for commit in comparison.bases]
        self._published = [trees[commit] for commit in comparison.published]
        # Where every line is judged, a log that is tracked and gone from the disk is still a log.
        self._present: list[Tree] = [*self._published]
        if git is not None and not comparison.bases and isinstance(comparison.head, WorkTree):
            self._present = [IndexTree(git, limit)]
        self._lines: dict[tuple[int, str], Lines] = {}
        self._books: dict[str, Book] = {}
        self._kinds: dict[str, list[Book]] = {}
        self._named: list[str] = []
        self._new: dict[bytes, list[str]] | None = None

    def kind_of(self, path: str) -> LogKind | None:
        """Return the log kind that claims a path, or None."""
        if matches(path, self._policy.exclude) and not self._named_anyway(path):
            return None
        return next((kind for kind in self._policy.logs.values() if matches(path, kind.files)), None)

    def _named_anyway(self, path: str) -> bool:
        """Return whether the command line names an excluded file or folder: then it is meant."""
        return any(_within(path, (name,)) and matches(name, self._policy.exclude) for name in self._named)

    def select(self, paths: Sequence[str] | None) -> list[LogInput]:
        """Return the logs to judge.

        Args:
            paths: Files and folders from the root, or None for every log that the policy knows.

        Raises:
            GateError: A path is not there, or no log kind claims it.
        """
        self._named = [path for path in paths or () if path]
        inputs: dict[str, LogInput] = {}
        for path in self._candidates(paths):
            kind = self.kind_of(path)
            item = self._head.item(path) if kind is not None else None
            if kind is not None and item is not None:
                inputs[path] = self._input(path, item, kind)
        self._add_gone(inputs, paths)
        for path in paths or ():
            self._claimed(path, inputs)
        return list(inputs.values())

    def books_of(self, kind: str) -> Sequence[Book]:
        """Return every log of a kind, as the head has it."""
        if kind not in self._kinds:
            found = []
            for path in sorted(self._head.paths()):
                claimed = self.kind_of(path)
                if claimed is None or claimed.name != kind:
                    continue
                item = self._head.item(path)
                if item is not None and _fault(item, b"") is None:
                    found.append(self._book(path, claimed))
            # A log that was named on the command line may be one that git ignores.
            known = {book.path for book in found}
            found += [b for p, b in self._books.items() if b.kind.name == kind and p not in known]
            self._kinds[kind] = found
        return self._kinds[kind]

    # --- parts ----------------------------------------------------------------------------------

    def _candidates(self, paths: Sequence[str] | None) -> Iterable[str]:
        if paths is None:
            return self._head.paths()
        roots = frozenset(paths)
        # A log that is named may be one that git ignores: it counts all the same.
        return {path for path in self._head.paths() if _within(path, roots)} | roots

    def _claimed(self, path: str, inputs: Mapping[str, LogInput]) -> None:
        if path in inputs or any(_within(log, (path,)) for log in inputs):
            return
        trees: Iterable[Tree] = (self._head, *self._bases)
        if any(tree.item(path) is not None for tree in trees):
            globs = ", ".join(glob for kind in self._policy.logs.values() for glob in kind.files)
            hint = f"name it like {globs}, or add files: to a log kind"
            raise GateError("is not claimed by any log kind", hint, path)
        if path == "" or any(_within(other, (path,)) for tree in trees for other in tree.paths()):
            raise GateError("this folder holds no log", "name a log, or a folder that holds one", path or ".")
        raise GateError(
            f"no such file in {self._head.label}", "check the path; stage a new log with git add", path
        )

    def _input(self, path: str, item: Item, kind: LogKind) -> LogInput:
        data = self._read(self._head, path).data if _fault(item, b"") is None else b""
        fault = _fault(item, data[:200])
        base, merge = self._comparison.base, self._comparison.merge
        if fault is not None:
            return LogInput(self._empty(path, kind), base, merge, fault=fault)
        return LogInput(self._book(path, kind), base, merge)

    def _empty(self, path: str, kind: LogKind) -> Book:
        return Book(path, kind, (), True, _UNCHANGED, self._policy.limits.line)

    def _book(self, path: str, kind: LogKind) -> Book:
        if path not in self._books:
            lines = self._read(self._head, path)
            bases = [self._read_after(tree, path, lines) for tree in self._bases]
            published = [self._read_after(tree, path, lines) for tree in self._published]
            change = compare(bases, published, lines)
            self._books[path] = Book(path, kind, lines, lines.terminated, change, self._policy.limits.line)
        return self._books[path]

    def _read(self, tree: Tree, path: str) -> Lines:
        key = (id(tree), path)
        if key not in self._lines:
            self._lines[key] = Lines(tree.read(path) or b"")
        return self._lines[key]

    def _read_after(self, tree: CommitTree, path: str, head: Lines) -> Lines:
        """Return the lines of a commit: over the head's bytes, where the head only goes on from there."""
        key = (id(tree), path)
        if key not in self._lines:
            found = tree.compare(path, head.data)
            lines = head.first(found) if isinstance(found, int) else None
            if lines is None:
                lines = Lines(head.data[:found] if isinstance(found, int) else found)
            self._lines[key] = lines
        return self._lines[key]

    def _add_gone(self, inputs: dict[str, LogInput], paths: Sequence[str] | None) -> None:
        """Add the published logs that the head no longer has."""
        roots = None if paths is None else frozenset(paths)
        for tree in self._present:
            for path in tree.paths():
                kind = self.kind_of(path)
                if kind is None or path in inputs or (roots is not None and not _within(path, roots)):
                    continue
                lines = self._read(tree, path) if self._head.item(path) is None else ()
                if lines:
                    moved = self._moved(lines)
                    inputs[path] = LogInput(
                        self._empty(path, kind),
                        self._comparison.base,
                        self._comparison.merge,
                        len(lines),
                        moved,
                    )

    def _moved(self, lines: Sequence[bytes]) -> str | None:
        """Return the new log that holds all lines of one that is gone."""
        if self._new is None:
            self._new = {}
            before = {path for tree in self._bases for path in tree.paths()}
            for path in sorted(self._head.paths()):
                item = self._head.item(path) if path not in before and path.endswith(".jsonl") else None
                found = self._read(self._head, path) if item and _fault(item, b"") is None else ()
                if found:
                    self._new.setdefault(found[0], []).append(path)
        wanted = set(lines)
        for path in self._new.get(lines[0], ()):
            if wanted <= set(self._read(self._head, path)):
                return path
        return None


def _within(path: str, roots: Collection[str]) -> bool:
    """Return whether a path is one of the roots, or lies below one."""
    while path and path not in roots:
        path = path.rpartition("/")[0]
    return path in roots


def _fault(item: Item, start: bytes) -> tuple[str, str] | None:
    """Say why a file of a log's name is no file of lines."""
    if item.mode == SYMLINK:
        return "the log is a symbolic link", "commit the log itself: a link can point anywhere"
    if item.mode == SUBMODULE:
        return "the log is a submodule", "commit the log itself, as a file of this repository"
    if item.mode not in REGULAR:
        return "the log is not a regular file", "commit the log itself, as a file"
    if start.startswith(_LFS):
        hint = "take it out of Git LFS: the gate compares the lines that git stores"
        return "the log is a Git LFS pointer", hint
    return None


def relative(path: str, root: str, cwd: str) -> str | None:
    """Return a command-line path from the root, with forward slashes; None where it lies outside."""
    place = os.path.join(cwd, path)
    folder, name = os.path.split(os.path.abspath(place))
    place = os.path.join(os.path.realpath(folder), name)
    inside = os.path.relpath(place, os.path.realpath(root))
    if inside == os.curdir:
        return ""
    return None if inside.split(os.sep)[0] == os.pardir else inside.replace(os.sep, "/")
