"""docs/migrate.md says what is true: its commands run on its own file, and the guide's migration is one of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nsm_gate.mapping import Source
from tests.migrate_transcripts import MAP, NEW, OLD, lab
from tests.support import ROOT, gate

PAGE = (ROOT / "docs/migrate.md").read_text(encoding="utf-8")
WAYS = re.findall(
    r"^\$ nsm-gate (migrate .*?)(?:\s+#.*)?$", PAGE.partition("## Ways to run it")[2], re.MULTILINE
)


def test_the_ways_to_run_it_do_what_the_page_says(tmp_path: Path) -> None:
    repo = lab(tmp_path)
    dry, verbose, append, rest = (way.split() for way in WAYS)
    assert gate(*dry, cwd=repo.path, env=repo.env).code == 1
    assert not (repo.path / NEW).exists()
    assert "line 3: hyperparameter 'seed' is absent" in gate(*verbose, cwd=repo.path, env=repo.env).out
    before = (repo.path / NEW).read_bytes()
    assert "already there: 1\n" in gate(*append, cwd=repo.path, env=repo.env).out
    mended = (repo.path / MAP).read_text().replace("kg: knowledge", "kgraph: knowledge")
    repo.write(
        MAP,
        mended.replace(
            "dataset_config.domain: {from: dataset, convert: lower}",
            "dataset_config.domain: {from: dataset, convert: [lower, {lookup: {planning: planning, kgraph: knowledge_graph}}]}",
        ),
    )
    assert gate(*rest, cwd=repo.path, env=repo.env).code == 1
    whole = (repo.path / NEW).read_bytes()
    assert whole.startswith(before)
    assert [json.loads(row)["run_data"]["domain"] for row in whole.splitlines()] == [
        "planning",
        "knowledge_graph",
    ]
    (reject,) = map(json.loads, (repo.path / "rest.jsonl").read_text().splitlines())
    assert list(reject) == ["file", "line", "reasons", "original"]
    assert list(reject["reasons"][0]) == ["rule", "pointer", "message", "hint"]
    assert reject["original"] == (repo.path / OLD).read_text().splitlines()[2]


def test_every_key_of_the_schema_is_on_the_page() -> None:
    schema = json.loads((ROOT / "schemas/mapping.schema.json").read_bytes())
    for name in (*schema["properties"], *schema["$defs"]["source"]["properties"]):
        assert f"`{name}`" in PAGE, name
    assert {"default", "now", "optional", "rename", "without"} <= set(Source._fields)


GUIDE = """\
to: training_log
fields:
  timestamp: {from: timestamp, convert: {time: UTC}, now: true}
  run_data.run_id: experiment_id
  run_data.domain: dataset
  run_data.status: {value: completed}
  run_data.dataset_config: dataset_config
  run_data.hyperparameters: hyperparameters
  run_data.best_val_accuracy: accuracy
  run_data.findings: notes
"""


@pytest.mark.parametrize("timestamp", ["2025-10-21T00:00:00.000000", None])
def test_the_guides_own_migration(tmp_path: Path, timestamp: str | None) -> None:
    from tests.support import a_run

    run = a_run()["run_data"]
    old = {
        "experiment_id": "old_planning_20251021", "dataset": "planning", "accuracy": 0.435, "notes": run["findings"],
        "dataset_config": run["dataset_config"], "hyperparameters": run["hyperparameters"],
    }  # fmt: skip
    other = {**old, "timestamp": "2025-10-21T00:00:00.000000", "experiment_id": "old_other_20251021"}
    (tmp_path / OLD).write_text(
        json.dumps({**old, "timestamp": timestamp} if timestamp else old) + "\n" + json.dumps(other) + "\n"
    )
    (tmp_path / MAP).write_text(GUIDE)
    result = gate("migrate", OLD, NEW, "--map", MAP, cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    first = json.loads((tmp_path / NEW).read_text().splitlines()[0])
    assert first["timestamp"] == (f"{timestamp}Z" if timestamp else "2026-06-01T12:00:00Z")
    assert (first["run_data"]["run_id"], first["run_data"]["best_val_accuracy"]) == (
        "old_planning_20251021",
        0.435,
    )
