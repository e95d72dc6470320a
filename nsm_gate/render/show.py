"""One run for a person: what it is, what it found, how it was judged, and everything that its line holds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from nsm_gate.differences import SETTINGS, Compared, Difference
from nsm_gate.flat import spelled
from nsm_gate.model import Json, Report
from nsm_gate.names import plural
from nsm_gate.nouns import NamedTuple
from nsm_gate.records import Record
from nsm_gate.render import text
from nsm_gate.render.listing.cells import said
from nsm_gate.render.style import Style, columns_of
from nsm_gate.render.untrusted import plain
from nsm_gate.sheet import Sheet
from nsm_gate.values import UNKNOWN, rounded

_LONGEST = 60
_LISTED = 12
_PARAGRAPH = 20_000
_SMALL = 0.095
"""A share below it is given with a decimal: not -0 %."""


class Side(NamedTuple):
    """The other run of a comparison.

    Attributes:
        reference: The name that it was asked for by, where that is one of the rules.
    """

    record: Record
    reference: str


def whole(sheet: Sheet, record: Record, report: Report, lines: Sequence[Record], style: Style) -> str:
    """Return one run in full.

    Args:
        sheet: Its values.
        record: The run.
        report: What is found of its line.
        lines: All lines of the run.
        style: Colours and width.
    """
    rows = [*_heading(record, style), *_life(record, lines, style)]
    for title, paragraph in sheet.texts:
        rows += ["", style.paint(title, "bold"), *_wrapped(paragraph, style)]
    judged = list(text.of_one_line(report, style))
    if judged:
        rows += ["", style.paint("judged", "bold"), *judged]
    for title, values in sheet.sections:
        rows += ["", style.paint(title, "bold"), *_values(values, style)]
    if sheet.nulls:
        rows += ["", style.paint("null", "bold"), *_wrapped(", ".join(sheet.nulls), style)]
    return "".join(f"{row}\n" for row in rows)


def differences(
    compared: Compared, record: Record, side: Side, better: Mapping[str, bool], style: Style
) -> str:
    """Return what a run has otherwise than another.

    Args:
        compared: The differences.
        record: The run.
        side: The other one.
        better: Whether more of a metric is better, by its name.
        style: Colours and width.
    """
    other = side.record
    asked = f"{plain(side.reference)} " if side.reference else ""
    rows = [
        *_heading(record, style),
        f"against {asked}{style.paint(plain(other.name or '(no run id)', 80), 'bold')} · {_place(other)}",
    ]
    groups: dict[str, list[Difference]] = {}
    for difference in compared.differences:
        groups.setdefault(difference.group, []).append(difference)
    for title, found in groups.items():
        rows += ["", *_table(title, found, better, style)]
    for whose, names in (("this run", compared.only_mine), ("the other", compared.only_theirs)):
        if names:
            rows += ["", f"only {whose} states", *_wrapped(", ".join(names), style)]
    for whose, each in (("this run found", record), ("the other found", other)):
        found_text = each.text(each.kind.findings)
        if found_text:
            rows += ["", style.paint(whose, "bold"), *_wrapped(found_text, style)]
    many = plural(len(compared.differences), "difference")
    rows += ["", f"{many}; {plural(compared.same, 'value')} that both have {_are(compared.same)} the same"]
    return "".join(f"{row}\n" for row in rows)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _heading(record: Record, style: Style) -> Iterator[str]:
    name = style.paint(plain(record.name or "(no run id)", 80), "bold")
    facts = [record.status, record.experiment_type, record.domain]
    yield " · ".join([name, *(plain(fact, 80) for fact in facts if fact), _place(record)])


def _place(record: Record) -> str:
    return f"{plain(record.path)} line {record.line}"


def _life(record: Record, lines: Sequence[Record], style: Style) -> Iterator[str]:
    """Yield which line speaks for the run, where it has several."""
    others = [each for each in lines if each.line != record.line]
    if others:
        shown = [f"line {each.line} ({plain(each.status or 'no status', 40)})" for each in others[:_LISTED]]
        more = f" and {len(others) - _LISTED:,} more" if len(others) > _LISTED else ""
        yield style.paint(f"this run is also on {', '.join(shown)}{more}", "dim")
    missing = [
        spelled(path, record.kind) for path in record.kind.key if not isinstance(record.at(path), (str, int))
    ]
    if missing:
        yield style.paint(f"without {', '.join(map(plain, missing))}, which identifies a run", "warning")


def _values(values: Sequence[tuple[str, Json]], style: Style) -> Iterator[str]:
    names = [plain(name, _LONGEST) for name, _ in values]
    width = max(map(columns_of, names))
    room = max(20, style.width - width - 4) if style.width and not style.verbose else 500
    for name, (_, value) in zip(names, values, strict=True):
        yield f"  {name}{' ' * (width - columns_of(name))}  {plain(said(value), room)}"


def _table(
    title: str, found: Sequence[Difference], better: Mapping[str, bool], style: Style
) -> Iterator[str]:
    longest = 500 if style.verbose else 40
    cells = [
        (
            f"  {plain(each.name, _LONGEST)}",
            plain(said(each.mine), longest),
            plain(said(each.theirs), longest),
            *_change(each, better),
        )
        for each in found
    ]
    heads = (title, "this run", "the other", "change" if any(row[3] for row in cells) else "")
    widths = [max(columns_of(row[i]) for row in (heads, *cells)) for i in range(4)]
    yield style.paint(_line(heads, widths).rstrip(), "bold")
    for *row_cells, word in cells:
        role = {"better": "good", "worse": "warning"}.get(word, "")
        row = _line(row_cells, widths)
        yield f"{row}  {style.paint(word, role)}" if word else row.rstrip()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        f"{cell}{' ' * (width - columns_of(cell))}" for cell, width in zip(cells, widths, strict=True)
    )


def _change(each: Difference, better: Mapping[str, bool]) -> tuple[str, str]:
    """Return how far the two are apart, and whether that is better."""
    gap, share = each.change
    if gap is UNKNOWN or each.group == SETTINGS:
        return "", ""
    sign = "+" if gap > 0 else ""
    part = "" if share is UNKNOWN else f" ({float(share):+.{int(abs(share) < _SMALL)}%})"
    word = ""
    if each.name in better and gap:
        word = "better" if (gap > 0) == better[each.name] else "worse"
    return f"{sign}{rounded(gap)}{part}", word


def _wrapped(paragraph: str, style: Style) -> Iterator[str]:
    safe = plain(paragraph, _PARAGRAPH)
    for row in textwrap.wrap(safe, (style.width or 100) - 2, break_long_words=False, break_on_hyphens=False):
        yield f"  {row}"
