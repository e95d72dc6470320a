"""Mend the logs of the work tree: what `nsm-gate fix` and `nsm-gate check --fix` do."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Collection, Mapping

from nsm_gate.commands.progress import Progress
from nsm_gate.commands.ruling import ruling
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.edge.bases import Comparison, resolve
from nsm_gate.edge.files import IndexTree, read_file
from nsm_gate.edge.locks import Patience
from nsm_gate.edge.logged import Logged
from nsm_gate.edge.logs import Logs
from nsm_gate.edge.patched import Patched
from nsm_gate.edge.rewriting import rewrite
from nsm_gate.engine import Task, run
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.fixable import Fixable, with_fixes
from nsm_gate.mending import Judged, Mended, MendedLog, Wish, mend
from nsm_gate.nouns import NamedTuple
from nsm_gate.render.diff import render as render_diff
from nsm_gate.render.style import Style

_PATIENCE = 60.0
"""Seconds that a lock is waited for where nobody says how long."""


class Outcome(NamedTuple):
    """What became of the logs on the disk.

    Attributes:
        written: The logs that were changed.
        stage: What has to be staged, as a shell takes it, and whether only a part of it was staged before.
        errors: Why others could not be changed.
    """

    mended: Mended
    written: tuple[str, ...]
    stage: tuple[tuple[str, bool], ...] = ()
    errors: tuple[GateError, ...] = ()


def fix(args: argparse.Namespace, world: Surroundings, rules: Collection[str], wish: Wish) -> Outcome:
    """Mend the logs that the command line means; with `--diff`, in memory only.

    Args:
        args: The command line, of `fix` or of `check`.
        world: Where the command runs.
        rules: The rules that report.
        wish: Which fixes are asked for.

    Raises:
        GateError: Nothing tells which lines are new, or something named is no file of lines.
    """
    with opened(world, args.paths, needs_git=not args.all) as space:
        mended = _mended(args, world, space, rules, wish)
        if args.diff:
            return Outcome(mended, tuple(mended.logs))
        divided = _divided(space, mended.logs)
        written: list[str] = []
        errors: list[GateError] = []
        patience = Patience(getattr(args, "lock_timeout", _PATIENCE), world.watch.tell)
        for path, log in mended.logs.items():
            world.watch.tell(at=path)
            error = _write(space, path, log, patience)
            errors += [error] if error is not None else []
            written += [path] if error is None else []
        shown = {path: os.path.relpath(os.path.join(space.root, path), world.cwd) for path in written}
        git = space.git is not None
        stage = [(shlex.quote(shown[path]), path in divided) for path in sorted(written) if git]
    return Outcome(mended, tuple(written), tuple(stage), tuple(errors))


def compared(args: argparse.Namespace, world: Surroundings, space: Workspace) -> Comparison:
    """Return what is new in the work tree: what a fix may change is there, whatever is staged.

    Raises:
        GateError: Nothing tells which lines are new.
    """
    if space.git is None and not args.all and not args.base and not getattr(args, "staged", False):
        hint = "--all fixes every line"
        raise GateError("outside git nothing tells which lines are logged history", hint)
    if space.git is not None and args.all:
        hint = "leave --all out: the lines that are new are fixed"
        raise GateError("lines that are logged history are never fixed, and git tells which are", hint)
    staged = getattr(args, "staged", False)
    found = resolve(space.git, space.work, world.environ, every_line=args.all, staged=staged, base=args.base)
    return found._replace(head=space.work)


def _mended(
    args: argparse.Namespace, world: Surroundings, space: Workspace, rules: Collection[str], wish: Wish
) -> Mended:
    comparison = compared(args, world, space)
    policy, governance = ruling(space, comparison, getattr(args, "rules_from", None), args.config, world)
    space.work.limit = policy.limits.file
    world.watch.tell(seconds=policy.limits.seconds)
    logged = Logged(space.git, comparison, policy.limits.file)
    with Progress(world) as progress:

        def judge(content: Mapping[str, bytes]) -> Judged:
            head = Patched(space.work, content)
            logs = Logs(policy, comparison._replace(head=head), space.git)
            inputs = logs.select(space.paths)
            faults = [GateError(*log.fault, log.book.path) for log in inputs if log.fault is not None]
            if faults:
                raise GateErrors(tuple(faults))
            task = Task(
                policy, inputs, logs.books_of, len(comparison.bases), world.now(),
                comparison.base, comparison.why, rules, None, progress.tick,
                lambda path: world.watch.tell(at=path), governance=governance,
            )  # fmt: skip
            books = {log.book.path: log.book for log in inputs if log.gone is None}
            fixable = Fixable(books, logs.books_of, logged)
            return Judged(with_fixes(run(task), fixable), books, fixable)

        return mend(judge, wish)


def _divided(space: Workspace, paths: Collection[str]) -> list[str]:
    """Return the logs of which one part is staged and another is not."""
    git = space.git
    if git is None:
        return []
    head = git.commit("HEAD")
    committed = git.tree(head) if head else {}
    index = IndexTree(git)
    staged = [path for path in paths if index.item(path) not in (None, committed.get(path))]
    return [path for path in staged if index.read(path) != space.work.read(path)]


def _write(space: Workspace, path: str, log: MendedLog, patience: Patience) -> GateError | None:
    """Put a mended log in its place; return why that cannot be done."""
    place = os.path.join(space.root, path)
    try:
        disk = read_file(place, path, space.work.limit)
        if disk == log.before:
            after = b"".join(log.after)
        elif disk.replace(b"\r\n", b"\n") == log.before:
            after = _with_returns(disk, log)
        else:
            return GateError("it was changed meanwhile", "run the command again", path)
        rewrite(place, path, disk, after, patience)
    except GateError as error:
        return error
    return None


def _with_returns(disk: bytes, log: MendedLog) -> bytes:
    """Return a log's content for a file whose carriage returns git takes out when it stores it."""
    rows = disk.split(b"\n")
    made = []
    for origin, line in zip(log.origins, log.after, strict=True):
        had = rows[origin].endswith(b"\r") and line.endswith(b"\n")
        made.append(line[:-1] + b"\r\n" if had else line)
    return b"".join(made)


def differences(mended: Mended, style: Style) -> str:
    """Return a unified diff of each changed log."""
    parts = []
    for path in sorted(mended.logs):
        log = mended.logs[path]
        before = _lines(log.before)
        after: list[bytes | None] = [None] * len(before)
        for origin, line in zip(log.origins, log.after, strict=True):
            after[origin] = line
        parts.append(render_diff(path, before, after, style))
    return "".join(parts)


def _lines(content: bytes) -> list[bytes]:
    """Return lines, each with its newline if it has one."""
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
