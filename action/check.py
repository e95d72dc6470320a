"""Runs `nsm-gate check` with the inputs of the action, in the environment that the gate is installed in."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping

from runner import Refused, error, given, output, paths


def arguments(environ: Mapping[str, str]) -> list[str]:
    """Return the command line. Each value is joined to its option, so that none can become an option."""
    made = ["check", "--output-format=auto", f"--fail-on={given(environ, 'FAIL_ON') or 'error'}"]
    for option, name in (
        ("--base=", "BASE"),
        ("--config=", "CONFIG"),
        ("--rules-from=", "RULES_FROM"),
        ("--output-format=sarif:", "SARIF_FILE"),
        ("--output-format=markdown:", "COMMENT_FILE"),
    ):
        value = given(environ, name)
        if value:
            made.append(f"{option}{value}")
    return [*made, *paths(environ)]


def run(environ: Mapping[str, str]) -> int:
    """Judge; return the exit code of the check. Its own outputs are set by the check itself."""
    from nsm_gate.__main__ import program

    sarif, comment = given(environ, "SARIF_FILE"), given(environ, "COMMENT_FILE")
    for path in (sarif, comment):
        # Where there cannot be a folder, the check says so, and writes the rest.
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    before = _stamp(sarif)
    sys.argv = ["nsm-gate", *arguments(environ)]
    code = program()
    if code == 2:
        sys.stdout.write(error(Refused("nothing was judged", "the log of this step says why")))
    # A file of an earlier step is not this one's report.
    if sarif and _stamp(sarif) not in (None, before):
        output(environ, "sarif-file", sarif)
    return code


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path) if path else None
    except (OSError, ValueError):
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
