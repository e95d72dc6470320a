"""Ask git: the only subprocess of the gate.

Only commands that run nothing of the repository's own: no diff (textconv), no status. Names given by
people go to `cat-file --batch` on standard input, where they cannot become options; every other command
gets object ids. No command may fetch.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping

from nsm_gate.edge.trees import Item
from nsm_gate.errors import GateError
from nsm_gate.nouns import NamedTuple
from nsm_gate.whereabouts import HERE

_SAFE = ("--no-replace-objects", "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")


_MOST = 256 << 20
"""Bytes of a list that git may give: eleven objects can make a tree of ten thousand million files."""

_EMPTY = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
"""The empty blob, by SHA-1 and SHA-256."""


class Object(NamedTuple):
    """An object of the repository."""

    oid: str
    kind: str
    data: bytes


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
        code, data, said = _listed(args, self.root, self._environ)
        if len(data) > _MOST:
            hint = "a folder that names itself again and again does that: look at what was committed"
            raise GateError(f"git {args[0]} lists over {_MOST >> 20} MiB of names", hint)
        if code != 0:
            raise GateError(f"git {args[0]} failed: {_said(said)}", "", None)
        return data

    def object(self, name: str, limit: int | None = None) -> Object | None:
        """Return the object that a revision names, or None where there is none here."""
        if not name or any(c in name for c in "\0\n\r") or len(name) > 4096:
            return None
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
        data = pipe_out.read(size)
        pipe_out.read(1)
        return Object(parts[0].decode(), parts[1].decode(), data)

    def commit(self, name: str) -> str | None:
        """Return the object id of the commit that a revision names, or None."""
        try:
            found = self.object(f"{name}^{{commit}}")
        except GateError:
            # Some names are fatal to the helper rather than missing: @{upstream} where there is none.
            self.close()
            return None
        return found.oid if found else None

    def is_unborn(self) -> bool:
        """Return whether HEAD is a branch without a commit, and not a commit that cannot be read."""
        return self._run("rev-parse", "--verify", "--quiet", "HEAD").returncode != 0

    def parents(self, oid: str) -> list[str]:
        """Return the parents that the commit records, even where a shallow clone lacks them."""
        found = self.object(oid)
        head = found.data.split(b"\n\n", 1)[0] if found else b""
        return [row[7:].decode() for row in head.split(b"\n") if row.startswith(b"parent ")]

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
            with open(self._merge_head, encoding="ascii", errors="replace", opener=_at_once) as file:
                names = list(dict.fromkeys(file.read().split()))
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
    except OSError as error:
        if needed and _has_repository(cwd, env):
            hint = "install git, or judge every line with --all"
            missing = isinstance(error, FileNotFoundError)
            fact = "is not installed" if missing else f"cannot be run ({error.strerror})"
            raise GateError(f"git {fact}, and the log's history is in git", hint) from None
        return None
    if done.returncode != 0:
        said = _said(done.stderr)
        broken = _has_repository(cwd, env) if needed else None
        if "not a git repository" in said and not env.get("GIT_DIR") and not broken:
            return None
        hint = f"mend {broken}, or judge every line with --all" if broken else ""
        if "dubious ownership" in said:
            hint = "if you trust it: git config --global --add safe.directory " + (
                _has_repository(cwd, env) or cwd
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


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _listed(args: tuple[str, ...], cwd: str, env: Mapping[str, str]) -> tuple[int, bytes, bytes]:
    """Run git; return its exit code, its output, cut off behind `_MOST` bytes, and what it says."""
    said: list[bytes] = []
    with (
        HERE.busy(f"git {args[0]}"),
        subprocess.Popen(
            ["git", *_SAFE, *args], cwd=cwd, env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as running,
    ):  # fmt: skip
        output, errors = running.stdout, running.stderr
        if output is None or errors is None:
            raise GateError(f"git {args[0]} has no pipes", "")
        # Beside it, or a git with much to say would wait for a reader for ever.
        listener = threading.Thread(target=lambda: said.append(errors.read()))
        listener.start()
        data = output.read(_MOST + 1)
        if len(data) > _MOST:
            running.kill()
        listener.join()
    return running.returncode, data, said[0]


def _has_repository(cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the folder around `cwd` that git would look for a repository in, whatever state that is in."""
    ceilings = env.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    folder = os.path.abspath(cwd)
    while True:
        place = os.path.join(folder, ".git")
        if os.path.lexists(place) and not _is_empty_folder(place):  # which git passes over
            return folder
        parent = os.path.dirname(folder)
        if parent == folder or parent in ceilings:
            return None
        folder = parent


def _is_empty_folder(place: str) -> bool:
    try:
        return not os.listdir(place)
    except OSError:
        return False


def _said(stderr: bytes) -> str:
    rows = [row.strip() for row in stderr.decode("utf-8", "replace").split("\n") if row.strip()]
    at = next((n for n, row in enumerate(rows) if row.startswith(("fatal: ", "error: "))), 0)
    # What follows a colon stands on the next row.
    told = rows[at : at + 2 if rows[at].endswith(":") else at + 1] if rows else ["no reason given"]
    return " ".join(told).removeprefix("fatal: ").removeprefix("error: ")


def _unreadable(name: str) -> GateError:
    hint = "in a partial clone, fetch it first: git fetch --refetch"
    return GateError(f"git cannot read {name}", hint)
