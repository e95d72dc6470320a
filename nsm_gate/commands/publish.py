"""What a CI system gets without being asked: its own format, GitHub's job summary and outputs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.edge import ci
from nsm_gate.errors import GateError
from nsm_gate.model import Outcome, Report, Severity

_CODE_QUALITY = "gl-code-quality-report.json"


def formats(environ: Mapping[str, str]) -> list[str]:
    """Return the output formats of the CI system that runs the gate; the text for people elsewhere.

    Under a hook runner that is the text too, since it prints what a hook says as it likes.
    """
    system = "" if ci.under_hook_runner(environ) else ci.system(environ)
    if system == "github":
        return ["github"]
    if system == "gitlab":
        return ["text", f"gitlab:{_CODE_QUALITY}"]
    return ["azure"] if system == "azure" else ["text"]


def blob(environ: Mapping[str, str]) -> str:
    """Return the address under which GitHub shows the files of the judged commit, or nothing."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA")
    server, repository, commit = (environ.get(name, "") for name in names)
    plain = all(char.isalnum() or char in "/:._-" for part in (server, repository, commit) for char in part)
    if not (server.startswith("https://") and repository and commit and plain):
        return ""
    return f"{server}/{repository}/blob/{commit}"


def group(text: str) -> str:
    """Return text as a group of the GitHub Actions log; a report holds no command that could end it."""
    return f"::group::nsm-gate\n{text}::endgroup::\n" if text else ""


def publish(report: Report, world: Surroundings) -> list[GateError]:
    """Write GitHub's job summary and outputs, where the runner names files for them.

    Returns:
        Why one of the files cannot be written; the other is written all the same.
    """
    wrong: list[GateError] = []
    summary, outputs = (world.environ.get(name, "") for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"))
    if summary:
        from nsm_gate.render.markdown import render
        from nsm_gate.render.style import Style

        _append(summary, render(report, Style(blob=blob(world.environ))), "GITHUB_STEP_SUMMARY", wrong)
    if outputs:
        _append(outputs, _outputs(counts(report)), "GITHUB_OUTPUT", wrong)
    return wrong


def publish_error(errors: Sequence[GateError], environ: Mapping[str, str]) -> None:
    """Say in the job summary and outputs that nothing was judged; what cannot be written is left out."""
    from nsm_gate.render.markdown import render_errors

    summary, outputs = (environ.get(name, "") for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"))
    wrong: list[GateError] = []
    if summary:
        _append(summary, render_errors(errors), "GITHUB_STEP_SUMMARY", wrong)
    if outputs:
        _append(outputs, _outputs({"status": "not-judged"}), "GITHUB_OUTPUT", wrong)


def counts(report: Report) -> dict[str, str]:
    """Return what other steps may ask: counts and the status, never a text of a log."""
    if report.lots is not None:
        runs, missed = report.lots.tally.runs, report.lots.tally.misses
    else:
        runs = sum(run.entry for run in report.runs)
        missed = sum(verdict.outcome is Outcome.MISSED for verdict in report.verdicts)
    return {
        "status": "failed" if report.exit_code else "passed",
        "errors": str(report.count(Severity.ERROR)),
        "warnings": str(report.count(Severity.WARNING)),
        "notices": str(report.count(Severity.NOTICE)),
        "waived": str(report.waived),
        "runs": str(runs),
        "missed": str(missed),
    }


def _outputs(values: Mapping[str, str]) -> str:
    import secrets  # only where a runner asks for outputs

    rows = []
    for name, value in values.items():
        # A delimiter that nobody can guess: no value ends its own block.
        end = f"nsm_gate_{secrets.token_hex(16)}"
        rows.append(f"{name}<<{end}\n{value}\n{end}\n")
    return "".join(rows)


def _append(path: str, text: str, what: str, wrong: list[GateError]) -> None:
    try:
        # Not through a link: the runner makes the file itself.
        flags = (
            os.O_WRONLY
            | os.O_APPEND
            | os.O_CREAT
            | getattr(os, "O_NOFOLLOW", 0)
            | getattr(os, "O_NONBLOCK", 0)
        )
        with open(os.open(path, flags, 0o644), "ab") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        hint = f"see that the file {what} names can be written, or use --no-ci"
        wrong.append(GateError(f"{what} cannot be written: {error.strerror}", hint, path))
