"""Untrusted text in GitHub's Markdown: it can neither leave its cell nor mention anybody, nor become a link.

It stands in `<code>` with each character that means something to Markdown or HTML written as an entity.
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
    return f"<code>{entities(plain(text, limit))}</code>"


def entities(text: str) -> str:
    """Return text with everything that means something to Markdown or HTML as entities."""
    text = "".join(char if char.isalnum() or char in _PLAIN else f"&#{ord(char)};" for char in text)
    return _LINKS.sub(lambda found: f"{found[1]}&#46;", text)
