"""Comma-separated values (RFC 4180) with a row of names, for spreadsheets and programs.

Numbers, true and false stand bare and exact, texts in quotes, nothing for what is missing; an object or a
list is its JSON in quotes. Where no column is asked for, every value of the entries has a column.

A spreadsheet runs a text that begins like a formula. As OWASP advises, such a text gets a `'` in front; a
negative number is a number, and gets none. Control characters, which a terminal could act on, are written as
\\uXXXX, line breaks too. https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nsm_gate import flat
from nsm_gate.exact import load, text_of
from nsm_gate.listing import Listing
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import ACTIVE, COMMAND
from nsm_gate.values import UNKNOWN, Value

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def render(listing: Listing, style: Style) -> Iterator[str]:
    """Yield the rows, that of the names first."""
    columns, rows = listing.columns, listing.exact()
    if listing.whole:
        columns = flat.columns(_flat(listing))
        rows = _flat(listing)
    yield _row([_text(name) for name in columns])
    for values in rows:
        yield _row([_cell(values.get(name)) for name in columns])


def _flat(listing: Listing) -> Iterator[Mapping[str, Value]]:
    for row in listing.rows:
        yield flat.flat(load(row.raw), row.kind)


def _row(cells: Sequence[str]) -> str:
    # RFC 4180 ends a row with CR LF; a bare LF is what every reader takes, and what a terminal shows well.
    return f"{','.join(cells)}\n"


def _cell(value: Value) -> str:
    if value is None or value is UNKNOWN:
        return ""
    if isinstance(value, str):
        return _text(value)
    text = text_of(value)
    return _quoted(text) if isinstance(value, (dict, list)) else text


def _text(text: str) -> str:
    return _quoted(f"'{text}" if text.startswith(_FORMULA) else text)


def _quoted(text: str) -> str:
    # In quotes a row cannot begin with `::`, the other sign of a runner's command.
    if not (text.isascii() and text.isprintable()):
        text = ACTIVE.sub(lambda found: _escaped(found[0]), text)
    if "##" in text:
        text = COMMAND.sub(r"#\\u0023", text)
    return '"' + text.replace('"', '""') + '"'


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
