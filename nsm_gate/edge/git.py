"""Ask git: the only subprocess of the gate.

Only commands that run nothing of the repository's own: no diff (textconv), no status. Names given by
people go to `cat-file --batch` on standard input, where they cannot become options; every other command
gets object ids. No command may fetch.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import IO

from nsm_gate.edge.trees import Item
from nsm_gate.errors import GateError
from nsm_gate.nouns import NamedTuple
from nsm_gate.whereabouts import HERE

_SAFE = ("--no-replace-objects", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")

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


def _content(pipe: IO[bytes], size: int, other: bytes | None) -> bytes | None:
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

    def __init__(self, root: str, environ: Mapping[str, str], shallow: bool, merge_head: str) -> None:
        """Use `discover`."""
        self.root = root
        self.shallow = shallow
        self._environ = dict(environ)
        self._merge_head = merge_head
        self._batch: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, dict[str, Item]] = {}
        self._index: dict[str, Item] | None = None
        self._tracked: dict[str, Item] | None = None

    def close(self) -> None:
        """End the helper process."""
        if self._batch is not None:
            if self._batch.stdin:
                self._batch.stdin.close()
            if self._batch.stdout:
                self._batch.stdout.close()
            self._batch.wait()
            self._batch = None

    def _run(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        return _git(args, self.root, self._environ)

    def _output(self, *args: str) -> bytes:
        done = self._run(*args)
        if done.returncode != 0:
            raise GateError(f"git {args[0]} failed: {_said(done.stderr)}", "", None)
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
            return self._object(name, limit)

    def _object(self, name: str, limit: int | None) -> Object | None:
        if self._batch is None:
            self._batch = subprocess.Popen(
                ["git", *_SAFE, "cat-file", "--batch"],
                cwd=self.root, env=self._environ,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        pipe_in, pipe_out = self._batch.stdin, self._batch.stdout
        if pipe_in is None or pipe_out is None:
            raise GateError("git cat-file has no pipes", "")
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
            self.close()
            raise GateError(f"{size:,} bytes, over the limit of {limit:,}", "raise limits.file")
        data = _content(pipe_out, size, other)
        pipe_out.read(1)
        return Object(parts[0].decode(), parts[1].decode(), size, data)

    def commit(self, name: str) -> str | None:
        """Return the object id of the commit that a revision names, or None."""
        try:
            found = self.object(f"{name}^{{commit}}")
        except GateError:
            # Some names are fatal to the helper rather than missing: @{upstream} where there is none.
            self.close()
            return None
        return found.oid if found else None

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
        done = self._run("merge-base", one, other)
        if done.returncode > 1:
            raise GateError(f"git merge-base failed: {_said(done.stderr)}")
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
                names = file.read(_MOST_HEADS).decode("ascii", "replace").split()
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
            for row in self._output("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
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
            head = self.commit("HEAD")
            committed = self.tree(head) if head else {}
            files = self.tracked()
            self._index = {p: i for p, i in files.items() if i.oid not in _EMPTY or p in committed}
        return self._index

    def tracked(self) -> dict[str, Item]:
        """Return every file that the index names, by path."""
        if self._tracked is None:
            files: dict[str, Item] = {}
            for row in self._output("ls-files", "-s", "-t", "-z").split(b"\0"):
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
            raise GateError(f"git config {name} failed: {_said(done.stderr)}")

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


def discover(cwd: str, environ: Mapping[str, str], *, needed: bool = True) -> Git | None:
    """Return the repository around a folder, or None outside of one.

    Args:
        cwd: The folder.
        environ: The environment's variables.
        needed: Whether a missing git is an error where there is a repository.

    Raises:
        GateError: There is a repository, but git is missing or refuses it.
    """
    env = {**environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    # A partial clone would fetch missing objects: allow no protocol at all.
    env |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    # Grafts would move the merge base past a rewrite.
    env["GIT_GRAFT_FILE"] = os.devnull
    # Not GIT_INDEX_FILE: git takes it from the root of the work tree, whatever the folder.
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        if env.get(name):
            env[name] = os.path.join(cwd, env[name])
    try:
        done = _git(
            ("rev-parse", "--show-toplevel", "--is-shallow-repository", "--git-path", "MERGE_HEAD"), cwd, env
        )
    except FileNotFoundError:
        if needed and repository_around(cwd):
            hint = "install git, or judge every line with --all"
            raise GateError("git is not installed, and the log's history is in git", hint) from None
        return None
    if done.returncode != 0:
        said = _said(done.stderr)
        if "not a git repository" in said and not env.get("GIT_DIR"):
            return None
        hint = ""
        if "dubious ownership" in said:
            hint = "if you trust it: git config --global --add safe.directory " + (
                repository_around(cwd) or cwd
            )
        elif "work tree" in said:
            hint = "run nsm-gate inside the work tree"
        raise GateError(f"git refuses this repository: {said}", hint)
    root, shallow, merge_head = os.fsdecode(done.stdout).rstrip("\n").split("\n")
    return Git(root, env, shallow == "true", os.path.join(cwd, merge_head))


def _git(args: tuple[str, ...], cwd: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    with HERE.busy(f"git {args[0]}"):
        return subprocess.run(
            ["git", *_SAFE, *args],
            cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip


def repository_around(cwd: str) -> str | None:
    """Return the folder around another one that looks like a repository, whatever git says of it."""
    folder = os.path.abspath(cwd)
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _said(stderr: bytes) -> str:
    rows = [row.strip() for row in stderr.decode("utf-8", "replace").split("\n") if row.strip()]
    return rows[0].removeprefix("fatal: ") if rows else "no reason given"


def _unreadable(name: str) -> GateError:
    hint = "in a partial clone, fetch it first: git fetch --refetch"
    return GateError(f"git cannot read {name}", hint)
