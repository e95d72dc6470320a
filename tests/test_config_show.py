"""`config show`: every setting that is in force, with the file and line that it comes from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import CHECKS
from nsm_gate.edge import packs
from tests.support import ROOT, Repo, Result, gate

CONFIG = """\
extends: nsm
pack: PIN
rules:
  - rules
  - more/
exclude: [broken/**, old/]
severity:
  criterion-missed: error
  timestamp-naive: {training_log: notice}
  missing-architecture: {training_log: {hyperparam_search: ignore}}
limits: {line: 2MiB, seconds: 7.5}
waivers:
  - rule: missing-findings
    run: a_20251101
    owner: lab
    reason: logged before
    expires: 2026-12-31
"""
TYPE = """\
experiment_type: hyperparam_search
requires: [architecture.variant]
criteria:
  accuracy: {above: 0.90, source: us}
references:
  top:
    from: baselines
    pick: max(accuracy)
    none: unknown
"""
LOG = """\
log: probes
files: [probes.jsonl]
schema: probe.schema.json
key: [id]
names: {score: [result.score]}
severity: {schema: warning, criterion-missed: notice}
assertions:
  share: {assert: score <= 1, at: result.score, message: m}
"""
SCHEMA = '{"properties": {"id": {}, "result": {"properties": {"score": {}}}}}'


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a repository that sets something of everything."""
    pin = packs.fingerprint(packs.files())[:12]
    repo = Repo(tmp_path / "lab")
    for name, data in {
        "nsm-gate.yaml": CONFIG.replace("PIN", pin),
        "rules/search.yaml": TYPE,
        "more/probes.yaml": LOG,
        "more/schemas/probe.schema.json": SCHEMA,
    }.items():
        repo.write(name, data)
    return repo.path


Row = tuple[Any, str | None, int | None]


def rows(result: Result) -> dict[str, Row]:
    """Return name -> value, path and line; hold the form of the JSON."""
    assert (result.code, result.err) == (0, "")
    assert set(result.json) == {"version", "settings"}
    assert result.json["version"] == 1
    found = {}
    for setting in result.json["settings"]:
        assert set(setting) == {"name", "value", "path", "line"}
        assert (setting["path"] is None) == (setting["line"] is None)
        assert setting["name"] not in found
        found[setting["name"]] = (setting["value"], setting["path"], setting["line"])
    return found


def shown(folder: Path, *args: str) -> dict[str, Row]:
    return rows(gate("config", "show", "--output-format", "json", *args, cwd=folder))


def test_what_the_configuration_sets_stands_at_its_line(lab: Path) -> None:
    found = shown(lab)
    here = "nsm-gate.yaml"
    assert found["extends"] == ("nsm", here, 1)
    assert (found["rules.0"], found["rules.1"]) == (("rules", here, 4), ("more", here, 5))
    assert (found["exclude.0"], found["exclude.1"]) == (("broken/**", here, 6), ("old/**", here, 6))
    assert found["limits.line"] == (2 << 20, here, 11)
    assert found["limits.seconds"] == (7.5, here, 11)
    assert found["limits.file"] == (256 << 20, None, None)
    waiver, *place = found["waivers.0"]
    assert waiver == {
        "rule": "missing-findings", "run": "a_20251101", "owner": "lab", "reason": "logged before", "expires": "2026-12-31",
    }  # fmt: skip
    assert place == [here, 13]


def test_the_pack_is_told_by_its_fingerprint_and_whether_it_is_the_agreed_one(lab: Path) -> None:
    whole = packs.fingerprint(packs.files())
    found = shown(lab, "pack")
    assert found == {"pack": (whole, None, None), "pack.pinned": (whole[:12], "nsm-gate.yaml", 2)}
    text = gate("config", "show", "pack.pinned", cwd=lab).out
    assert text.split() == ["pack.pinned", whole[:12], "nsm-gate.yaml:2"]
    Repo(lab).write("nsm-gate.yaml", CONFIG.replace("PIN", "f" * 12))
    assert "ffffffffffff, which is another one" in gate("config", "show", "pack", cwd=lab).out
    Repo(lab).write("nsm-gate.yaml", "extends: none\nrules: [more]\n")
    assert shown(lab, "pack") == {"pack": (None, None, None), "pack.pinned": (None, None, None)}
    assert gate("config", "show", "pack", cwd=lab).out.split() == [
        "pack",
        "none",
        "default",
        "pack.pinned",
        "no",
        "default",
    ]


def test_every_rule_has_a_severity_and_who_set_it(lab: Path) -> None:
    found = shown(lab, "severity")
    for check in CHECKS:
        assert f"severity.{check.id}" in found
    assert found["severity.schema"] == ("error", None, None)
    assert found["severity.criterion-missed"] == ("error", "nsm-gate.yaml", 8)
    assert found["severity.timestamp-naive"] == ("error", None, None)
    assert found["severity.missing-architecture.training_log.hyperparam_search"] == (
        "ignore",
        "nsm-gate.yaml",
        10,
    )
    # Of the log kind's file, unless the configuration has a word on the rule.
    assert found["severity.timestamp-naive.training_log"] == ("notice", "nsm-gate.yaml", 9)
    assert found["severity.schema.probes"] == ("warning", "more/probes.yaml", 6)
    assert "severity.criterion-missed.probes" not in found


def test_the_severity_of_a_log_kind_is_the_one_that_a_finding_gets(lab: Path) -> None:
    Repo(lab).write("probes.jsonl", [{"id": "a", "result": 5}])
    Repo(lab).write(
        "more/schemas/probe.schema.json", SCHEMA.replace('"result": {', '"result": {"type": "object", ')
    )
    result = gate("check", "--all", "--output-format", "json", "probes.jsonl", cwd=lab)
    severities = {f["rule"]: f["severity"] for f in result.findings}
    assert severities["schema"] == shown(lab, "severity.schema")["severity.schema.probes"][0] == "warning"


def test_of_the_pack_and_of_ones_own_files_each_line_is_named(lab: Path) -> None:
    found = shown(lab)
    search = "experiment_type.hyperparam_search"
    assert found[f"{search}.criteria.accuracy"] == ({"above": 0.9, "source": "us"}, "rules/search.yaml", 4)
    assert found[f"{search}.requires"] == (["architecture.variant"], "rules/search.yaml", 2)
    assert found[f"{search}.references.top"][1:] == ("rules/search.yaml", 7)
    assert found["log.probes.names.score"] == (["result.score"], "more/probes.yaml", 5)
    assert found["log.probes.assertions.share"][1:] == ("more/probes.yaml", 8)
    assert found["log.probes.schema"] == ("more/schemas/probe.schema.json", "more/probes.yaml", 3)
    assert found["log.training_log.schema"][0] == "nsm:schemas/training_log.schema.json"
    assert found["log.training_log.times.start"][0] == "start_time"
    assert found["log.training_log.rates.accuracy"][0] == "dataset_config.val_size"
    value, path, line = found[f"{search}.criteria.balance_delta"]
    assert path == "nsm:rules/experiment_types/hyperparam_search.yaml"
    row = (ROOT / path.removeprefix("nsm:")).read_text().splitlines()[(line or 0) - 1]
    assert row.strip().startswith("balance_delta: {below: 0.35")
    assert value["below"] == 0.35
    assert found["domain.causal.metrics"][0] == ["counterfactual_accuracy", "intervention_accuracy"]


def test_every_setting_of_the_pack_points_at_a_line_that_holds_it(tmp_path: Path) -> None:
    files: dict[str, list[str]] = {}
    told = 0
    for name, (value, path, line) in shown(tmp_path).items():
        if path is None:
            continue
        rows_ = files.setdefault(path, (ROOT / path.removeprefix("nsm:")).read_text().splitlines())
        row = rows_[(line or 0) - 1]
        first = next(iter(value)) if isinstance(value, (dict, list)) else value
        assert name.rpartition(".")[2] in row or str(first).lower() in row, (name, row)
        told += 1
    assert told > 80


def test_the_columns_are_aligned_and_long_values_cut(lab: Path) -> None:
    out = gate("config", "show", "log.training_log", cwd=lab).out
    places = {row.index("nsm:rules") for row in out.splitlines()}
    assert len(places) == 1
    assert any("…  nsm:rules" in row for row in out.splitlines())
    names = [row.split("  ")[0] for row in out.splitlines()]
    assert names == list(shown(lab, "log.training_log"))


def test_the_text_leaves_out_what_decides_nothing(lab: Path) -> None:
    (row,) = gate(
        "config", "show", "experiment_type.hyperparam_search.criteria.accuracy", cwd=lab
    ).out.splitlines()
    assert row.split("  ") == [
        "experiment_type.hyperparam_search.criteria.accuracy",
        "above: 0.90",
        "rules/search.yaml:4",
    ]


@pytest.mark.parametrize(
    "prefix", ["limits", "limits.", "limits.line", "severity.time", "domain.causal", "log.probes"]
)
def test_a_name_shows_what_begins_so(lab: Path, prefix: str) -> None:
    every = shown(lab)
    some = shown(lab, prefix)
    assert some == {name: row for name, row in every.items() if name.startswith(prefix)}
    assert some


@pytest.mark.parametrize("name, near", [("sevrity", "severity"), ("limit.line", "limits.line"), ("xyz", "")])
def test_an_unknown_name_is_exit_2_with_a_suggestion(lab: Path, name: str, near: str) -> None:
    result = gate("config", "show", name, cwd=lab)
    assert (result.code, result.out) == (2, "")
    assert f"no setting begins with '{name}'" in result.err
    assert (f"did you mean '{near}'?" if near else "shows them all") in result.err
    as_json = gate("config", "show", name, "--output-format", "json", cwd=lab)
    assert set(as_json.json) == {"error"}


def test_without_a_configuration_the_pack_is_all_there_is(tmp_path: Path) -> None:
    found = shown(tmp_path)
    assert found["extends"] == ("nsm", None, None)
    assert (found["rules"], found["exclude"], found["waivers"]) == ((([]), None, None),) * 3
    assert {path.partition(":")[0] for _, path, _ in found.values() if path} == {"nsm"}


def test_a_table_of_pyproject_is_named(tmp_path: Path) -> None:
    Repo(tmp_path).write("pyproject.toml", '[project]\nname = "x"\n\n[tool.nsm-gate.limits]\nline = 5000\n')
    assert shown(tmp_path, "limits.line") == {"limits.line": (5000, "pyproject.toml", 5)}


def test_another_configuration_may_be_named(lab: Path, tmp_path: Path) -> None:
    Repo(tmp_path).write("team.yaml", "limits: {line: 7000}\n")
    for args in (("--config", "../team.yaml"), (f"--config={tmp_path}/team.yaml",)):
        value, path, line = shown(lab, "limits.line", *args)["limits.line"]
        assert (value, path, line) == (7000, "team.yaml", 1)


def test_an_installed_pack_and_what_it_enforces_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, repo = Repo(tmp_path / "site"), Repo.init(tmp_path / "r")
    pack = "pack: lab_pack\nseverity: {missing-findings: error, blank-line: error}\nenforce:\n  - missing-findings\n"
    site.write("lab_pack/__init__.py", "")
    site.write("lab_pack/nsm-gate-pack.yaml", pack)
    site.write("lab_pack/rules/t.yaml", "experiment_type: theirs\ncriteria: {accuracy: '> 0.7'}\n")
    repo.write("nsm-gate.yaml", "extends: lab_pack\n")
    monkeypatch.setattr(sys, "path", [str(site.path), *sys.path])
    found = shown(repo.path)
    assert found["enforce.0"] == ("missing-findings", "lab_pack:nsm-gate-pack.yaml", 4)
    assert found["severity.blank-line"] == ("error", "lab_pack:nsm-gate-pack.yaml", 2)
    assert found["experiment_type.theirs.criteria.accuracy"] == ("> 0.7", "lab_pack:rules/t.yaml", 2)
    assert len(found["pack"][0]) == 64


def test_rules_that_do_not_load_are_exit_2(lab: Path) -> None:
    Repo(lab).write("rules/search.yaml", TYPE + "oops: 1\n")
    for form in ("text", "json"):
        result = gate("config", "show", "--output-format", form, cwd=lab)
        assert result.code == 2
        assert "rules/search.yaml" in result.err
        assert (result.out == "") if form == "text" else (set(result.json) == {"error"})


def test_what_files_say_cannot_act_on_a_terminal_or_a_runner(tmp_path: Path) -> None:
    waiver = '  - {rule: schema, run: "a\\u001b[31m::error::x", owner: o, reason: "##[error]", expires: 2026-12-31}\n'
    Repo(tmp_path).write("nsm-gate.yaml", f"waivers:\n{waiver}")
    out = gate("config", "show", "waivers", cwd=tmp_path).out
    assert "\\u001b" in out
    assert not any(text in out for text in ("::", "##[", "\x1b"))
    value = shown(tmp_path, "waivers")["waivers.0"][0]
    assert value["run"] == "a\x1b[31m::error::x"
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "args", [("config",), ("config", "shw"), ("config", "show", "--output-format", "xml")]
)
def test_wrong_usage_is_exit_2(tmp_path: Path, args: tuple[str, ...]) -> None:
    result = gate(*args, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "usage: nsm-gate config" in result.err
