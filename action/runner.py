"""What the steps say to the runner: annotations and outputs, which no text can forge."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

_ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


class Refused(Exception):
    """A step cannot be done: a fact and its remedy."""

    def __init__(self, fact: str, hint: str) -> None:
        """Keep both."""
        super().__init__(fact)
        self.fact = fact
        self.hint = hint


def plain(text: str) -> str:
    """Return text in which nothing acts, as a row of the log or as the data of a command."""
    text = _ACTIVE.sub(lambda found: f"\\u{ord(found[0]):04x}", text[:500])
    return text.replace("::", ":\\u003a").replace("##[", "#\\u0023[")


def error(refused: Refused) -> str:
    """Return the annotation of a step that cannot be done."""
    said = f"{plain(refused.fact)}: {plain(refused.hint)}"
    return f"::error title=nsm-gate::{said.replace('%', '%25')}\n"


def output(environ: Mapping[str, str], name: str, value: str) -> None:
    """Set an output of the step, between delimiters that nobody can guess."""
    path = environ.get("GITHUB_OUTPUT", "")
    if not path:
        raise Refused("GITHUB_OUTPUT is not set", "run this as a step of GitHub Actions")
    end = f"nsm_gate_{secrets.token_hex(16)}"
    with open(path, "ab") as file:
        file.write(f"{name}<<{end}\n{value}\n{end}\n".encode("utf-8", "surrogateescape"))


def given(environ: Mapping[str, str], name: str) -> str:
    """Return an input of the action without the blanks around it; empty where it is not given."""
    return environ.get(f"NSM_GATE_INPUT_{name}", "").strip()


def paths(environ: Mapping[str, str]) -> list[str]:
    """Return the input `paths`, one a line. None can pass for an option, or for standard input."""
    rows = [row.strip() for row in given(environ, "PATHS").split("\n")]
    return [f"./{row}" if row.startswith("-") else row for row in rows if row]
