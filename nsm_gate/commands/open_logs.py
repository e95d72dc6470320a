"""The logs that a query reads: which they are, of which log kind, and their entries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from nsm_gate.commands.kinds import kind_by_members, kind_called
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.log_reading import find, lines_of, stream
from nsm_gate.errors import GateError
from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line
from nsm_gate.names import plural
from nsm_gate.nouns import NamedTuple
from nsm_gate.policy import LogKind, Policy
from nsm_gate.records import Record

STDIN = "<stdin>"
_LFS = b"version https://git-lfs.github.com/spec/"
_HEARTBEAT = 500  # lines between two signs of life to the watch
_SHOWN = 10


class OpenLog(NamedTuple):
    """A log that is read.

    Attributes:
        claimed: Whether the policy's globs give it its log kind.
        lines: Yields its physical lines, from the first.
    """

    path: str
    kind: LogKind
    claimed: bool
    lines: Callable[[], Iterable[Line]]


class OpenLogs:
    """The logs of one query; what could not be read of them is remembered."""

    def __init__(
        self, space: Workspace, policy: Policy, world: Surroundings, kind: str | None, *, every: bool = False
    ) -> None:
        """Look for the logs that the command line names, else for those of runs.

        Args:
            space: Where the logs lie; its paths are those of the command line.
            policy: Knows the log kinds.
            world: Where the command runs; `-` reads its standard input.
            kind: `--log`: the log kind that is looked for, and that of files with other names.
            every: Whether logs of every kind are looked for where nothing is named.

        Raises:
            GateError: There is no log, or the kind of one cannot be told.
        """
        self._world = world
        self._policy = policy
        self.notes: list[str] = []
        only = kind_called(policy, kind) if kind is not None else None
        self.logs: Sequence[OpenLog] = self._named(space, only, every=every)

    @property
    def kinds(self) -> dict[str, LogKind]:
        """Return the log kinds, by name."""
        return {log.kind.name: log.kind for log in self.logs}

    def records(self) -> Iterator[Record]:
        """Yield every entry, log by log; lines that hold none are counted, and said."""
        for log in self.logs:
            self._world.watch.tell(seconds=self._policy.limits.seconds, at=log.path)
            out: list[int] = []
            for line in log.lines():
                if line.number % _HEARTBEAT == 0:
                    self._world.watch.tell()
                decoded = decode(line, self._policy.limits.line)
                if isinstance(decoded, Entry):
                    yield Record(decoded, log.kind, log.path)
                elif line.number == 1 and line.raw.startswith(_LFS):
                    raise GateError("the log is a Git LFS pointer", "fetch it with git lfs pull", log.path)
                elif decoded.rule != "blank-line":
                    out.append(line.number)
            if out:
                self.notes.append(_left_out(log.path, out))

    # --- parts ----------------------------------------------------------------------------------

    def _named(self, space: Workspace, only: LogKind | None, *, every: bool) -> Sequence[OpenLog]:
        if space.paths is not None and "-" in space.paths:
            raise GateError("standard input is read alone", "give - and nothing else")
        kinds = [only] if only else [*self._policy.logs.values()]
        if space.paths is None and not (only or every):
            kinds = self._of_runs()
        found = find(space.work, self._policy, space.paths, lambda kind: kind in kinds)
        if not found.logs and space.paths is None and only is None:
            # A repository of baselines alone.
            found = find(space.work, self._policy, None, lambda _kind: True)
        self.notes += [f"{path} is left out: {reason}" for path, reason in found.skipped]
        made = []
        for path, kind in found.logs:

            def lines(path: str = path) -> Iterator[Line]:
                return lines_of(space.work, path, self._policy.limits)

            if kind is not None and (only is None or kind is only):
                made.append(OpenLog(path, kind, True, lines))
            else:
                made.append(OpenLog(path, only or self._told(path, lines()), False, lines))
        if not made:
            globs = ", ".join(glob for kind in kinds for glob in kind.files)
            raise GateError(f"there is no log here: the policy looks for {globs}", "name a log to read")
        return made

    def _of_runs(self) -> list[LogKind]:
        """Return the log kinds that have experiment types; all where none has."""
        kinds = list(self._policy.logs.values())
        return [kind for kind in kinds if kind.experiment_type] or kinds

    def _told(self, path: str, lines: Iterable[Line]) -> LogKind:
        """Return the log kind of a file that no glob claims, by the members of its first entry."""
        kinds = list(self._policy.logs.values())
        decoded = (decode(line, self._policy.limits.line) for line in lines)
        kind = kind_by_members(self._policy, (e.value for e in decoded if isinstance(e, Entry)))
        kind = kinds[0] if kind is None and len(kinds) == 1 else kind
        if kind is None:
            hint = f"name it with --log: {', '.join(self._policy.logs)}"
            raise GateError("the log kind of this file cannot be told", hint, path)
        return kind


class StandardInput(OpenLogs):
    """Standard input as the one log of a query."""

    def __init__(self, policy: Policy, world: Surroundings, kind: str | None, *, twice: bool) -> None:
        """Begin to read.

        Args:
            policy: Knows the log kinds.
            world: Where the command runs.
            kind: `--log`; without it the first entry tells.
            twice: Whether the lines are needed more than once.
        """
        self._world = world
        self._policy = policy
        self.notes = []
        lines = stream(world.stdin, policy.limits)
        if twice:
            kept = list(lines)
            chosen = kind_called(policy, kind) if kind else self._told(STDIN, kept)
            self.logs = [OpenLog(STDIN, chosen, False, lambda: kept)]
            return
        begun: list[Line] = []
        known = kind_called(policy, kind) if kind else self._told(STDIN, _remembering(lines, begun))
        self.logs = [OpenLog(STDIN, known, False, lambda: itertools.chain(begun, lines))]


def _remembering(lines: Iterable[Line], begun: list[Line]) -> Iterator[Line]:
    for line in lines:
        begun.append(line)
        yield line


def _left_out(path: str, numbers: Sequence[int]) -> str:
    shown = ", ".join(f"{number}" for number in numbers[:_SHOWN])
    more = f" and {len(numbers) - _SHOWN:,} more" if len(numbers) > _SHOWN else ""
    hold = "holds" if len(numbers) == 1 else "hold"
    which = "line" if len(numbers) == 1 else "lines"
    return (
        f"{path}: {plural(len(numbers), 'line')} left out that {hold} no entry, {which} {shown}{more}: "
        "nsm-gate check --all says why"
    )
