"""`nsm_gate.append`: what `nsm-gate append` does, for values that Python has."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from nsm_gate.api.world import one_error, surroundings
from nsm_gate.commands.appending import appended
from nsm_gate.commands.next_lines import PATIENCE, Asked
from nsm_gate.entries import Appended
from nsm_gate.model import Report, Severity
from nsm_gate.names import plural
from nsm_gate.render.concise import row


class EntryRefused(ValueError):
    """Entries were refused, and nothing was appended. The message says why, finding by finding.

    Attributes:
        report: What `nsm-gate check` says of the entries. Their lines are those that they would have.
        path: The log, from the root of the repository.
        kept: The file that keeps the refused entry, where it was kept.
    """

    def __init__(self, report: Report, path: str) -> None:
        """Refuse what the report is about."""
        super().__init__(report, path)
        self.report = report
        self.path = path
        self.kept: str | None = None

    def __str__(self) -> str:
        """Return the findings from the severity on that refuses, a row each."""
        least = self.report.fail_on or Severity.ERROR
        found = [f for f in self.report.findings if f.severity >= least and f.waived is None]
        rows = [f"nothing was appended to {self.path}: {plural(len(found), 'finding')}"]
        rows += [f"  {row(finding)}" for finding in found]
        return "\n".join([*rows, *([f"  kept in {self.kept}"] if self.kept else [])])


def append(
    log: str | os.PathLike[str],
    entry: object,
    *,
    config: str | os.PathLike[str] | None = None,
    fail_on: str = "error",
    lock_timeout: float = PATIENCE,
    by_time: bool = False,
    dry_run: bool = False,
) -> Appended:
    """Judge one entry or many, and append them to a log so that nothing is torn, lost or doubled.

    Args:
        log: The log.
        entry: A dict (or another mapping, a dataclass, a named tuple), or a list or an iterator of these. In
            it, values of NumPy and PyTorch, datetimes, paths, sets and tuples are written as JSON has them.
        config: Configuration to use instead of the repository's nsm-gate.yaml.
        fail_on: Severity from which entries are refused: error, warning, notice or never.
        lock_timeout: Seconds to wait while other programs append.
        by_time: Whether several entries are appended in the order in which they were logged.
        dry_run: Whether they are judged only.

    Returns:
        The report on the new lines, their numbers, and the entries with what was filled in. Entries that the
        log holds already count as appended.

    Raises:
        EntryRefused: `nsm-gate check` would refuse a line; none was appended.
        GateError: The log cannot be opened, locked, read or written, or the rules cannot be read.
    """
    # Text is one entry, which is refused by name like all that is no object; a named tuple is one, too.
    one = isinstance(entry, (str, bytes, bytearray, memoryview)) or hasattr(entry, "_fields")
    several = isinstance(entry, (Sequence, Iterator)) and not one
    given: Sequence[object] = list(entry) if several else [entry]  # type: ignore[call-overload]
    asked = Asked(
        os.fspath(log), given, None if config is None else os.fspath(config), severity(fail_on), lock_timeout,
        by_time, dry_run,
    )  # fmt: skip
    with one_error():
        made = appended(asked, surroundings())
    if made.report.exit_code:
        raise EntryRefused(made.report, made.path)
    return made


def severity(word: str) -> Severity | None:
    """Return the severity that `fail_on` means; ValueError where it means none."""
    if word == "never":
        return None
    if word not in ("error", "warning", "notice"):
        raise ValueError(f"fail_on is error, warning, notice or never, not {word!r}")
    return Severity.of(word)
