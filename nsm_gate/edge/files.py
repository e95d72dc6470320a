"""Files as trees: a commit, the index, the work tree. Reads bytes, follows no links."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator

from nsm_gate.edge.git import Git, Object
from nsm_gate.edge.trees import REGULAR, SUBMODULE, SYMLINK, Item
from nsm_gate.errors import GateError

_BATCH = 1 << 16
_SKIPPED = {".git", ".hg", ".venv", "node_modules", "__pycache__"}


class CommitTree:
    """The files of a commit."""

    def __init__(self, git: Git, commit: str, limit: int | None = None) -> None:
        """Read from `commit`, files of at most `limit` bytes."""
        self.label = commit[:7]
        self._git = git
        self._commit = commit
        self.limit = limit

    def paths(self) -> Collection[str]:
        """Return the path of every file of the commit."""
        return self._git.tree(self._commit).keys()

    def item(self, path: str) -> Item | None:
        """Return one file of the commit."""
        return self._git.tree(self._commit).get(path)

    def read(self, path: str) -> bytes | None:
        """Return a regular file's content."""
        return _blob(self._git, path, self.item(path), self.limit)

    def compare(self, path: str, other: bytes) -> int | bytes:
        """Return the size of a file that another content begins with, else the file's content.

        Whatever the size, the file is not held in memory beside a content that begins with it.
        """
        item = self.item(path)
        if item is None or item.mode not in REGULAR or item.oid is None:
            return 0
        found = _of_git(self._git, path, item.oid, self.limit, other)
        return found.data if found.data is not None else found.size


class IndexTree:
    """What is staged."""

    label = "the index"

    def __init__(self, git: Git, limit: int | None = None) -> None:
        """Read from the index, files of at most `limit` bytes."""
        self._git = git
        self.limit = limit

    def paths(self) -> Collection[str]:
        """Return the path of every staged file."""
        return self._git.index().keys()

    def item(self, path: str) -> Item | None:
        """Return one staged file."""
        return self._git.index().get(path)

    def read(self, path: str) -> bytes | None:
        """Return a staged file's content."""
        item = self.item(path)
        if item is not None and item.oid is None:
            raise GateError("the file is in conflict", "resolve it and stage it with git add", path)
        return _blob(self._git, path, item, self.limit)


class WorkTree:
    """The files on disk: those that git tracks or would track; outside git, all."""

    label = "the work tree"

    def __init__(self, root: str, git: Git | None, limit: int | None = None) -> None:
        """Read below `root`, files of at most `limit` bytes."""
        self.root = root
        self._git = git
        self.limit = limit
        self._paths: set[str] | None = None
        self._linked: dict[str, bool] = {}

    def paths(self) -> Collection[str]:
        """Return the path of every file that may be there: one that is tracked may be deleted."""
        if self._paths is None:
            git = self._git
            self._paths = {*git.tracked(), *git.untracked()} if git else set(_walk(self.root))
        return self._paths

    def item(self, path: str) -> Item | None:
        """Return one file as git would see it, or None where there is none."""
        tracked = self._git.tracked().get(path) if self._git else None
        if tracked is not None and tracked.mode == SUBMODULE:
            return tracked
        try:
            info = os.lstat(os.path.join(self.root, path))
        except (OSError, ValueError):
            # Outside of a sparse checkout a file is not on disk, and not deleted.
            return tracked if tracked is not None and tracked.sparse else None
        if stat.S_ISLNK(info.st_mode) or self._through_link(path):
            return Item(SYMLINK)
        if stat.S_ISDIR(info.st_mode):
            return None
        mode = REGULAR[bool(info.st_mode & 0o100)] if stat.S_ISREG(info.st_mode) else "000000"
        return Item(mode)

    def _through_link(self, path: str) -> bool:
        """Return whether a folder on the way to a file is a link, which git would not follow."""
        folder = path.rpartition("/")[0]
        if folder not in self._linked:
            root = os.path.realpath(self.root)
            self._linked[folder] = os.path.realpath(os.path.join(root, folder)) != os.path.join(
                root, folder
            ).rstrip("/")
        return self._linked[folder]

    def read(self, path: str) -> bytes | None:
        """Return a file's content as git would store it."""
        item = self.item(path)
        if item is None or item.mode not in REGULAR:
            return None
        git = self._git
        if git is not None and item.sparse:
            return _blob(git, path, item, self.limit)
        data = read_file(os.path.join(self.root, path), path, self.limit)
        if git is not None and b"\r\n" in data and git.strips_carriage_returns(path):
            return data.replace(b"\r\n", b"\n")
        return data


def read_file(
    place: str, path: str, limit: int | None, remedy: str = "raise limits.file in nsm-gate.yaml"
) -> bytes:
    """Return the bytes of a regular file, without following a link; GateError says why not.

    Args:
        place: Where it lies.
        path: How it is shown.
        limit: Bytes that it may have.
        remedy: What to do where it has more.
    """
    try:
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode):
                raise GateError("not a regular file", "name a log file", path)
            if limit is not None and info.st_size > limit:
                fact = f"{info.st_size:,} bytes, over the limit of {limit:,}"
                raise GateError(fact, remedy, path)
            # One byte more than it had: a file that grows is not cut where it had its end.
            return file.read() if limit is None else file.read(min(limit, info.st_size) + 1)
    except OSError as error:
        raise GateError(f"cannot be read: {error.strerror}", "", path) from None


def is_report(place: str) -> bool:
    """Return whether a place holds a JSON report that the gate wrote, or is free and named *.json."""
    try:
        info = os.lstat(place)
        if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
            return False
        with open(place, "rb") as file:
            return file.read(16).startswith((b'{\n "version": 1', b'{\n "error": '))
    except FileNotFoundError:
        return place.endswith(".json")
    except OSError:
        return False


def write_file(place: str, content: str) -> None:
    """Write text as UTF-8; OSError where that fails."""
    write_chunks(place, (content,))


def write_chunks(place: str, content: Iterable[str]) -> None:
    """Write pieces of text as UTF-8; OSError where that fails, and then a file is left empty."""
    # A named pipe that nobody reads would hold the open for ever.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(place, flags, 0o666)
    if hasattr(os, "set_blocking"):
        os.set_blocking(handle, True)
    try:
        for data in _batches(content):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
    except OSError:
        # Half a report must not pass for a whole one. A pipe cannot be cut.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
        raise
    finally:
        os.close(handle)


def _batches(content: Iterable[str]) -> Iterator[bytes]:
    """Yield text as UTF-8, small pieces together."""
    batch, size = [], 0
    for piece in content:
        batch.append(piece.encode("utf-8", "backslashreplace"))
        size += len(batch[-1])
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)


def _blob(git: Git, path: str, item: Item | None, limit: int | None) -> bytes | None:
    if item is None or item.mode not in REGULAR or item.oid is None:
        return None
    return _of_git(git, path, item.oid, limit, None).data


def _of_git(git: Git, path: str, oid: str, limit: int | None, other: bytes | None) -> Object:
    try:
        found = git.object(oid, limit, other)
    except GateError as error:
        raise GateError(error.message, error.hint, path) from None
    if found is None:
        raise GateError("git lacks the content of this file", "in a partial clone, fetch it first", path)
    return found


def _walk(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
