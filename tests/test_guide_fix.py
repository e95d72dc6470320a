"""The guide's own code beside the command that does it, on the real logs: both find the same, or the gate more."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, SHARED, Repo, gate

LOG = "experiments/training_log.jsonl"
PAGE = (ROOT / "docs/from-the-guide-fix.md").read_text(encoding="utf-8")
GUIDE = SHARED / "spec/experiment-tracking-guide.md"
REAL = SHARED / "logs/training_log.jsonl"

pytestmark = pytest.mark.skipif(not REAL.exists() or not GUIDE.exists(), reason="../shared is not there")


def commands(heading: str) -> list[list[str]]:
    """Return the commands of a section of the page."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [found.split() for found in re.findall(r"^\$ nsm-gate (.*)$", section, re.MULTILINE)]


def guides_code(heading: str) -> str:
    """Return the first block of Python of a section of the guide."""
    section = GUIDE.read_text(encoding="utf-8").partition(f"### {heading}\n")[2]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def run_guide(heading: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """Run the guide's code beside a log; return what it prints and the names it leaves."""
    out = io.StringIO()
    space: dict[str, Any] = {}
    # What the guide leaves to be filled in is a set of Ellipsis, which JSON has no way to write.
    code = guides_code(heading).replace("{...}", "{}")
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(out):
            exec(code, space)
    finally:
        os.chdir(before)
    return out.getvalue(), space


@pytest.fixture
def lab(tmp_path: Path) -> Repo:
    """A repository with the real log published."""
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, REAL.read_bytes())
    repo.commit()
    return repo


def appended(repo: Repo, *rows: bytes) -> int:
    """Append rows to the log; return how many lines it had."""
    before = (repo.path / LOG).read_bytes()
    (repo.path / LOG).write_bytes(before + b"".join(rows))
    return before.count(b"\n")


def test_the_page_quotes_the_guide() -> None:
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        assert " ".join(block.split()) in text


def test_malformed_json_lines(lab: Repo) -> None:
    good = REAL.read_bytes().split(b"\n")[3]
    nan = re.sub(rb'"best_val_loss": [0-9.]+', b'"best_val_loss": NaN', good).replace(b"baseline_", b"nan_")
    count = appended(lab, b'{"timestamp": \n', b"\n", nan + b"\r\n", b"{}")
    look, mend = commands("Malformed JSON Lines")
    said, _ = run_guide("Malformed JSON Lines", lab.path / "experiments")
    theirs = {int(number) for number in re.findall(r"^Line (\d+):", said, re.MULTILINE)}
    found = gate(*look, "--output-format", "json", cwd=lab.path, env=lab.env).findings
    ours = {finding["line"] for finding in found}
    assert theirs == {count + 1, count + 2}
    assert ours == theirs | {count + 3, count + 4}
    assert gate(*mend, cwd=lab.path, env=lab.env).code == 1
    left = gate(*look, "--output-format", "json", cwd=lab.path, env=lab.env).findings
    assert [finding["line"] for finding in left] == [count + 1]  # a torn line no machine can complete
    assert (lab.path / LOG).read_bytes().startswith(REAL.read_bytes())


def test_duplicate_entries(lab: Repo) -> None:
    rows = REAL.read_bytes().split(b"\n")
    count = appended(lab, rows[3] + b"\n", rows[4].replace(b'"findings": "', b'"findings": "Again: ') + b"\n")
    look, mend = commands("Duplicate Entries")
    _, space = run_guide("Duplicate Entries", lab.path / "experiments")
    found = gate(*look, "--output-format", "json", cwd=lab.path, env=lab.env).findings
    ours = [finding for finding in found if finding["rule"] == "duplicate-run"]
    assert [finding["run"] for finding in ours] == space["duplicates"]
    assert [finding["line"] for finding in ours] == [count + 1, count + 2]
    assert gate(*mend, cwd=lab.path, env=lab.env).code == 1
    _, space = run_guide("Duplicate Entries", lab.path / "experiments")
    assert space["duplicates"] == []
    ids = [json.loads(row)["run_data"]["run_id"] for row in (lab.path / LOG).read_bytes().splitlines()]
    assert ids[count:] == ["dual_pass_equal_fusion_2_20251021"]


def test_migration_guide(lab: Repo) -> None:
    (command,) = commands("Migration Guide")
    mapping = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert mapping is not None
    lab.write("mapping.yaml", mapping[1])
    olds = []
    for row in REAL.read_bytes().splitlines():
        run = json.loads(row)["run_data"]
        olds.append(
            {
                "experiment_id": run["run_id"], "dataset": run["domain"], "accuracy": run["best_val_accuracy"],
                "dataset_config": run["dataset_config"], "hyperparameters": run["hyperparameters"],
                "notes": run.get("findings"), "timestamp": json.loads(row)["timestamp"],
            }
        )  # fmt: skip
    lab.write("old.jsonl", olds)
    _, space = run_guide("Converting Old Format to New Format", lab.path)
    space["migrate_old_to_new"](str(lab.path / "old.jsonl"), str(lab.path / "theirs"))
    theirs = [json.loads(row)["run_data"] for row in (lab.path / "theirs").read_text().splitlines() if row]
    (lab.path / LOG).unlink()
    lab.git("rm", "-q", "--cached", LOG)
    result = gate(*command, cwd=lab.path, env=lab.env)
    assert result.code == 1  # the first runs of the project have neither findings nor every hyperparameter
    made = [json.loads(row)["run_data"] for row in (lab.path / LOG).read_text().splitlines()]
    rejected = [
        json.loads(row)
        for row in (lab.path / "experiments/training_log.rejects.jsonl").read_text().splitlines()
    ]
    assert len(made) + len(rejected) == len(olds) == len(theirs)
    shared = ("run_id", "domain", "status", "best_val_accuracy")
    wanted = {run["run_id"]: {name: run[name] for name in shared} for run in theirs}
    assert made
    for run in made:
        assert {name: run[name] for name in shared} == wanted[run["run_id"]]
    assert {reason["rule"] for reject in rejected for reason in reject["reasons"]} <= {
        "missing-findings", "missing-hyperparameter", "schema",
    }  # fmt: skip
