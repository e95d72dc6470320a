"""What is wrong with the outcome of a case, if anything: the law that every hostile input is held to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from nsm_gate.checks import BY_ID
from nsm_gate.render.untrusted import plain
from tests.hostile.case import Case
from tests.hostile.stage import PATIENCE, SECONDS, Outcome
from tests.runner_grammar import azure_commands, github_commands

_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_COLOR = re.compile("\x1b\\[[0-9;]*m")
_OURS = {"error", "warning", "notice", "group", "endgroup", "debug"}
_GITHUB_FORMATS = ("github", "auto")


def faults(case: Case, outcome: Outcome) -> list[str]:
    """Return what breaks the law, in words; nothing where the gate holds."""
    return [*_process(case, outcome), *_streams(case, outcome), *_said(case, outcome)]


def _process(case: Case, outcome: Outcome) -> Iterator[str]:
    if outcome.seconds > SECONDS:
        yield f"{outcome.seconds:.0f} seconds of the processor, over {SECONDS}"
    if outcome.code is None:
        yield f"no end within {PATIENCE} seconds"
    elif outcome.code < 0:
        yield f"killed by signal {-outcome.code}"
    elif outcome.code not in (0, 1, 2):
        yield f"exit code {outcome.code}"
    elif outcome.code not in case.codes:
        yield f"exit code {outcome.code}, expected {' or '.join(map(str, case.codes))}"
    if outcome.marked:
        yield "something hostile was executed"
    if outcome.left:
        yield "a process was left behind"
    others = [name for name in outcome.started if name != "git"]
    if others:
        yield f"started {others}"
    if outcome.connected:
        yield f"reached for the network: {outcome.connected}"
    if case.writes is not None:
        stray = [name for name in outcome.written if name not in case.writes]
        if stray:
            yield f"wrote {stray}"


def _streams(case: Case, outcome: Outcome) -> Iterator[str]:
    both = outcome.out + "\n" + outcome.err
    if "Traceback (most recent call last)" in both:
        yield "a traceback"
    # An internal error is a bug that was caught: exit 2, but nobody meant it.
    if "internal error" in both:
        yield "an internal error"
    if case.hides and case.hides in both:
        yield f"the output holds {case.hides!r}"
    if case.says and case.says not in both:
        yield f"the output lacks {case.says!r}"
    active = _ACTIVE.search(_COLOR.sub("", both) if "--color" in case.args else both)
    if active:
        yield f"active character U+{ord(active[0]):04X} in the output"
    allowed = _OURS if any(name in word for word in case.args for name in _GITHUB_FORMATS) else set()
    forged = [c for c in github_commands(outcome.out) if c.name not in allowed]
    forged += github_commands(outcome.err)
    if forged:
        yield f"a command for GitHub: {forged[0]}"
    if not any("azure" in word for word in case.args) and azure_commands(both):
        yield f"a command for Azure: {azure_commands(both)[0]}"


def _said(case: Case, outcome: Outcome) -> Iterator[str]:
    """Yield what a report, or an error, does not say although it must."""
    if outcome.code not in (0, 1, 2):
        return
    asked = "json" in case.command and case.command[0] == "check"
    document: Any = None
    if asked:
        try:
            document = json.loads(outcome.out)
        except ValueError:
            yield f"standard output is not one JSON text: {outcome.out[:80]!r}"
            return
    if outcome.code == 2:
        yield from _refusal(case, outcome, document)
    elif document is not None:
        yield from _report(case, outcome, document)


def _refusal(case: Case, outcome: Outcome, document: Any) -> Iterator[str]:
    if not outcome.err.strip():
        yield "exit 2 without a word on standard error"
    named = plain(case.file, 2000)
    if named and named not in outcome.err:
        yield f"standard error does not name {named!r}: {outcome.err[:200]!r}"
    if document is None:
        return
    if set(document) != {"error"}:
        yield "exit 2 with more than an error in the output"
    elif not document["error"]["message"]:
        yield "an error without a message"
    elif case.file and case.file not in f"{document['error']['path']}: {document['error']['message']}":
        yield f"the error does not name {case.file!r}: {document['error']}"


def _report(case: Case, outcome: Outcome, document: Any) -> Iterator[str]:
    if document["summary"]["exit_code"] != outcome.code:
        yield "the report's exit code is another one"
    findings = document["findings"]
    for found in findings:
        if found["rule"] not in BY_ID or not found["path"] or not found["message"] or found["line"] < 1:
            yield f"a finding that does not name its file and rule: {found}"
    errors = [f for f in findings if f["severity"] == "error" and f["waived"] is None]
    if outcome.code == 1 and "--fail-on" not in case.args:
        if not errors:
            yield "exit 1 without an error"
        if case.rule and case.rule not in {f["rule"] for f in errors}:
            yield f"no error of {case.rule}, but of {sorted({f['rule'] for f in errors})}"
        if case.file and not any(case.file == f["path"] for f in errors):
            yield f"no error names {case.file!r}, but {sorted({f['path'] for f in errors})}"
    if outcome.code == 0 and errors and "--fail-on" not in case.args:
        yield "exit 0 with errors"
