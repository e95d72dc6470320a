"""Ask git. `edge.git_process` starts it, `edge.discovery` finds the repository.

Only commands that run nothing of the repository's own: no diff (textconv), no status. Names given by
people go to `cat-file --batch` on standard input, where they cannot become options; every other command
gets object ids. No command may fetch.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from nsm_gate.edge.git_process import MOST, Command, Done, Talk, run, said
from nsm_gate.edge.trees import Item
from nsm_gate.errors import GateError
from nsm_gate.nouns import BinaryIO, NamedTuple
from nsm_gate.whereabouts import HERE

BATCH = ("cat-file", "--batch")
TREE = ("ls-tree", "-r", "-z", "--full-tree")
INDEX = ("ls-files", "-s", "-t", "-z")
_MOST_HEADS = 1 << 16  # bytes of MERGE_HEAD: a thousand commits
_EMPTY = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""The empty blob, by SHA-1 and SHA-256."""


class Object(NamedTuple):
    """An object of the repository.

    Attributes:
        size: Of its content, in bytes.
        data: Its content; None where it was compared with another content, which begins with it.
    """

    oid: str
    kind: str
    size: int
    data: bytes | None


_CHUNK = 1 << 20
_HASHED = 1 << 20
"""Bytes from which hashing a content is so much quicker than having git unpack it that it pays to try."""


def _names(oid: str, size: int, other: bytes) -> bool:
    """Return whether an object id is that of another content's first bytes, as git itself would give it.

    Then git need not unpack what is at hand already. Whoever could make two contents of one id would deceive
    git before the gate: it stores one of them alone.
    """
    import hashlib  # only a long log is worth the import

    try:
        sum_ = hashlib.new("sha1" if len(oid) == 40 else "sha256", usedforsecurity=False)
    except ValueError:
        return False  # the machine forbids it
    sum_.update(b"blob %d\0" % size)
    sum_.update(memoryview(other)[:size])
    return sum_.hexdigest() == oid


def _content(pipe: BinaryIO, size: int, other: bytes | None) -> bytes | None:
    """Return what a pipe gives; None where another content begins with it."""
    if other is None or size > len(other):
        return pipe.read(size)
    known = memoryview(other)
    at = 0
    while at < size:
        part = pipe.read(min(_CHUNK, size - at))
        if known[at : at + len(part)] != part or not part:
            return other[:at] + part + pipe.read(size - at - len(part))
        at += len(part)
    return None


