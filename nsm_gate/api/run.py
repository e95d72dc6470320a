"""`nsm_gate.run`: log a run as it ends, whether it is completed or fails."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType

from nsm_gate.api.append import EntryRefused, severity
from nsm_gate.api.failing import is_given, knows, nulls, said_of
from nsm_gate.api.world import one_error, surroundings
from nsm_gate.commands.appending import appended, keep, kind_of
from nsm_gate.commands.next_lines import PATIENCE, Asked
from nsm_gate.entries import Appended
from nsm_gate.errors import GateError
from nsm_gate.jsonable import jsonable
from nsm_gate.model import Finding, Json, Path
from nsm_gate.nouns import Any, NamedTuple, replace
from nsm_gate.pointers import pointer
from nsm_gate.policy import LogKind
from nsm_gate.render.concise import row
from nsm_gate.timestamps import written

_EPOCH = "last_successful_epoch"
_HISTORY = "metrics_history"


class _Clock(NamedTuple):
    began: datetime
    ticks: float


class Run:
    """A run that is being logged. `nsm_gate.run` makes it; use it in a `with` statement.

    Attributes:
        members: What will stand in the run's object of the entry (`run_data` in a training log). Change it as
            you like until the end of the `with` statement.
        appended: What `append` gave for the line that ended the run; None before.
    """

    def __init__(self, asked: Asked, members: Mapping[str, Any], *, running: bool) -> None:
        """Use `nsm_gate.run`."""
        self.members: dict[str, Any] = dict(members)
        self.appended: Appended | None = None
        self._asked = asked
        self._running = running
        self._epoch: int | None = None
        self._kind: LogKind | None = None
        self._clock: _Clock | None = None

    # --- while it runs ------------------------------------------------------------------------------

    @property
    def findings(self) -> str | None:
        """What the run showed, in a sentence or two. A completed run needs it."""
        found = self.members.get(self._name(self._known.findings))
        return found if isinstance(found, str) else None

    @findings.setter
    def findings(self, text: str) -> None:
        self.members[self._name(self._known.findings)] = text

    def update(self, **members: Any) -> None:
        """Set members of the run: `run.update(best_val_accuracy=0.61, best_epoch=7)`."""
        self.members.update(members)

    def metrics(self, **values: Any) -> None:
        """Set results of the run (`final_metrics` in a training log)."""
        name = self._name(self._known.results)
        held = self.members.get(name)
        self.members[name] = {**(held if isinstance(held, dict) else {}), **self._plain(values, name)}

    def epoch(self, number: int, **values: Any) -> None:
        """Say that an epoch is finished; its values, where there are any, go to `metrics_history`."""
        self._epoch = int(number)
        if values:
            history = self.members.setdefault(_HISTORY, [])
            history.append(self._plain({"epoch": self._epoch, **values}, _HISTORY, len(history)))

    def _plain(self, values: dict[str, Any], *where: str | int) -> dict[str, Json]:
        """Return values as they are now: a tensor changes later."""
        made, faults = jsonable(values, naive_is_utc=self._known.naive_is_utc)
        if faults:
            place = pointer(*self._known.run, *where)
            said = "; ".join(place + fault.message for fault in faults)
            warnings.warn(f"the log will refuse it: {said}", stacklevel=3)
        found: dict[str, Json] = made
        return found

    # --- its beginning and its end --------------------------------------------------------------------

    def __enter__(self) -> Run:
        """Judge what is known of the run, before hours are spent on it; append its running line if asked.

        Raises:
            EntryRefused: The log would refuse what is given, for instance a run id that is taken.
            GateError: As `append`.
        """
        with one_error():
            self._kind = kind = kind_of(self._asked, surroundings())
        if kind.status is None or kind.findings is None:
            hint = "log it when it has ended, with nsm_gate.append"
            raise GateError(f"runs of {kind.name} have no status or no findings", hint, self._asked.log)
        self._clock = _Clock(surroundings().now(), time.monotonic())
        self._set(self.members, kind.start, written(self._clock.began))
        # As if it had failed at once: whatever a log asks of a run that has no result yet.
        entry = self._entry("failed", "not begun", "It is judged before it begins, to save the hours.")
        made = self._judged(entry, dry=True)
        wrong = [finding for finding in made.report.findings if self._refuses(finding)]
        given = [finding for finding in wrong if self._running or is_given(finding, entry)]
        if given:
            raise EntryRefused(replace(made.report, findings=tuple(given)), made.path)
        if wrong:
            said = "\n".join(f"  {row(finding)}" for finding in wrong)
            warnings.warn(f"the log will refuse the run as it is:\n{said}", stacklevel=2)
        if self._running:
            made = self._judged(self._entry("running"))
            # A run that was killed and begins again is logged as running already.
            if made.report.exit_code and {f.rule for f in made.report.findings} != {"duplicate-run"}:
                raise EntryRefused(made.report, made.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Append how the run ended. What the `with` statement raised is raised further.

        Raises:
            EntryRefused: The log refuses the completed run; it is kept in a file beside the log.
            GateError: As `append`; it is kept likewise.
        """
        if error is None:
            self._append(self._entry("completed"))
            return
        try:
            self._append(self._failed(error))
        except (EntryRefused, GateError) as trouble:
            # Not instead of the error that ended the run.
            said = f"the failed run is not in the log: {trouble}"
            if hasattr(error, "add_note"):
                error.add_note(said)
            warnings.warn(said, RuntimeWarning, stacklevel=2)

    def _judged(self, entry: Json, *, dry: bool = False) -> Appended:
        with one_error():
            return appended(self._asked._replace(given=[entry], dry=dry), surroundings())

    def _append(self, entry: dict[str, Json]) -> None:
        try:
            made = self._judged(entry)
            if made.report.exit_code:
                raise EntryRefused(made.report, made.path)
        except EntryRefused as refused:
            refused.kept = keep(self._asked, surroundings(), entry)
            raise
        except GateError as error:
            place = keep(self._asked, surroundings(), entry)
            hint = f"the entry is kept in {place}: append it from there" if place else error.hint
            raise replace(error, hint=hint) from error
        self.appended = made

    def _refuses(self, finding: Finding) -> bool:
        least = self._asked.fail_on
        return least is not None and finding.severity >= least and finding.waived is None

    # --- the entry ------------------------------------------------------------------------------------

    @property
    def _known(self) -> LogKind:
        if self._kind is None:
            raise RuntimeError("use it in a with statement: with nsm_gate.run(...) as run:")
        return self._kind

    def _name(self, path: Path | None) -> str:
        """Return the run's member of a place; RuntimeError where the log kind has none."""
        kind = self._known
        if path is None or path[: len(kind.run)] != kind.run or len(path) != len(kind.run) + 1:
            raise RuntimeError(f"runs of {kind.name} have no such member: set it with update()")
        return path[-1]

    def _set(self, members: dict[str, Any], path: Path | None, value: Json) -> None:
        """Set a member that nobody has set, where the log kind has it."""
        kind = self._known
        if path is not None and path[:-1] == kind.run and members.get(path[-1]) is None:
            members[path[-1]] = value

    def _entry(self, status: str, error: str | None = None, findings: str | None = None) -> dict[str, Json]:
        kind, members = self._known, dict(self.members)
        if status != "running" and self._clock is not None:
            self._set(members, kind.seconds, round(time.monotonic() - self._clock.ticks, 6))
            self._set(members, kind.end, written(surroundings().now()))
        if error is not None:
            self._set(members, kind.error_message, error)
            if knows(kind, _EPOCH):
                self._set(members, (*kind.run, _EPOCH), self._epoch)
        members[self._name(kind.status)] = status
        if findings is not None:
            members[self._name(kind.findings)] = findings
        entry: dict[str, Json] = members
        for name in reversed(kind.run):
            entry = {name: entry}
        return entry

    def _failed(self, error: BaseException) -> dict[str, Json]:
        """Return the entry of a run that an exception ended."""
        kind, said = self._known, said_of(error)
        when = f"after epoch {self._epoch}" if self._epoch is not None else "before an epoch was finished"
        findings = f"Failed {when}: {said[:300]}."
        before = self.findings
        if before and before.strip():
            findings += f" Noted before that: {before.strip()}"
        findings = findings.encode("utf-8", "backslashreplace").decode()
        entry = self._entry("failed", said, findings)
        made, faults = jsonable(entry, naive_is_utc=kind.naive_is_utc)
        if not faults or not isinstance(made, dict):
            return entry
        # A loss that became NaN is why many a run fails: it must not keep the failure out of the log.
        places = [fault.message.removesuffix(", which is not JSON") for fault in faults]
        entry = nulls(made)
        holder: Json = entry
        for name in kind.run:
            holder = holder[name]
        holder[self._name(kind.findings)] = f"{findings} Logged as null: {'; '.join(places)}."
        return entry


def run(
    log: str | os.PathLike[str],
    members: Mapping[str, Any] | None = None,
    /,
    *,
    running: bool = False,
    config: str | os.PathLike[str] | None = None,
    fail_on: str = "error",
    lock_timeout: float = PATIENCE,
    **more: Any,
) -> Run:
    """Log a run: completed where the `with` statement ends, failed where it raises.

    Times, status and training time are filled in. What the log would refuse is said at the beginning, where
    that is known then. A run that the log refuses in the end is kept in a file beside it: nothing is lost.

    Args:
        log: The log.
        members: Members of the run, for names that the options below take.
        running: Whether a line of the status `running` is appended at the beginning.
        config: As `append`.
        fail_on: As `append`.
        lock_timeout: As `append`.
        more: Members of the run: `run_id="...", domain="planning", hyperparameters={...}`.
    """
    settings = None if config is None else os.fspath(config)
    asked = Asked(os.fspath(log), (), settings, severity(fail_on), lock_timeout)
    # Against another working directory later, too.
    asked = asked._replace(log=os.path.abspath(asked.log))
    return Run(asked, {**(members or {}), **more}, running=running)
