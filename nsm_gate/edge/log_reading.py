"""Logs that are only read: which there are, and their lines, one after the other, never the whole file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence

from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.trees import REGULAR, SUBMODULE, SYMLINK, Item
from nsm_gate.errors import GateError
from nsm_gate.globs import matches
from nsm_gate.model import Line
from nsm_gate.nouns import BinaryIO, NamedTuple
from nsm_gate.policy import Limits, LogKind, Policy

_MENDS = {
    SYMLINK: ("the log is a symbolic link", "name the file itself: a link can point anywhere"),
    SUBMODULE: ("the log is a submodule", "go to its own repository"),
}


class LogFile(NamedTuple):
    """A log that is read.

    Attributes:
        path: From the root of the workspace.
        kind: Its log kind; None where no glob claims the file that is named.
    """

    path: str
    kind: LogKind | None


class Found(NamedTuple):
    """The logs that are read, and those that are not, each with the reason."""

    logs: Sequence[LogFile]
    skipped: Sequence[tuple[str, str]]


def find(
    work: WorkTree, policy: Policy, paths: Sequence[str] | None, wanted: Callable[[LogKind], bool]
) -> Found:
    """Return the logs of a work tree.

    Args:
        work: The files on disk.
        policy: Whose globs claim logs.
        paths: Files and folders, from the root; None for every log. A file that is named is read whatever
            its name, also where the policy excludes it.
        wanted: Which log kinds are looked for.

    Raises:
        GateError: A path is not there, holds no log, or is no regular file.
    """
    logs: dict[str, LogFile] = {}
    skipped: dict[str, str] = {}
    for root in [""] if paths is None else paths:
        item = work.item(root) if root else None
        if item is not None:
            fault = _fault(item)
            if fault is not None:
                raise GateError(*fault, root)
            logs[root] = LogFile(root, _claimed(root, policy))
            continue
        inside = [path for path in sorted(work.paths()) if not root or path.startswith(f"{root}/")]
        if paths is not None and root and not inside and not os.path.isdir(os.path.join(work.root, root)):
            raise GateError("no such file", "check the path", root)
        before = len(logs) + len(skipped)
        _claim(work, policy, inside, wanted, logs, skipped)
        if paths is not None and len(logs) + len(skipped) == before:
            globs = ", ".join(glob for kind in policy.logs.values() if wanted(kind) for glob in kind.files)
            raise GateError("this folder holds no log", f"logs are named {globs}", root or ".")
    return Found(list(logs.values()), list(skipped.items()))


def _claim(
    work: WorkTree,
    policy: Policy,
    paths: Iterable[str],
    wanted: Callable[[LogKind], bool],
    logs: dict[str, LogFile],
    skipped: dict[str, str],
) -> None:
    for path in paths:
        kind = None if matches(path, policy.exclude) else _claimed(path, policy)
        item = work.item(path) if kind is not None and wanted(kind) else None
        if kind is None or item is None or path in logs:
            continue
        fault = _fault(item)
        if fault is None:
            logs[path] = LogFile(path, kind)
        else:
            skipped[path] = fault[0]


def _claimed(path: str, policy: Policy) -> LogKind | None:
    return next((kind for kind in policy.logs.values() if matches(path, kind.files)), None)


def _fault(item: Item) -> tuple[str, str] | None:
    if item.mode in REGULAR:
        return None
    return _MENDS.get(item.mode, ("the log is not a regular file", "give - to read standard input"))


def lines_of(work: WorkTree, path: str, limits: Limits) -> Iterator[Line]:
    """Yield the physical lines of a log on disk.

    Raises:
        GateError: It cannot be read, or is over the limit.
    """
    place = os.path.join(work.root, path)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(place, flags)
    except FileNotFoundError:
        # Outside of a sparse checkout: git has it.
        work.limit = limits.file
        yield from _cut(work.read(path) or b"")
        return
    except OSError as error:
        raise GateError(f"cannot be read: {error.strerror}", "", path) from None
    with os.fdopen(handle, "rb", buffering=1 << 18) as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            raise GateError("not a regular file", "name a log file", path)
        if info.st_size > limits.file:
            fact = f"{info.st_size:,} bytes, over the limit of {limits.file:,}"
            raise GateError(fact, "raise limits.file in nsm-gate.yaml", path)
        try:
            yield from stream(file, limits)
        except OSError as error:
            raise GateError(f"cannot be read: {error.strerror}", "", path) from None


def stream(file: BinaryIO, limits: Limits) -> Iterator[Line]:
    """Yield the physical lines of an open file. Of one that is over the limit, only the beginning is kept."""
    number = 0
    while raw := file.readline(limits.line + 2):
        number += 1
        if raw.endswith(b"\n"):
            yield Line(number, raw[:-1])
            continue
        rest = raw
        while len(rest) == limits.line + 2 and not rest.endswith(b"\n"):
            rest = file.readline(limits.line + 2)
        yield Line(number, raw, rest.endswith(b"\n"))


def _cut(data: bytes) -> Iterator[Line]:
    *lines, last = data.split(b"\n")
    for number, raw in enumerate(lines, 1):
        yield Line(number, raw)
    if last:
        yield Line(len(lines) + 1, last, terminated=False)
