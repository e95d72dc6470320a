"""The one sink for text from logs, rules, refs and file names: nothing in it can act.

Escaped as \\uXXXX: control characters (C0, DEL, C1), line and paragraph separators, direction marks,
whatever Unicode lets a reader ignore, lone surrogates, and the two characters that XML has no way to write.
`::` and `##x` are broken, because CI runners read commands from anything that is printed: `::command::` and
`##[command]` GitHub's, `##vso[command]` Azure's, the last two anywhere in a line. A runner that compares by
culture finds them with ignored characters in between too, so none of those is let through behind ASCII.
"""

from __future__ import annotations

import re

LIMIT = 500

ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # The selectors that make an emoji of a sign, which belong behind a sign: ⚠️.
    "|(?<![^\x00-\x7f])[\ufe0e\ufe0f]"
)

COMMAND = re.compile(r"##(?=[\[A-Za-z])")
"""What begins a command of a runner; `## A heading` does not."""


def plain(text: str, limit: int = LIMIT) -> str:
    """Return text that is safe on a terminal and in a CI log, at most `limit` characters of it."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    text = ACTIVE.sub(lambda found: _escaped(found[0]), text)
    return COMMAND.sub(r"#\\u0023", text.replace("::", ":\\u003a"))


def visible(text: str, limit: int = LIMIT) -> str:
    """Return text that is safe in a file that no CI runner reads, at most `limit` characters of it.

    Unlike `plain`, it leaves `::` alone, and keeps the ends of lines.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isascii() and text.isprintable():
        return text  # nearly all of it, and a report has much
    return ACTIVE.sub(lambda found: "\n" if found[0] == "\n" else _escaped(found[0]), text)


def joined(*parts: str) -> tuple[str, ...]:
    """Return parts of one row, each made safe, that are safe side by side too."""
    made: list[str] = []
    before = ""
    for part in parts:
        safe = plain(part)
        # A command may be cut in two: `##` here and `[error]` there.
        seam = before + safe[:2]
        if "::" in seam or COMMAND.search(seam):
            safe = _escaped(safe[0]) + safe[1:]
        made.append(safe)
        before = (before + safe)[-2:]
    return tuple(made)


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
