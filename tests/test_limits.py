"""No judgement hangs: each is named with the file that is at fault and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import Repo, a_run, gate_process, lines

KIND = """\
log: mine
files: ["**/mine.jsonl"]
schema: mine.schema.json
key: [id]
run_id: id
"""


def exploding() -> dict[str, Any]:
    """Return a schema that takes 2^60 steps to refuse anything but a 0."""
    parts: dict[str, Any] = {"a0": {"const": 0}}
    for number in range(1, 61):
        parts[f"a{number}"] = {
            "anyOf": [{"$ref": f"#/$defs/a{number - 1}"}, {"$ref": f"#/$defs/a{number - 1}"}]
        }
    return {"$defs": parts, "type": "object", "properties": {"x": {"$ref": "#/$defs/a60"}}}


@pytest.fixture
def slow(tmp_path: Path) -> Repo:
    """Return a repository whose schema explodes on its log."""
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules]\nlimits: {seconds: 1}\n")
    repo.write("rules/mine.yaml", KIND)
    repo.write("rules/mine.schema.json", json.dumps(exploding()))
    repo.write("mine.jsonl", lines({"id": "a", "x": 1}))
    return repo


def test_a_schema_that_explodes_is_exit_2_and_names_the_log(slow: Repo) -> None:
    result = gate_process("check", "--all", cwd=slow.path, env=slow.env)
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "nsm-gate: error: mine.jsonl:1: not judged within 1 second: "
        "it was at rule schema, by rules/mine.schema.json\n"
        "  look for a schema or a line that explodes, or raise limits.seconds\n"
    )


def test_a_time_out_is_told_in_every_output_and_nothing_in_it_acts(slow: Repo) -> None:
    folder = "a\n::error::forged##[error]x"
    slow.write(f"{folder}/mine.jsonl", lines({"id": "b", "x": 1}))
    (slow.path / "mine.jsonl").unlink()
    slow.write("old.json", '{\n "version": 1,\n "findings": []}\n')
    wanted = ("--output-format", "json", "--output-format", "json:old.json")
    result = gate_process("check", "--all", *wanted, cwd=slow.path, env=slow.env)
    assert result.code == 2
    assert "not judged within" in result.json["error"]["message"]
    assert json.loads((slow.path / "old.json").read_text()) == result.json
    assert not any(row.lstrip().startswith("::") for row in result.err.split("\n"))
    assert "##[" not in result.err + result.out


def test_a_line_and_a_file_over_their_limits_are_named(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [a_run()])
    repo.write("nsm-gate.yaml", "limits: {line: 500}\n")
    (finding,) = repo.check("--all").findings
    assert finding["rule"] == "invalid-json"
    assert "over the limit of 500" in finding["message"]
    repo.write("nsm-gate.yaml", "limits: {file: 500}\n")
    for args in (("--all",), ()):
        result = repo.check(*args)
        assert result.code == 2
        assert result.json["error"]["path"] == "training_log.jsonl"
    repo.commit()
    assert repo.check("--base", "HEAD").json["error"]["message"].endswith("over the limit of 500")
