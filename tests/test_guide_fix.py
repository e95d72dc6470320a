"""What docs/from-the-guide.md says of mending and migration, beside the guide's own code on the real logs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.guide import PAGE, Ran, Section, run_snippet, sections, working_in
from tests.support import SHARED, Repo, gate

LOG = "experiments/training_log.jsonl"
REAL = SHARED / "logs/training_log.jsonl"
TEXT = PAGE.read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(
    not REAL.exists(), reason="the project's real logs are not beside this checkout"
)


def section(title: str) -> Section:
    """Return a section of the page."""
    (found,) = [one for one in sections() if one.title == title]
    return found


def mend(repo: Repo, *args: str) -> None:
    """Run a fix that the page names, which changes something."""
    assert f"`nsm-gate {' '.join(args)}`" in TEXT.replace("\n", " ")
    assert gate(*args, cwd=repo.path, env=repo.env).code == 1


def look(repo: Repo, title: str) -> list[dict[str, Any]]:
    """Return what the first command of a section finds."""
    _, *args = section(title).commands[0].split()
    return gate(*args, "--output-format", "json", cwd=repo.path, env=repo.env).findings


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


def test_what_a_machine_can_mend_of_malformed_lines_is_mended(lab: Repo) -> None:
    good = REAL.read_bytes().split(b"\n")[3]
    nan = re.sub(rb'"best_val_loss": [0-9.]+', b'"best_val_loss": NaN', good).replace(b"baseline_", b"nan_")
    count = appended(lab, b'{"timestamp": \n', b"\n", nan + b"\r\n", b"{}")
    theirs = run_snippet(section("Malformed JSON Lines"), lab.path).out
    assert re.findall(r"^Line (\d+):", theirs, re.MULTILINE) == [str(count + 1), str(count + 2)]
    assert [f["line"] for f in look(lab, "Malformed JSON Lines")] == [count + 1, count + 2, count + 3]
    mend(lab, "fix")
    mend(lab, "fix", "--unsafe")
    # A torn line no machine can complete.
    assert [f["line"] for f in look(lab, "Malformed JSON Lines")] == [count + 1]
    whole = (lab.path / LOG).read_bytes()
    assert whole.startswith(REAL.read_bytes())
    assert b'"best_val_loss": null' in whole.splitlines()[count + 1]
    assert whole.endswith(b"\n{}\n")


def test_duplicates_are_numbered_and_copies_taken_out(lab: Repo) -> None:
    rows = REAL.read_bytes().split(b"\n")
    count = appended(lab, rows[3] + b"\n", rows[4].replace(b'"findings": "', b'"findings": "Again: ') + b"\n")
    theirs = run_snippet(section("Duplicate Entries"), lab.path).names["duplicates"]
    assert [f["run"] for f in look(lab, "Duplicate Entries")] == theirs
    mend(lab, "fix", "--unsafe", "--select", "duplicate-run")
    assert run_snippet(section("Duplicate Entries"), lab.path).names["duplicates"] == []
    ids = [json.loads(row)["run_data"]["run_id"] for row in (lab.path / LOG).read_bytes().splitlines()]
    assert ids[count:] == ["dual_pass_equal_fusion_2_20251021"]


def test_the_mapping_gives_what_the_guide_s_function_gives(lab: Repo) -> None:
    part = section("Converting Old Format to New Format")
    mapping = re.search(r"```yaml\n(# mapping\.yaml\n.*?)```", TEXT, re.DOTALL)
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
    # What the guide leaves to be filled in is a set of Ellipsis, which JSON has no way to write.
    defined: Ran = run_snippet(
        Section(part.title, part.language, part.block.replace("{...}", "{}"), ()), lab.path
    )
    with working_in(lab.path):
        defined.names["migrate_old_to_new"]("old.jsonl", "theirs")
    theirs = [json.loads(row)["run_data"] for row in (lab.path / "theirs").read_text().splitlines()]
    (lab.path / LOG).unlink()
    lab.git("rm", "-q", "--cached", LOG)
    (command,) = part.commands
    result = gate(*command.split()[1:], cwd=lab.path, env=lab.env)
    # The first runs of the project have neither findings nor every hyperparameter.
    assert (result.code, result.err) == (1, "")
    made = [json.loads(row)["run_data"] for row in (lab.path / LOG).read_text().splitlines()]
    place = lab.path / "experiments/training_log.rejects.jsonl"
    rejected = [json.loads(row) for row in place.read_text().splitlines()]
    assert len(made) + len(rejected) == len(olds) == len(theirs)
    shared = ("run_id", "domain", "status", "best_val_accuracy")
    wanted = {run["run_id"]: {name: run[name] for name in shared} for run in theirs}
    assert made
    for run in made:
        assert {name: run[name] for name in shared} == wanted[run["run_id"]]
    assert {reason["rule"] for reject in rejected for reason in reject["reasons"]} <= {
        "missing-findings", "missing-hyperparameter", "schema",
    }  # fmt: skip
