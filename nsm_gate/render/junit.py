"""JUnit XML, which most CI systems show as test results: a suite a log, a case a run.

A case fails where the gate does: findings at or above `--fail-on` that no waiver accepts. What else was
found is the case's output, and the verdicts are its properties. What is about no judged line has a case of
its own: published lines, the log as a file, a file of the rules.
https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from nsm_gate.model import Finding, Report, Verdict
from nsm_gate.names import plural
from nsm_gate.nouns import dataclass, field
from nsm_gate.render.concise import row, sentence
from nsm_gate.render.style import Style
from nsm_gate.render.untrusted import plain

# & first, or it would be escaped twice; > for the sake of ]]>.
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


@dataclass
class _Case:
    """A run, or what is about none.

    Attributes:
        entry: Whether there is an entry that can fail; a line that holds none is an error.
    """

    name: str
    path: str
    line: int
    entry: bool = True
    run: str | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    failed: list[Finding] = field(default_factory=list)
    told: list[Finding] = field(default_factory=list)


def render(report: Report, style: Style) -> str:
    """Return the report as XML 1.0."""
    suites = _suites(report)
    every = [case for cases in suites.values() for case in cases]
    rows = ['<?xml version="1.0" encoding="utf-8"?>', f'<testsuites name="nsm-gate"{_counts(every)}>']
    bases = {log.path: log.base for log in report.logs}
    for path, cases in suites.items():
        rows.append(f' <testsuite name="{_text(path)}"{_counts(cases)}>')
        rows += _properties([("base", bases.get(path, report.base)), ("why", report.why)], "  ")
        for case in cases:
            rows += _case(case)
        rows.append(" </testsuite>")
    rows.append("</testsuites>")
    return "".join(f"{row}\n" for row in rows)


def _suites(report: Report) -> dict[str, list[_Case]]:
    suites: dict[str, list[_Case]] = {log.path: [] for log in report.logs}
    names = Counter((run.path, run.name) for run in report.runs)
    places: dict[tuple[str, int], _Case] = {}
    for run in report.runs:
        name = run.name or f"line {run.line}"
        if run.name is not None and names[run.path, run.name] > 1:
            name = f"{plain(name, 200)} (line {run.line})"
        case = _Case(name, run.path, run.line, run.entry, run.name)
        places[run.path, run.line] = case
        suites.setdefault(run.path, []).append(case)
    for verdict in report.verdicts:
        judged = places.get((verdict.path, verdict.line))
        if judged is not None:
            judged.verdicts.append(verdict)
    loose: dict[str, _Case] = {}
    for finding in report.findings:
        # A line that was lost has its number in the base, where another run may stand now.
        at = places.get((finding.path, finding.line))
        if at is None or finding.run not in (None, at.run):
            name = "the log itself" if finding.path in suites else "the rules"
            at = loose.setdefault(finding.path, _Case(name, finding.path, finding.line))
        fails = report.fail_on is not None and finding.severity >= report.fail_on
        (at.failed if fails and finding.waived is None else at.told).append(finding)
    for path, case in loose.items():
        suites.setdefault(path, []).insert(0, case)
    return suites


def _counts(cases: Sequence[_Case]) -> str:
    failures = sum(bool(case.failed) and case.entry for case in cases)
    errors = sum(bool(case.failed) and not case.entry for case in cases)
    return f' tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0"'


def _case(case: _Case) -> Iterator[str]:
    path = _text(case.path)
    yield f'  <testcase name="{_text(case.name, 250)}" classname="{path}" file="{path}" line="{case.line}">'
    yield from _properties(
        [(verdict.criterion, f"{verdict.outcome.value}: {verdict.explanation}") for verdict in case.verdicts],
        "   ",
    )
    if case.failed:
        tag = "failure" if case.entry else "error"
        rules = ", ".join(dict.fromkeys(finding.rule for finding in case.failed))
        said = f"{plural(len(case.failed), 'finding')}: {rules}"
        if len(case.failed) == 1:
            said = sentence(case.failed[0])
        yield f'   <{tag} type="{case.failed[0].rule}" message="{_escape(said)}">'
        yield from (f"    {_escape(row(finding))}" for finding in case.failed)
        yield f"   </{tag}>"
    if case.told:
        yield "   <system-out>"
        yield from (f"    {_escape(row(finding))}" for finding in case.told)
        yield "   </system-out>"
    yield "  </testcase>"


def _properties(pairs: Sequence[tuple[str, str]], indent: str) -> Iterator[str]:
    if pairs:
        yield f"{indent}<properties>"
        for name, value in pairs:
            yield f'{indent} <property name="{_text(name)}" value="{_text(value)}"/>'
        yield f"{indent}</properties>"


def _text(text: str, limit: int = 500) -> str:
    """Return untrusted text for an attribute; the sink leaves nothing that XML cannot write."""
    return _escape(plain(text, limit))


def _escape(text: str) -> str:
    for char, code in _ENTITIES:
        text = text.replace(char, code)
    return text
