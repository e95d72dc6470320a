"""Untrusted text inside Markdown: each character that means something to it or to HTML is an entity.

https://github.github.com/gfm/#entity-and-numeric-character-references
"""

from __future__ import annotations

import re

from nsm_gate.render.untrusted import plain

_PLAIN = " .,;/'→·…–%-+()?"
_LINKS = re.compile(r"(www)\.", re.IGNORECASE)
"""What GitHub makes a link of, although no sign in it means anything."""


def code(text: str, limit: int = 500) -> str:
    """Return untrusted text in a code span that it cannot leave."""
    return f"<code>{escaped(plain(text, limit))}</code>"


def escaped(text: str) -> str:
    """Return text with everything that means something to Markdown or HTML as entities."""
    text = "".join(char if char.isalnum() or char in _PLAIN else f"&#{ord(char)};" for char in text)
    return _LINKS.sub(lambda found: f"{found[1]}&#46;", text)
