"""Append entries to a log: what the command and the Python API share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from nsm_gate.commands.kinds import kind_at
from nsm_gate.commands.next_lines import Asked, NextLines
from nsm_gate.commands.ruling import ruling
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.edge.appending import Target, append_lines, whole_lines
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.discovery import repository_around
from nsm_gate.edge.durable import REFUSED, set_aside
from nsm_gate.edge.files import read_file
from nsm_gate.edge.locks import Patience, locked_folder
from nsm_gate.edge.trees import SUBMODULE
from nsm_gate.entries import Appended, Draft, Text, draft_of, drafts_of
from nsm_gate.errors import GateError
from nsm_gate.jsonable import dumped, jsonable
from nsm_gate.lines import Lines
from nsm_gate.policy import LogKind, Policy


def appended(asked: Asked, world: Surroundings) -> Appended:
    """Judge entries, and append them where nothing speaks against it.

    Raises:
        GateError: The log cannot be found, opened, locked, read or written; it is then as it was.
        GateErrors: The rules cannot be read.
    """
    with _space(asked, world) as (space, path):
        _refuse_absent(space, path)
        nothing = Comparison(space.work, (), (), "none", "append")
        policy, governance = ruling(space, nothing, "head", asked.config, world)
        kind = _kind(policy, path)
        world.watch.tell(seconds=policy.limits.seconds, at=path)
        drafts = _drafts(asked.given, kind, policy)
        if not drafts:
            raise GateError("no entry was given", "give one JSON object, or JSON Lines", path)
        work = NextLines(asked, world, space, path, policy, governance, kind, drafts)
        if asked.dry:
            work.decide(_lines(os.path.join(space.root, path), policy))
            return work.result()
        patience = Patience(asked.patience, world.watch.tell)
        limits = policy.limits
        target = Target(os.path.join(space.root, path), path, limits.file, limits.line)
        # The keys of a log kind are unique across its files, so one writer at a time, whatever its log.
        with locked_folder(space.root, path, patience):
            done = append_lines(target, work.decide, patience)
        torn = done.torn and os.path.relpath(done.torn, space.root).replace(os.sep, "/")
        return work.result()._replace(torn=torn or None, finished=done.finished)


def kind_of(asked: Asked, world: Surroundings) -> LogKind:
    """Return the log kind of a log; GateError and GateErrors as `appended`."""
    with _space(asked, world) as (space, path):
        return _kind(space.policy(space.work, asked.config), path)


def keep(asked: Asked, world: Surroundings, entry: object) -> str | None:
    """Keep an entry that did not come to its log, in a file beside it or, failing that, a temporary one.

    Returns:
        Where; None where it cannot be kept.
    """
    place = os.path.join(world.cwd, asked.log)
    for log in (place, os.path.join(tempfile.gettempdir(), os.path.basename(place))):
        with suppress(OSError):
            return set_aside(log, REFUSED, dumped(jsonable(entry)[0]))
    return None


def _kind(policy: Policy, path: str) -> LogKind:
    kind = kind_at(policy, path)
    if kind is None:
        globs = ", ".join(glob for known in policy.logs.values() for glob in known.files)
        raise GateError(
            "is not claimed by any log kind", f"name it like {globs}, or add files: to a log kind", path
        )
    return kind


# --- the log and the entries --------------------------------------------------------------------------


@contextmanager
def _space(asked: Asked, world: Surroundings) -> Iterator[tuple[Workspace, str]]:
    """Open the workspace around a log, and yield it with the log's path from its root."""
    if os.path.dirname(world.cwd) == world.cwd and asked.config is None:
        # The root of the file system is no project: its other logs are not this log's.
        place = os.path.join(world.cwd, asked.log)
        world = world._replace(cwd=os.path.dirname(os.path.abspath(place)))
        asked = asked._replace(log=place)
    folder = os.path.dirname(os.path.join(world.cwd, asked.log))
    if asked.log and not os.path.isdir(folder):
        raise GateError("its folder does not exist", "create the folder first", asked.log)
    if os.path.isdir(os.path.join(world.cwd, asked.log)):
        raise GateError("is a folder", "name the log in it", asked.log or None)
    with opened(world, [asked.log]) as space:
        if space.git is None and asked.config is None and repository_around(folder, world.environ):
            hint = "install git, or name the configuration with --config"
            raise GateError("git is not installed, and this is a repository", hint, asked.log)
        yield space, (space.paths or [asked.log])[0]


def _refuse_absent(space: Workspace, path: str) -> None:
    """Refuse a log that git has, and the disk has not: what it holds would be lost."""
    tracked = space.git.tracked().get(path) if space.git is not None else None
    if tracked is None or os.path.lexists(os.path.join(space.root, path)):
        return
    if tracked.mode == SUBMODULE:
        raise GateError("the log is a submodule", "name a log of this repository", path)
    if tracked.sparse:
        hint = f"check its folder out first: git sparse-checkout add {os.path.dirname(path) or '.'}"
        raise GateError("the log is left out of this sparse checkout", hint, path)
    raise GateError("the log is deleted, but git has it", f"restore it first: git restore -- {path}", path)


def _drafts(given: Sequence[object], kind: LogKind, policy: Policy) -> list[Draft]:
    found: list[Draft] = []
    for value in given:
        found += drafts_of(value, policy.limits.line) if isinstance(value, Text) else [draft_of(value, kind)]
    return found


def _lines(place: str, policy: Policy) -> Lines:
    """Return the whole lines of a log that is only looked at."""
    if not os.path.lexists(place):
        return Lines(b"")
    return whole_lines(read_file(place, place, policy.limits.file), policy.limits.line)
