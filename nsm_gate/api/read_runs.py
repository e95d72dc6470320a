"""`nsm_gate.read_runs`: what `nsm-gate runs` lists, as records that pandas and polars take."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal

import jiter

from nsm_gate import flat as flattened
from nsm_gate.api.world import PathLike, one_error, surroundings, text
from nsm_gate.commands.answering import Source, answered
from nsm_gate.commands.asking import Asked
from nsm_gate.errors import GateError
from nsm_gate.nouns import Any
from nsm_gate.values import UNKNOWN, Value

Names = str | Sequence[str]
"""Names and expressions of the rule language: several, or one text with commas."""


class LinesLeftOut(UserWarning):
    """Lines of a log hold no entry, or a log is no regular file: the rest was read."""


def read_runs(
    *logs: PathLike,
    where: str | Sequence[str] = (),
    status: str | None = None,
    domain: str | None = None,
    experiment_type: str | None = None,
    best: str | None = None,
    last: int | None = None,
    per: Names | None = None,
    sort: Names | None = None,
    limit: int | None = None,
    columns: Names | None = None,
    flat: bool = False,
    all_lines: bool = False,
    log: str | None = None,
    config: PathLike | None = None,
    cwd: PathLike | None = None,
) -> list[dict[str, Any]]:
    """Read runs, each by its latest line, in the order of the log.

    Args:
        logs: Logs and folders; without any, every log of the kinds that have experiment types.
        where: Tests of the rule language that must all be true: `accuracy > 0.6`.
        status: Only runs of this status.
        domain: Only runs of this domain.
        experiment_type: Only runs of this experiment type.
        best: Only the best run: `accuracy`, or `max(NAME)` or `min(NAME)` where no criterion tells the way.
        last: Only the latest runs, so many.
        per: With `best` or `last`: of each value of these names.
        sort: The order; a dash before a name puts the largest first.
        limit: At most so many runs, in that order.
        columns: What to read of each run; its name is the key. Without it, runs are whole entries.
        flat: Whether whole entries become rows with a key for each value, called as `columns` calls it
            (`final_metrics.accuracy`, `entry.timestamp`), the same keys in every row; lists stay lists.
        all_lines: Every line instead of the latest one of each run.
        log: Log kind to look for, or of a file whose name tells none.
        config: Configuration to use instead of the repository's.
        cwd: The folder to work in, and that paths start at; the current one where it is None.

    Returns:
        The runs as dicts of JSON values. What is missing or unknown is None where keys are columns.

    Raises:
        GateError: A name that no run has, a test that does not parse, a log that is not there; `hint` says
            what to do.

    Warns:
        LinesLeftOut: Lines hold no entry; how many, and which.
    """
    if flat and columns is not None:
        raise GateError("columns are flat already", "leave flat out")
    asked = Asked(
        (where,) if isinstance(where, str) else tuple(where), status, domain, experiment_type, best, last,
        _joined(per), _joined(sort), limit, _joined(columns), all_lines=all_lines,
    )  # fmt: skip
    source = Source([str(text(each)) for each in logs], log, text(config))
    if "-" in source.logs:
        raise GateError("a program has no standard input to read", "name a log")
    with one_error():
        answer = answered(source, asked, surroundings(cwd), exact=columns is None)
    for note in answer.notes:
        warnings.warn(note, LinesLeftOut, stacklevel=2)
    listing = answer.listing
    if columns is not None:
        return [{name: _plain(row[name]) for name in listing.columns} for row in listing.values]
    entries: list[dict[str, Any]] = [jiter.from_json(row.raw) for row in listing.rows]
    if not flat:
        return entries
    rows = [flattened.flat(entry, row.kind) for entry, row in zip(entries, listing.rows, strict=True)]
    keys = flattened.columns(rows)
    return [{key: row.get(key) for key in keys} for row in rows]


def _joined(names: Names | None) -> str | None:
    return names if names is None or isinstance(names, str) else ",".join(names)


def _plain(value: Value) -> Any:
    """Return a value of the rule language as Python programs have it."""
    if value is UNKNOWN:
        return None
    return float(value) if type(value) is Decimal else value
