"""What became of entries that were to be appended, behind or beside the report on their lines."""

from __future__ import annotations

from nsm_gate.entries import Appended
from nsm_gate.names import plural
from nsm_gate.nouns import Any
from nsm_gate.render.json import about, dump, finding, summary, verdict
from nsm_gate.render.untrusted import plain


def sentences(made: Appended, *, dry: bool = False) -> list[str]:
    """Return what happened, a sentence a row, for people."""
    log = plain(made.path)
    rows = []
    if made.torn is not None:
        rows.append(f"moved a torn last line of {log} to {plain(made.torn)}")
    if made.finished:
        rows.append(f"appended {plural(made.finished, 'line')} that an interrupted writer had begun with")
    if made.already:
        numbers = _numbers(sorted(made.already))
        rows.append(f"already in {log}: {numbers}")
    if made.written and made.new:
        filled = ", ".join(pointer[1:].replace("/", ".") for pointer in made.filled)
        also = f", with {plain(filled)} filled in" if filled else ""
        rows.append(f"appended to {log}: {_numbers(made.new)}{also}")
    elif made.report.exit_code:
        rows.append(f"nothing was appended to {log}: mend what is reported, and append again")
    elif dry:
        rows.append(f"nothing was appended to {log}: --dry-run only judges")
    return rows


def document(made: Appended) -> str:
    """Return the report as JSON, with one more member, `append`."""
    report = made.report
    return dump(
        {
            **about(report),
            "findings": [finding(found) for found in report.findings],
            "verdicts": [verdict(given) for given in report.verdicts],
            "summary": summary(report),
            "append": outcome(made),
        }
    )


def outcome(made: Appended) -> dict[str, Any]:
    """Return what happened as the members of a JSON object."""
    return {
        "log": made.path,
        "written": made.written,
        "lines": list(made.lines),
        "already": sorted(made.already),
        "filled": list(made.filled),
        "torn": made.torn,
        "finished": made.finished,
    }


def _numbers(lines: list[int]) -> str:
    """Return `line 9`, or `lines 9 to 12` where they follow each other, or `lines 3, 7 and 9`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    if lines[-1] - lines[0] == len(lines) - 1:
        return f"lines {lines[0]} to {lines[-1]}"
    shown = [str(line) for line in lines[:20]]
    if len(lines) > len(shown):
        return f"lines {', '.join(shown)} and {len(lines) - len(shown):,} more"
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"
