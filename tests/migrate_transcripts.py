"""What docs/migrate.md shows: its own old file and mapping, migrated by the real command."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from nsm_gate.conversions import STEPS
from tests.support import ROOT, Repo, gate

OLD, MAP, NEW = "old.jsonl", "mapping.yaml", "training_log.jsonl"


def lab(folder: Path) -> Repo:
    """Return a repository with the old file and the mapping of the page."""
    page = (ROOT / "docs/migrate.md").read_text(encoding="utf-8")
    repo = Repo.init(folder / "lab")
    for name, language in ((OLD, "json"), (MAP, "yaml")):
        found = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
        if found is None:
            raise ValueError(f"docs/migrate.md has no block of {language}")
        repo.write(name, found[1])
    return repo


def migrated() -> str:
    """Return what the command prints."""
    with tempfile.TemporaryDirectory() as folder:
        repo = lab(Path(folder))
        command = ("migrate", OLD, NEW, "--map", MAP)
        result = gate(*command, cwd=repo.path, env=repo.env)
        if result.code != 1 or result.err:
            raise AssertionError(f"the example should migrate one entry: {result}")
        return f"```console\n$ nsm-gate {' '.join(command)}\n{result.out}```"


def steps() -> str:
    """Return the table of conversions."""
    rows = ["| step | takes | gives |", "|---|---|---|"]
    rows += [f"| `{name}` | {sort.takes} | {sort.summary} |" for name, sort in STEPS.items()]
    return "\n".join(rows)
