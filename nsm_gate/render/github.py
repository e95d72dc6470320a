"""GitHub Actions annotations, errors first.

GitHub shows ten of a kind and a step, and cuts a message at 4096. So the findings of a run that weigh the
same share one annotation, as those of a file of the rules do; the tenth says how many more there are, and
those stand below it in the log.
https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nsm_gate.model import Finding, Report, Severity
from nsm_gate.names import plural
from nsm_gate.render.concise import row, sentence
from nsm_gate.render.style import Style
from nsm_gate.render.summary import checked, totals
from nsm_gate.render.untrusted import plain

MOST = 10
"""Annotations of one kind."""
MESSAGE = 4096
"""Bytes of a message; the runner counts in UTF-16, which is never more."""
ROWS = 500
"""Findings that are listed because no annotation has room for them."""

# The runner decodes these after it has split the command; % first, or it would be escaped twice.
_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))


def render(report: Report, style: Style) -> str:
    """Return annotations for the findings that no waiver accepts, what has no room there, and the totals."""
    rows: list[str] = []
    rest: list[Finding] = []
    for severity in (Severity.ERROR, Severity.WARNING, Severity.NOTICE):
        found = [f for f in report.findings if f.severity is severity and f.waived is None]
        rows += _annotations(severity, found, {log.path for log in report.logs}, rest)
    if rest:
        rows.append("without an annotation of their own:")
        rows += [f"  {row(finding)}" for finding in rest[:ROWS]]
    if len(rest) > ROWS:
        rows.append(f"  … and {len(rest) - ROWS:,} more: --output-format jsonl:FILE holds all of them")
    if not (style.quiet and not rows):
        rows += [*checked(report), totals(report)]
    return "".join(f"{row}\n" for row in rows)


def _annotations(
    severity: Severity, found: Sequence[Finding], logs: set[str], rest: list[Finding]
) -> Iterator[str]:
    """Yield the commands of one kind; what they have no room for is added to `rest`."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in found:
        of_rules = finding.path not in logs
        key = (finding.path,) if of_rules else (finding.path, finding.line, finding.run)
        groups.setdefault(key, []).append(finding)
    shown = list(groups.values())
    beyond = [finding for group in shown[MOST:] for finding in group]
    for number, group in enumerate(shown[:MOST], 1):
        last = f"… and {plural(len(beyond), f'more {severity.word}')} elsewhere: see the log of this step"
        yield _annotation(group, last if number == MOST and beyond else "", rest)
    rest += beyond


def _annotation(group: Sequence[Finding], last: str, rest: list[Finding]) -> str:
    first = group[0]
    runs = {finding.run for finding in group}
    what = first.rule if len(group) == 1 else plural(len(group), first.severity.word)
    run = f" · {plain(first.run, 100)}" if first.run and len(runs) == 1 else ""
    properties = {
        "file": plain(first.path),
        "line": str(first.line),
        "endLine": str(first.line),
        "col": str(first.column),
        "endColumn": str(first.end_column),
        "title": f"{what}{run}",
    }
    told = ",".join(f"{name}={_escape(value, _PROPERTY)}" for name, value in properties.items())
    return f"::{first.severity.word} {told}::{_escape(_message(group, last, rest), _DATA)}"


def _message(group: Sequence[Finding], last: str, rest: list[Finding]) -> str:
    """Return the findings of a group, a line each, as far as there is room for whole ones."""
    if len(group) == 1:
        (finding,) = group
        said = [plain(finding.message, 1000), *([plain(finding.hint, 1000)] if finding.hint else ())]
    else:
        apart = len({finding.line for finding in group}) > 1
        said = [
            f"{f'line {finding.line}: ' if apart else ''}{finding.rule}: {sentence(finding)}"
            for finding in group
        ]
    room = MESSAGE - len(last.encode()) - 100
    kept: list[str] = []
    for number, text in enumerate(said):
        size = len(text.encode())
        if number and size > room:
            if len(group) > 1:
                rest += group[number:]
                kept.append(f"… and {len(group) - number:,} more here: see the log of this step")
            break
        kept.append(text if size <= room else text.encode()[:room].decode("utf-8", "ignore") + "…")
        room -= size + 1
    return "\n".join([*kept, *([last] if last else ())])


def _escape(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for char, code in table:
        text = text.replace(char, code)
    return text
