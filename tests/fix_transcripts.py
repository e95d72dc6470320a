"""What docs/fix.md shows: the real command, on a real repository."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support import Repo, a_run, environment, gate

LOG = "experiments/training_log.jsonl"


def _lab(folder: Path) -> Repo:
    """Return a repository whose log got three lines in a hurry."""
    date = "2025-11-03T12:00:00+00:00"
    env = environment(folder, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    repo = Repo.init(folder / "lab", env=env)
    repo.write(LOG, [a_run("planning_plain_20251101")])
    repo.commit("Log the first run")
    first, second = (
        json.dumps(a_run(f"planning_{name}_20251101", at)) for name, at in (("gated", 3), ("wide", 7))
    )
    with open(repo.path / LOG, "ab") as file:
        file.write(first.replace('03:31Z"', '03:31"').encode() + b"\r\n\n")
        file.write(second.replace('07:00Z"', '09:00+02:00"').replace("T00:09", "T02:07").encode())
    return repo


def fixed() -> str:
    """Return what `nsm-gate fix` says, with and without --unsafe."""
    with tempfile.TemporaryDirectory() as folder:
        repo = _lab(Path(folder))
        rows = []
        for command in (("fix",), ("fix", "--unsafe")):
            result = gate(*command, cwd=repo.path, env=repo.env)
            if result.code != 1 or result.err:
                raise AssertionError(f"the example should change: {result}")
            rows.append(f"$ nsm-gate {' '.join(command)}\n{result.out}")
        return "```console\n" + "".join(rows) + "```"


def edits() -> str:
    """Return the fix of a finding as the JSON output has it."""
    with tempfile.TemporaryDirectory() as folder:
        repo = _lab(Path(folder))
        (found,) = (f for f in repo.check().findings if f["rule"] == "timestamp-not-utc")
        shown = {name: found[name] for name in ("rule", "line", "column", "end_column", "message", "fix")}
        return "```json\n" + json.dumps(shown, indent=2) + "\n```"
