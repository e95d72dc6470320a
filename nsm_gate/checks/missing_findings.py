"""Every run says what it found.

Why: a number without its meaning is lost within a month. At least 20 characters, and not a placeholder;
`running` runs are not asked yet.
Fix: write one or two sentences: what happened, compared with what, and what follows from it.
Example: `"findings": "TODO"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nsm_gate.checks.check import EntryCheck, Subject
from nsm_gate.model import Problem, Severity
from nsm_gate.pointers import pointer, show
from nsm_gate.records import ABSENT

LEAST = 20
_TO_DO = re.compile(r"\W*(?:TODO|FIXME|TBD|XXX)\b")
_PLACEHOLDER = re.compile(
    r"[\W_]*(?:to ?do|tb[da]|fix ?me|xxx+|n/?a|none|null|nothing|placeholder|lorem ipsum.*|"
    r"to be (?:added|determined|done|written|filled(?: in)?)|fill (?:me )?in(?: later)?|"
    r"add findings(?: here)?|findings(?: go)? here|human-readable summary of results)[\W_]*",
    re.IGNORECASE,
)


def run(subject: Subject) -> Iterator[Problem]:
    """Yield a problem where the findings are absent, null, blank, too short or a placeholder."""
    record = subject.record
    path = record.kind.findings
    if path is None or record.status == "running":
        return
    value = record.at(path)
    name = ".".join(path)
    if value is ABSENT or value is None:
        fact = f"{name} is {'absent' if value is ABSENT else 'null'}"
    elif not isinstance(value, str):
        return
    elif not value.strip():
        fact = f"{name} is blank"
    elif is_placeholder(value):
        fact = f"{name} is a placeholder: {show(value)}"
    elif len(value.strip()) < LEAST:
        fact = f"{name} has {len(value.strip())} characters, under {LEAST}"
    else:
        return
    hint = "say in a sentence or two what the run showed, compared with what"
    yield Problem("missing-findings", fact, hint, record.line, pointer=pointer(*path))


def is_placeholder(text: str) -> bool:
    """Return whether the text is nothing but placeholders, or one letter repeated."""
    if _PLACEHOLDER.fullmatch(text[:400]) or _TO_DO.match(text):
        return True
    if all(_PLACEHOLDER.fullmatch(word) for word in text[:400].split()):
        return True
    parts = [part for part in re.split(r"[.;:,\n]+", text[:400]) if part.strip()]
    return all(_PLACEHOLDER.fullmatch(part) for part in parts) or len(set(text.lower()) - set(" .-_")) <= 1


CHECK = EntryCheck("missing-findings", __doc__, Severity.ERROR, run, owns=True)
