"""The one sink for text from logs, rules, refs and file names: nothing in it can act.

Escaped as \\uXXXX: control characters (C0, DEL, C1), line and paragraph separators, direction marks,
zero-width and tag characters, lone surrogates. `::` and `##[` are broken, because a CI runner reads
commands in both grammars from anything that is printed, the second anywhere in a line.
"""

from __future__ import annotations

import re

LIMIT = 500

ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str, limit: int = LIMIT) -> str:
    """Return text that is safe on a terminal and in a CI log, at most `limit` characters of it."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    text = ACTIVE.sub(lambda found: _escaped(found[0]), text)
    return text.replace("::", ":\\u003a").replace("##[", "#\\u0023[")


def joined(*parts: str) -> tuple[str, ...]:
    """Return parts of one row, each made safe, that are safe side by side too."""
    made: list[str] = []
    for part in parts:
        safe = plain(part)
        # A command may be cut in two: `##` here and `[error]` there.
        if made and made[-1].endswith((":", "#")) and safe.startswith((":", "#", "[")):
            safe = _escaped(safe[0]) + safe[1:]
        made.append(safe)
    return tuple(made)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
