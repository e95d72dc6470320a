"""What became of an old file, as a person reads it, and the file of what was rejected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from nsm_gate.migrating import Migrated, Reason, Reject
from nsm_gate.model import Severity
from nsm_gate.names import plural
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

_ROWS = 5
"""How many rejects, and how many members that are not taken over, are listed."""


def render(found: Migrated, old: str, new: str, rejects: str, style: Style, *, dry: bool) -> str:
    """Return the summary.

    Args:
        found: What became of the old file.
        old: The old file.
        new: The new log.
        rejects: Where the rejects are.
        style: Colours, and whether everything is listed.
        dry: Whether nothing was written.
    """
    count = len(found.lines)
    what = f"{count:,} of {plural(found.total, 'entry', 'entries')}"
    verb = "would be migrated" if dry else "migrated"
    role = "warning" if found.rejects else "good"
    rows = [style.paint(f"{verb}: {what} of {plain(old)} into {plain(new)}", role)]
    if found.standing:
        rows.append(f"already there: {found.standing:,}")
    if found.left_out:
        rows.append(f"left out by where: {found.left_out:,}")
    if found.rejects:
        rows += _rejects(found, rejects, style, dry=dry)
    warnings = [f for f in found.report.findings if f.severity is Severity.WARNING and f.waived is None]
    if warnings:
        rows.append(f"warnings: {_counts(finding.rule for finding in warnings)}")
    if found.untaken:
        names = sorted(found.untaken, key=lambda name: (-found.untaken[name], name))
        shown = names if style.verbose else names[: 2 * _ROWS]
        more = f", and {len(names) - len(shown):,} more" if len(shown) < len(names) else ""
        listed = ", ".join(f"{plain(name, 80)} ({found.untaken[name]:,})" for name in shown)
        rows.append(f"not taken over, in so many entries: {listed}{more}")
    return "".join(f"{row}\n" for row in rows)


def _rejects(found: Migrated, place: str, style: Style, *, dry: bool) -> Iterator[str]:
    count = plural(len(found.rejects), "entry", "entries")
    where = "" if dry else f"; with reasons in {plain(place)}"
    # Of each entry its first reason, so that the counts add up.
    causes = _counts(reject.reasons[0].rule or "mapping" for reject in found.rejects)
    yield f"rejected: {count}: {causes}{where}"
    if style.verbose:
        for reject in found.rejects:
            first, *others = reject.reasons
            more = f" (and {plural(len(others), 'other reason')})" if others else ""
            yield f"  line {reject.old.number}: {plain(first.message)}{_hint(first)}{more}"
        return
    alike: dict[tuple[str | None, str | None], list[Reject]] = {}
    for reject in found.rejects:
        alike.setdefault(reject.reasons[0][:2], []).append(reject)
    groups = sorted(alike.values(), key=lambda group: -len(group))
    for group in groups[:_ROWS]:
        first = group[0].reasons[0]
        more = f", and {plural(len(group) - 1, 'entry', 'entries')} like it" if len(group) > 1 else ""
        yield f"  line {group[0].old.number}{more}: {plain(first.message)}{_hint(first)}"
    if len(groups) > _ROWS:
        yield f"  … and {plural(len(groups) - _ROWS, 'other cause')}: -v lists every entry"


def _hint(reason: Reason) -> str:
    return f" ({plain(reason.hint)})" if reason.hint else ""


def _counts(names: Iterable[str]) -> str:
    counts = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {name}" for name, count in counts)


def rejects_file(old: str, rejects: Iterable[Reject]) -> bytes:
    """Return the content of the file of rejects: JSON Lines, an entry of the old file each."""
    rows = (
        {
            "file": old,
            "line": reject.old.number,
            "reasons": [reason._asdict() for reason in reject.reasons],
            "original": reject.old.original,
        }
        for reject in rejects
    )
    return b"".join(json.dumps(row, ensure_ascii=True).encode() + b"\n" for row in rows)


def is_rejects_file(data: bytes, old: str) -> bool:
    """Return whether a file holds the rejects of an old file, of an earlier run."""
    try:
        first = json.loads(data.split(b"\n", 1)[0])
    except ValueError:
        return False
    return (
        isinstance(first, dict)
        and list(first) == ["file", "line", "reasons", "original"]
        and first["file"] == old
    )