class Git:
    """A repository with a work tree."""

    def __init__(
        self,
        root: str,
        environ: Mapping[str, str],
        shallow: bool,
        merge_head: str,
        upstream: str = "",
        begun: Mapping[tuple[str, ...], Command] | None = None,
        batch: Talk | None = None,
    ) -> None:
        """Use `discovery.discover`.

        Args:
            root: The root of the work tree.
            environ: The environment of every git command.
            shallow: Whether history is cut off.
            merge_head: The file that names what an unfinished merge brings in.
            upstream: The full name of the upstream of the current branch; empty where it has none.
            begun: Commands that run already, below the root.
            batch: `cat-file --batch`, where it runs already.
        """
        self.root = root
        self.shallow = shallow
        self._environ = dict(environ)
        self._merge_head = merge_head
        self._upstream = upstream
        self._begun = dict(begun or {})
        self._batch = batch
        self._commits: dict[str, str | None] = {}
        self._trees: dict[str, dict[str, Item]] = {}
        self._index: dict[str, Item] | None = None
        self._tracked: dict[str, Item] | None = None

    def close(self) -> None:
        """End the processes that still run."""
        self._hang_up()
        for command in self._begun.values():
            command.drop()
        self._begun.clear()

    def _hang_up(self) -> None:
        if self._batch is not None:
            self._batch.end()
            self._batch = None

    def _begin(self, *args: str) -> None:
        """Start a command whose answer will be wanted."""
        if args not in self._begun:
            self._begun[args] = Command(args, self.root, self._environ)

    def _run(self, *args: str) -> Done:
        begun = self._begun.pop(args, None)
        return begun.done() if begun is not None else run(args, self.root, self._environ)

    def _output(self, *args: str) -> bytes:
        done = self._run(*args)
        if len(done.stdout) > MOST:
            hint = "a folder that names itself again and again does that: look at what was committed"
            raise GateError(f"git {args[0]} lists over {MOST >> 20} MiB of names", hint)
        if done.returncode != 0:
            raise GateError(f"git {args[0]} failed: {said(done.stderr)}", "", None)
        return done.stdout

    def object(self, name: str, limit: int | None = None, other: bytes | None = None) -> Object | None:
        """Return the object that a revision names, or None where there is none here.

        Args:
            name: The revision.
            limit: Bytes over which it is refused with a GateError.
            other: A content that may begin with the object's: then it is not kept beside it.
        """
        if not name or any(c in name for c in "\0\n\r") or len(name) > 4096:
            return None
        with HERE.busy("git cat-file"):
            return self._object(name, limit, other)

    def _object(self, name: str, limit: int | None, other: bytes | None) -> Object | None:
        if self._batch is None:
            self._batch = Talk(BATCH, self.root, self._environ)
        pipe_in, pipe_out = self._batch.stdin, self._batch.stdout
        try:
            pipe_in.write(os.fsencode(name) + b"\n")
            pipe_in.flush()
        except BrokenPipeError:
            raise _unreadable(name) from None
        header = pipe_out.readline().rstrip(b"\n")
        if header.endswith((b" missing", b" ambiguous")):
            return None
        parts = header.split(b" ")
        if len(parts) != 3:
            raise _unreadable(name)
        size = int(parts[2])
        if limit is not None and size > limit:
            self._batch.kill()
            self._hang_up()
            raise GateError(f"{size:,} bytes, over the limit of {limit:,}", "raise limits.file")
        if other is not None and _HASHED <= size <= len(other) and _names(parts[0].decode(), size, other):
            self._batch.kill()  # it is about to write what is known
            self._hang_up()
            return Object(parts[0].decode(), parts[1].decode(), size, None)
        data = _content(pipe_out, size, other)
        if pipe_out.read(1) != b"\n":
            raise _unreadable(name)  # it was killed, and what is missing was not deleted
        return Object(parts[0].decode(), parts[1].decode(), size, data)

    def commit(self, name: str) -> str | None:
        """Return the object id of the commit that a revision names, or None."""
        if name not in self._commits:
            try:
                found = self.object(f"{name}^{{commit}}")
            except GateError:
                # Some names are fatal to the helper rather than missing: x@{upstream} where there is none.
                self._hang_up()
                found = None
            self._commits[name] = found.oid if found else None
        return self._commits[name]

    def upstream(self) -> str | None:
        """Return the commit of the upstream of the current branch, or None where it has none."""
        return self.commit(self._upstream) if self._upstream else None

    def is_unborn(self) -> bool:
        """Return whether HEAD is a branch without a commit, and not a commit that cannot be read."""
        return self._run("rev-parse", "--verify", "--quiet", "HEAD").returncode != 0

    def parents(self, oid: str) -> list[str]:
        """Return the parents that the commit records, even where a shallow clone lacks them."""
        found = self.object(oid)
        head = found.data.split(b"\n\n", 1)[0] if found and found.data else b""
        return [row[7:].decode() for row in head.split(b"\n") if row.startswith(b"parent ")]

    def position(self) -> tuple[str | None, str | None]:
        """Return the branch that is checked out and its commit, short; None for what there is not."""
        done = self._run("rev-parse", "--symbolic-full-name", "HEAD")
        name = os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""
        done = self._run("rev-parse", "--verify", "--quiet", "--short=7", "HEAD")
        commit = done.stdout.decode().strip() if done.returncode == 0 else ""
        branch = name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else None
        return branch, commit or None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, or None."""
        if one == other:
            return one
        done = self._run("merge-base", one, other)
        if done.returncode > 1:
            raise GateError(f"git merge-base failed: {said(done.stderr)}")
        return done.stdout.decode().strip() or None

    def joins_branches(self, base: str, head: str) -> bool:
        """Return whether a merge commit lies between base and head."""
        return bool(self._output("rev-list", "--min-parents=2", "--max-count=1", head, f"^{base}"))

    def merge_heads(self) -> list[str]:
        """Return the commits that an unfinished merge brings in.

        MERGE_HEAD names them, but git writes it only after the pre-merge-commit hook; there, git merge
        tells its hooks by a variable GITHEAD_<commit> for each.
        """
        names: list[str] = []
        try:
            # A pipe in its place would hold the open for ever.
            with os.fdopen(
                os.open(self._merge_head, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb"
            ) as file:
                names = list(dict.fromkeys(file.read(_MOST_HEADS).decode("ascii", "replace").split()))
        except OSError:
            pass
        if not names:
            names = [key[8:] for key in self._environ if key.startswith("GITHEAD_")]
        found = [self.commit(name) for name in names]
        head = self.commit("HEAD")
        return [oid for oid in found if oid and oid != head and head and self.merge_base(oid, head) != oid]

    def first_parents(self, commit: str, *paths: str) -> list[tuple[str, int]]:
        """Return the commits on the first-parent line that changed some paths, newest first.

        Args:
            commit: Where the line begins.
            paths: Pathspecs.

        Returns:
            Object id and committer time, in seconds since 1970.
        """
        rows = self._output("rev-list", "--first-parent", "--timestamp", commit, "--", *paths).split(b"\n")
        pairs = [row.split(b" ") for row in rows if row]
        return [(oid.decode(), int(time)) for time, oid in pairs]

    def tree(self, commit: str) -> dict[str, Item]:
        """Return the files of a commit by path."""
        if commit not in self._trees:
            files: dict[str, Item] = {}
            for row in self._output(*TREE, commit).split(b"\0"):
                if row:
                    meta, _, path = row.partition(b"\t")
                    mode, _, oid = meta.split(b" ")
                    files[os.fsdecode(path)] = Item(mode.decode(), oid.decode())
            self._trees[commit] = files
        return self._trees[commit]

    def index(self) -> dict[str, Item]:
        """Return the files of the index by path. A conflicted path has no object id.

        An empty file that is no part of HEAD is left out: `git add --intent-to-add` lists one for a file
        of which nothing is staged, and an empty new log has no line to judge.
        """
        if self._index is None:
            self._begin(*INDEX)
            head = self.commit("HEAD")
            if head:
                self._begin(*TREE, head)
            committed = self.tree(head) if head else {}
            files = self.tracked()
            self._index = {p: i for p, i in files.items() if i.oid not in _EMPTY or p in committed}
        return self._index

    def tracked(self) -> dict[str, Item]:
        """Return every file that the index names, by path."""
        if self._tracked is None:
            files: dict[str, Item] = {}
            for row in self._output(*INDEX).split(b"\0"):
                if row:
                    meta, _, path = row.partition(b"\t")
                    tag, mode, oid, stage = meta.split(b" ")
                    name = oid.decode() if stage == b"0" else None
                    files[os.fsdecode(path)] = Item(mode.decode(), name, sparse=tag == b"S")
            self._tracked = files
        return self._tracked

    def untracked(self) -> list[str]:
        """Return the files that git neither tracks nor ignores."""
        rows = self._output("ls-files", "-o", "-z", "--exclude-standard").split(b"\0")
        return [os.fsdecode(row) for row in rows if row]

    def setting(self, name: str) -> str | None:
        """Return what this clone's own configuration sets, or None."""
        done = self._run("config", "--local", "--get", name)
        return None if done.returncode else os.fsdecode(done.stdout).rstrip("\n")

    def set(self, name: str, value: str) -> None:
        """Set a value in this clone's own configuration; GateError where git refuses."""
        done = self._run("config", "--local", name, value)
        if done.returncode:
            raise GateError(f"git config {name} failed: {said(done.stderr)}")

    def strips_carriage_returns(self, path: str) -> bool:
        """Return whether git turns CRLF into a newline when it stores this file."""
        row = self._output("ls-files", "--eol", "-c", "-o", "-z", "--", f":(literal){path}").split(b"\0")[0]
        stored = row.split(b" ")[0]
        attributes = row.partition(b"attr/")[2].partition(b"\t")[0].split()
        if b"-text" in attributes or b"binary" in attributes:
            return False
        if b"text" in attributes or (
            b"text=auto" not in attributes and any(a[:4] == b"eol=" for a in attributes)
        ):
            return True
        # Where git only guesses, it leaves a file alone that it already stores with CRLF.
        if stored in (b"i/crlf", b"i/mixed"):
            return False
        if attributes:
            return b"text=auto" in attributes
        done = self._run("config", "--get", "core.autocrlf")
        return done.stdout.strip().lower() in (b"true", b"input")


def _unreadable(name: str) -> GateError:
    hint = "in a partial clone, fetch it first: git fetch --refetch"
    return GateError(f"git cannot read {name}", hint)
