"""Rows as JSON objects on one line each: whole entries as the log has them, byte by byte, or named columns.

What a terminal or a CI runner could act on is written as an escape of JSON, which loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from nsm_gate.exact import text_of
from nsm_gate.listing import Listing
from nsm_gate.render.untrusted import ACTIVE, COMMAND

_SPACES = str.maketrans("\t\r", "  ")


def objects(listing: Listing) -> Iterator[str]:
    """Yield each row as JSON text without a newline."""
    if listing.whole:
        for row in listing.rows:
            yield entry(row.raw)
        return
    for values in listing.exact():
        members = (
            f"{json.dumps(name, ensure_ascii=False)}: {text_of(values[name])}" for name in listing.columns
        )
        yield safe(f"{{{', '.join(members)}}}")


def entry(raw: bytes) -> str:
    """Return the JSON of a line that holds an entry, as the log has it, safe to print."""
    # Between tokens JSON has tabs and carriage returns too; inside of strings it has neither.
    return safe(raw.decode("utf-8").translate(_SPACES).strip(" "))


def safe(text: str) -> str:
    """Return JSON that is safe to print."""
    if not (text.isascii() and text.isprintable()):
        text = ACTIVE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return COMMAND.sub(r"#\\u0023", text) if "##" in text else text
