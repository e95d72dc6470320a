"""Read the old file and the mapping, judge, and write the new log and the rejects: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nsm_gate.changes import compare
from nsm_gate.commands.kinds import kind_at
from nsm_gate.commands.progress import Progress
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace, opened
from nsm_gate.edge.bases import Comparison
from nsm_gate.edge.files import read_file
from nsm_gate.edge.locks import Patience
from nsm_gate.edge.logs import Logs, relative
from nsm_gate.edge.mapping_files import read_mapping
from nsm_gate.edge.old_files import read_old
from nsm_gate.edge.rewriting import rewrite
from nsm_gate.edge.writing import create, replace
from nsm_gate.engine import Task, run
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.history import Book, LogInput
from nsm_gate.lines import Lines
from nsm_gate.mapping import Plan
from nsm_gate.migrating import Migrated, Situation, migrate
from nsm_gate.model import Report
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import Policy
from nsm_gate.render.migration import is_rejects_file, rejects_file

_MAP = 1 << 20
_ELSEWHERE = "give another place with --rejects"


class Files(NamedTuple):
    """What the command line names.

    Attributes:
        append: Whether the new log may be there already.
        lock_timeout: Seconds to wait while other programs append to it.
    """

    old: str
    new: str
    rejects: str
    map: str
    append: bool
    lock_timeout: float


def migrated(files: Files, config: str | None, world: Surroundings, *, dry: bool) -> Migrated:
    """Migrate a file; write what comes of it unless this is a trial.

    Args:
        files: What the command line names.
        config: `--config`.
        world: Where the command runs.
        dry: Whether to write nothing.

    Raises:
        GateError: Something stands in the way; then nothing is written.
    """
    with opened(world, [files.new]) as space:
        policy = space.policy(space.work, config)
        world.watch.tell(seconds=policy.limits.seconds, at=files.old)
        plan = read_mapping(_read(files.map, world, _MAP), files.map, policy)
        olds = read_old(_read(files.old, world, policy.limits.file), files.old, plan.form, plan.delimiter)
        target = _Target(files, space, policy, plan, world)
        with Progress(world) as progress:
            situation = Situation(
                policy.logs[plan.log],
                Lines(target.existing or b""),
                lambda lines: target.judge(lines, progress),
                world.now(),
                policy.limits.line,
                world.watch.tell,
            )
            found = migrate(olds, plan, situation)
    if isinstance(found, list):
        raise GateErrors(tuple(found))
    if not dry:
        target.write(found)
    return found


def _read(name: str, world: Surroundings, limit: int) -> bytes:
    """Return the content of a file that the command line names; a link to one is followed."""
    place = os.path.join(world.cwd, name)
    if os.path.isdir(place):
        raise GateError("is a folder", "name a file", name)
    return read_file(os.path.realpath(place), name, limit)


class _Target:
    """The new log and the rejects: what stands there, and how it is written."""

    def __init__(
        self, files: Files, space: Workspace, policy: Policy, plan: Plan, world: Surroundings
    ) -> None:
        self.files = files
        self.space = space
        self.policy = policy
        self.world = world
        self.path = relative(files.new, space.root, world.cwd) or files.new
        self.kind = policy.logs[plan.log]
        claimed = kind_at(policy, self.path)
        if claimed is not None and claimed.name != self.kind.name:
            hint = f"write to a log of {self.kind.name}: {', '.join(self.kind.files)}"
            fact = f"is a log of {claimed.name}, and the mapping makes entries of {plan.log}"
            raise GateError(fact, hint, files.new)
        self.place = self.placed(files.new)
        self.existing = self.looked_at()
        self.rejects = self.placed(files.rejects)
        self.rejected_before = self.has_rejects()
        empty = Comparison(space.work, (), (), "none", "")
        self.logs = Logs(policy, empty, space.git)

    def placed(self, name: str) -> str:
        """Return where a file is to lie; GateError where there is no folder for it."""
        folder, base = os.path.split(os.path.join(self.world.cwd, name))
        if not base or not os.path.isdir(folder):
            raise GateError("its folder does not exist", "create the folder first", name)
        return os.path.join(os.path.realpath(folder), base)

    def looked_at(self) -> bytes | None:
        """Return what stands in the new log, None where there is none; GateError where that is in the way."""
        name = self.files.new
        if not os.path.lexists(self.place):
            return None
        if not self.files.append:
            hint = "name a new log, or add to this one with --append"
            raise GateError("is there already, and is not replaced", hint, name)
        if os.path.islink(self.place) or not os.path.isfile(self.place):
            what = "symbolic link" if os.path.islink(self.place) else "folder or a device"
            raise GateError(f"is a {what}, not a log", "name the log itself", name)
        if os.path.samefile(self.place, os.path.join(self.world.cwd, self.files.old)):
            raise GateError("a log cannot be migrated into itself", "name another log", name)
        data = read_file(self.place, name, self.policy.limits.file)
        if data and not data.endswith(b"\n"):
            hint = "nsm-gate fix ends it; a torn line is to be removed"
            raise GateError("no newline ends its last line", hint, name)
        return data

    def has_rejects(self) -> bool:
        """Return whether rejects of an earlier run lie there; GateError where anything else does."""
        name = self.files.rejects
        path = relative(name, self.space.root, self.world.cwd)
        claimed = kind_at(self.policy, path) if path is not None else None
        if claimed is not None or self.rejects == self.place:
            what = f"a log of {claimed.name}" if claimed is not None else "the new log itself"
            raise GateError(f"the rejects would be {what}", _ELSEWHERE, name)
        if not os.path.lexists(self.rejects):
            return False
        if not is_rejects_file(read_file(self.rejects, name, None), self.files.old):
            raise GateError(
                f"it is there already, and holds no rejects of {self.files.old}", _ELSEWHERE, name
            )
        return True

    def judge(self, lines: Sequence[bytes], progress: Progress) -> Report:
        """Judge the log with some lines behind those that stand there."""
        before = Lines(self.existing or b"")
        head = [*before, *lines]
        change = compare([before], [before], head)
        book = Book(self.path, self.kind, head, True, change, self.policy.limits.line)

        def books_of(kind: str) -> Sequence[Book]:
            others = [other for other in self.logs.books_of(kind) if other.path != self.path]
            return sorted([*others, book], key=lambda b: b.path) if kind == self.kind.name else others

        base = "the log as it was"
        task = Task(
            self.policy, [LogInput(book, base)], books_of, 1, self.world.now(), base, "a migration",
            tick=progress.tick,
        )  # fmt: skip
        return run(task)

    def write(self, found: Migrated) -> None:
        """Write the rejects, then the new log, each in one step."""
        name = self.files.rejects
        try:
            if found.rejects and self.rejected_before:
                replace(self.rejects, [rejects_file(self.files.old, found.rejects)])
            elif found.rejects:
                _create(self.rejects, rejects_file(self.files.old, found.rejects))
            elif self.rejected_before:
                os.unlink(self.rejects)  # nothing is rejected any more
        except OSError as error:
            raise GateError(f"cannot be written: {error.strerror}", "nothing was migrated", name) from None
        data = b"".join(line + b"\n" for line in found.lines)
        if not data:
            return
        name, before = self.files.new, self.existing
        if before is None:
            _create(self.place, data)
        else:
            patience = Patience(self.files.lock_timeout, self.world.watch.tell)
            rewrite(self.place, name, before, before + data, patience, exact=True)


def _create(place: str, data: bytes) -> None:
    folder, name = os.path.split(place)
    create(folder, name, data)
