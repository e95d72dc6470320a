"""The configuration of a repository, through the command: what it means, and every way to get it wrong."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nsm_gate.render.untrusted import plain
from tests.support import ROOT, Repo, Result, a_baseline, a_run, edited, lines

CONFIG = "nsm-gate.yaml"
PYPROJECT = "pyproject.toml"
LOG = "experiments/training_log.jsonl"
OWN = {CONFIG: "rules: [rules]\n"}
MINE = "log: mine\nfiles: [mine.jsonl]\nkey: [id]\nschema: mine.schema.json\n"

Files = Mapping[str, bytes | str | list[Any]]


def repository(tmp_path: Path, files: Files) -> Repo:
    repo = Repo.init(tmp_path / "r")
    for name, data in {LOG: [a_run()], **files}.items():
        repo.write(name, data)
    return repo


def judged(tmp_path: Path, files: Files, *args: str, **options: Any) -> Result:
    return repository(tmp_path, files).check("--all", *args, **options)


def refused(result: Result) -> list[tuple[str, str]]:
    """Hold what every refusal owes its reader; return (place and fact, remedy) of each mistake."""
    assert result.code == 2
    assert "Traceback" not in result.err
    assert "internal error" not in result.err, result.err
    mistakes: list[tuple[str, str]] = []
    for row in result.err.splitlines():
        if row.startswith("nsm-gate: error: "):
            mistakes.append((row.removeprefix("nsm-gate: error: "), ""))
        else:
            assert row.startswith("  ")
            mistakes[-1] = (mistakes[-1][0], row.strip())
    assert mistakes
    assert set(result.json) == {"error"}
    error = result.json["error"]
    assert set(error) == {"message", "hint", "path", "line", "column"}
    place = ":".join(str(part) for part in (error["path"], error["line"], error["column"]) if part)
    assert mistakes[0][0].startswith(plain(place))
    return mistakes


def facts(result: Result) -> list[str]:
    return [fact for fact, _ in refused(result)]


# --- where it stands --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {CONFIG: "severity: {missing-findings: warning}\n"},
        {PYPROJECT: '[project]\nname = "x"\n\n[tool.nsm-gate.severity]\nmissing-findings = "warning"\n'},
        {PYPROJECT: '[tool.nsm-gate]\nseverity = {missing-findings = "warning"}\n'},
        {PYPROJECT: '[tool."nsm-gate"]\nseverity."missing-findings" = "warning"\n'},
    ],
)
def test_it_is_read_from_its_own_file_or_from_pyproject(tmp_path: Path, files: Files) -> None:
    result = judged(tmp_path, {LOG: [edited(a_run(), findings="")], **files})
    assert [(f["rule"], f["severity"]) for f in result.findings] == [("missing-findings", "warning")]
    assert result.code == 0


def test_both_at_once_is_refused(tmp_path: Path) -> None:
    result = judged(tmp_path, {CONFIG: "extends: nsm\n", PYPROJECT: "\n[tool.nsm-gate]\n"})
    assert refused(result) == [
        (
            "pyproject.toml:2:1: both nsm-gate.yaml and [tool.nsm-gate] in pyproject.toml configure the gate",
            "keep one of the two",
        )
    ]


@pytest.mark.parametrize(
    "pyproject",
    [
        '[project]\ndependencies = ["nsm-gate"]\n',
        "[tool.other]\nx = 1\n",
        "# nsm-gate\n[tool.nsm-gates]\nx = 1\n",
        "this is not TOML\n",
        b"\xff\xfe",
        "",
    ],
)
def test_a_pyproject_without_the_table_is_left_alone(tmp_path: Path, pyproject: str | bytes) -> None:
    result = judged(tmp_path, {CONFIG: "extends: nsm\n", PYPROJECT: pyproject})
    assert (result.code, result.err, result.findings) == (0, "", [])


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "{}\n", "null\n", "\ufeff"])
def test_an_empty_file_changes_nothing(tmp_path: Path, content: str) -> None:
    result = judged(tmp_path, {CONFIG: content})
    assert (result.code, result.err, result.findings) == (0, "", [])
    assert result.json["summary"]["checked"] == 1


def test_config_names_another_file(tmp_path: Path) -> None:
    files: Files = {
        LOG: [edited(a_run(), findings="")],
        CONFIG: "severity: {missing-findings: notice}\n",
        "ci/strict.yaml": "severity: {missing-findings: warning}\n",
        "ci/strict.toml": '[tool.nsm-gate.severity]\nmissing-findings = "ignore"\n',
    }
    repo = repository(tmp_path, files)

    def severities(*args: str) -> list[str]:
        return [finding["severity"] for finding in repo.check("--all", *args).findings]

    assert severities() == ["notice"]
    assert severities("--config", "ci/strict.yaml") == ["warning"]
    assert severities("--config", str(repo.path / "ci" / "strict.yaml")) == ["warning"]
    assert severities("--config", "ci/strict.toml") == []
    assert severities(f"--config={CONFIG}") == ["notice"]


def test_config_may_lie_outside_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text("severity: {missing-findings: warning}\n")
    result = judged(tmp_path, {LOG: [edited(a_run(), findings="")]}, "--config", "../team.yaml")
    assert [finding["severity"] for finding in result.findings] == ["warning"]


@pytest.mark.parametrize(
    "name", ["none.yaml", "none.toml", "experiments", "..", "a\nb.yaml", "ci/../none.yaml"]
)
def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    found = refused(judged(tmp_path, {}, "--config", name))
    assert len(found) == 1
    assert "is not there" in found[0][0]


def test_a_toml_file_without_the_table_is_no_configuration(tmp_path: Path) -> None:
    # It was named on purpose: the pack's rules in its place would be a surprise.
    result = judged(tmp_path, {"ci.toml": "[tool.nsm_gate]\nexclude = []\n"}, "--config", "ci.toml")
    assert "ci.toml" in facts(result)[0]


def test_a_staged_configuration_judges_what_is_staged(tmp_path: Path) -> None:
    repo = repository(tmp_path, {})
    repo.commit()
    repo.append(LOG, edited(a_run("planning_next_20251101", 1), findings=""))
    repo.write(CONFIG, "severity: {missing-findings: warning}\n")
    repo.git("add", "-A")
    repo.write(CONFIG, "severity: {missing-findings: ignore}\n")
    found = repo.check("--staged").findings
    assert [f["severity"] for f in found if f["rule"] == "missing-findings"] == ["warning"]
    assert repo.check("--all").rules() == []


@pytest.mark.parametrize("name", [CONFIG, PYPROJECT])
def test_a_configuration_that_is_a_symbolic_link_is_not_passed_over(tmp_path: Path, name: str) -> None:
    repo = repository(
        tmp_path,
        {"real": '[tool.nsm-gate]\nexclude = ["**"]\n' if name == PYPROJECT else "exclude: ['**']\n"},
    )
    os.symlink("real", repo.path / name)
    assert name in facts(repo.check("--all"))[0]


def test_a_rules_file_that_is_a_symbolic_link_is_not_passed_over(tmp_path: Path) -> None:
    repo = repository(
        tmp_path, {**OWN, "rules/a.yaml": "experiment_type: a\n", "other/b": "experiment_type: b\n"}
    )
    os.symlink("../other/b", repo.path / "rules" / "b.yaml")
    assert "rules/b.yaml" in facts(repo.check("--all"))[0]


def test_a_schema_outside_of_the_repository_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"required": ["secret"]}')
    log = MINE.replace("mine.schema.json", "../../secret.json")
    assert facts(judged(tmp_path, {**OWN, "rules/a.yaml": log})) == [
        "rules/a.yaml:4:9: schema '../../secret.json' is not there"
    ]


# --- mistakes -----------------------------------------------------------------------------------


def test_all_mistakes_of_the_shape_are_reported_at_once(tmp_path: Path) -> None:
    source = """\
extends: ../pack
exclud: []
severity:
  schema: bad
  timestamp-naive: {training_log: off}
  missing-architecture: {training_log: {hyperparam_search: false}}
waivers:
  - {rule: schema, run: x, ownr: o, reason: r, expires: 31.12.2026}
limits: {line: 1MB, lines: 3}
"""
    found = {
        (int(fact.split(":")[1]), int(fact.split(":")[2])): (fact, hint)
        for fact, hint in refused(judged(tmp_path, {CONFIG: source}))
    }
    assert {(1, 10), (2, 1), (4, 11), (5, 35), (6, 60), (8, 28), (8, 57), (9, 16), (9, 21)} <= set(found)
    assert found[1, 10][0].startswith("nsm-gate.yaml:1:10: extends ")
    assert found[2, 1][1] == "did you mean 'exclude'?"
    assert found[8, 28][1] == "did you mean 'owner'?"
    assert found[9, 21][1] == "did you mean 'line'?"
    assert all(fact.startswith("nsm-gate.yaml:") for fact, _ in found.values())


def test_all_unknown_names_are_reported_at_once_with_suggestions(tmp_path: Path) -> None:
    source = """\
severity:
  criterion-mised: error
  timestamp-naive: {traning_log: error}
  missing-architecture: {training_log: {hyperparam_serch: ignore, zzz: error}}
waivers:
  - {rule: misssing-findings, run: x, owner: o, reason: r, expires: 2026-12-31}
  - {rule: schema, owner: o, reason: r, expires: 2026-02-30}
"""
    found = refused(judged(tmp_path, {CONFIG: source}))
    assert [fact for fact, _ in found] == [
        "nsm-gate.yaml:2:3: no rule is called 'criterion-mised'",
        "nsm-gate.yaml:3:21: no log kind is called 'traning_log'",
        "nsm-gate.yaml:4:41: no experiment type is called 'hyperparam_serch'",
        "nsm-gate.yaml:4:67: no experiment type is called 'zzz'",
        "nsm-gate.yaml:6:12: no rule is called 'misssing-findings'",
        "nsm-gate.yaml:7:5: a waiver names a run, or a path and a line",
        "nsm-gate.yaml:7:50: '2026-02-30' is no date",
    ]
    assert [hint for _, hint in found] == [
        "did you mean 'criterion-missed'?",
        "did you mean 'training_log'?",
        "did you mean 'hyperparam_search'?",
        "nsm-gate knows domain_exploration, dual_pass_validation, hyperparam_search, physics_validation",
        "did you mean 'missing-findings'?",
        "give one of the two",
        "write YYYY-MM-DD",
    ]


def test_mistakes_of_a_pyproject_have_places_too(tmp_path: Path) -> None:
    source = '[project]\nname = "x"\n[tool.nsm-gate]\nexclud = []\n[tool.nsm-gate.severity]\nschema = "bad"\n'
    first, second = sorted(refused(judged(tmp_path, {PYPROJECT: source})))
    assert first[0].startswith("pyproject.toml:4:1: ")
    assert "'exclud'" in first[0]
    assert first[1] == "did you mean 'exclude'?"
    assert second[0].startswith("pyproject.toml:6:1: severity.schema is 'bad', not one of 'error'")


def test_the_mistakes_of_all_rules_files_are_reported_at_once(tmp_path: Path) -> None:
    files = {
        CONFIG: "rules: [rules]\nseverity: {nope: error}\n",
        "rules/a.yaml": "experiment_type: a\ncriterai: {}\n",
        "rules/b.yaml": 'domain: b\ncriteria:\n  x: "> "\n  y: {above: 1, below: 2}\n  z: {when: x}\n',
        "rules/c.yaml": "log: c\n",
        "rules/d.yaml": "something: else\n",
        "rules/e/f.yml": "experiment_type: [\n",
        "rules/notes.txt": "not YAML: [\n",
    }
    found = sorted(facts(judged(tmp_path, files)))
    unknown = found.pop(1)
    assert unknown.startswith("rules/a.yaml:2:1: ")
    assert "'criterai'" in unknown
    assert found == [
        "nsm-gate.yaml:2:12: no rule is called 'nope'",
        "rules/b.yaml:3:9: a value is expected, the end found in '>'",
        "rules/b.yaml:4:6: criterion 'y' has above and below",
        "rules/b.yaml:5:6: criterion 'z' has no test",
        "rules/c.yaml:1:1: log kind 'c' has no files",
        "rules/d.yaml:1:1: the file does not say what it defines",
        "rules/e/f.yml:2:1: not YAML: did not find expected node content",
    ]


@pytest.mark.parametrize(
    "files, fact",
    [
        ({CONFIG: "[]\n"}, "nsm-gate.yaml:1:1: the file is not a mapping"),
        ({CONFIG: "text\n"}, "nsm-gate.yaml:1:1: the file is not a mapping"),
        ({CONFIG: b"\xff\xfe"}, "nsm-gate.yaml: file is not UTF-8"),
        ({CONFIG: "exclude: [\n"}, "nsm-gate.yaml:2:1: not YAML: did not find expected node content"),
        ({CONFIG: "exclude: []\nexclude: []\n"}, "nsm-gate.yaml:2:1: key 'exclude' is already set on line 1"),
        ({CONFIG: "exclude: &x []\n"}, "nsm-gate.yaml:1:10: anchors and aliases are not allowed"),
        ({CONFIG: "exclude: 5\n"}, "nsm-gate.yaml:1:10: exclude is 5, not a list"),
        ({CONFIG: "rules: [5]\n"}, "nsm-gate.yaml:1:9: rules[0] is 5, not a string"),
        ({CONFIG: "severity: []\n"}, "nsm-gate.yaml:1:11: severity is a list of 0 items, not an object"),
        ({CONFIG: "waivers: {}\n"}, "nsm-gate.yaml:1:10: waivers is an object of 0 members, not a list"),
        ({CONFIG: "waivers: [x]\n"}, "nsm-gate.yaml:1:11: waivers[0] is 'x', not an object"),
        ({CONFIG: "extends: none\n"}, "nsm-gate.yaml: the policy knows no log kind"),
        ({CONFIG: "rules: [rules]\n"}, "nsm-gate.yaml:1:9: folder 'rules' holds no rules"),
        ({CONFIG: "rules: ['..', /etc]\n"}, "nsm-gate.yaml:1:9: folder '..' holds no rules"),
        ({PYPROJECT: "[tool.nsm-gate\n"}, "pyproject.toml: not TOML: "),
        ({PYPROJECT: b'[tool.nsm-gate]\nx = "\xff"\n'}, "pyproject.toml: not TOML: "),
        ({PYPROJECT: "[tool.nsm-gate]\nx = " + "[" * 5000}, "pyproject.toml: not TOML: "),
        ({PYPROJECT: "[tool]\nnsm-gate = 5\n"}, "pyproject.toml:"),
        ({PYPROJECT: "[[tool.nsm-gate]]\n"}, "pyproject.toml:"),
        ({PYPROJECT: "[tool.nsm-gate]\nlimits = {line = nan}\n"}, "pyproject.toml:2:11: limits.line is "),
        ({PYPROJECT: "[tool.nsm-gate]\nexclude = [2026-01-01]\nrules = [1]\n"}, "pyproject.toml:3:1: rules[0] is 1"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_broken_configuration_is_refused_with_its_place(tmp_path: Path, files: Files, fact: str) -> None:
    assert facts(judged(tmp_path, files))[0].startswith(fact)


@pytest.mark.parametrize(
    "limit", ["1024.0", "1e3", "1e300", "1e999", "9223372036854775808", "0.5", "true", "'1e3'", "-1KiB"]
)
def test_a_limit_that_is_no_size_is_refused_not_a_bug(tmp_path: Path, limit: str) -> None:
    assert facts(judged(tmp_path, {CONFIG: f"limits: {{line: {limit}}}\n"}))[0].startswith("nsm-gate.yaml:1:")


@pytest.mark.parametrize("limit", ["0", "-5", "0KiB"])
@pytest.mark.parametrize("which", ["line", "file"])
def test_a_limit_that_lets_nothing_through_is_refused(tmp_path: Path, limit: str, which: str) -> None:
    assert facts(judged(tmp_path, {CONFIG: f"limits: {{{which}: {limit}}}\n"}))[0].startswith(
        "nsm-gate.yaml:1:"
    )


def test_a_name_of_odd_digits_is_a_name(tmp_path: Path) -> None:
    # '²'.isdigit() is true, and int('²') raises.
    assert facts(judged(tmp_path, {CONFIG: 'severity: {"²": 5}\n'}))[0].startswith("nsm-gate.yaml:1:1")
    files = {**OWN, "rules/a.yaml": 'experiment_type: a\ncriteria:\n  "²": 5\n'}
    assert facts(judged(tmp_path, files))[0].startswith("rules/a.yaml:3:")


@pytest.mark.parametrize(
    "content", ['tool = "nsm-gate"\n', 'tool = ["nsm-gate"]\n', "[[tool]]\nnsm-gate = 1\n"]
)
def test_a_pyproject_whose_tool_is_no_table_is_no_bug(tmp_path: Path, content: str) -> None:
    result = judged(tmp_path, {PYPROJECT: content})
    assert "internal error" not in result.err
    assert result.code == 0 or facts(result)[0].startswith("pyproject.toml")


def test_toml_that_is_nested_deeply_is_no_bug(tmp_path: Path) -> None:
    content = "[tool.nsm-gate]\nexclude = " + "[" * 300 + "]" * 300 + "\n"
    assert facts(judged(tmp_path, {PYPROJECT: content}))[0].startswith("pyproject.toml")


@pytest.mark.parametrize(
    "args", [("--select", "nope"), ("--ignore", "schema,nope"), ("--select", "schema", "--ignore", "nope")]
)
def test_an_unknown_rule_on_the_command_line_is_refused(tmp_path: Path, args: tuple[str, ...]) -> None:
    assert facts(judged(tmp_path, {}, *args)) == ["no rule is called 'nope'"]


def test_every_unknown_rule_on_the_command_line_is_named(tmp_path: Path) -> None:
    assert facts(judged(tmp_path, {}, "--select", "nope,schema", "--ignore", "bad", "--select", "worse")) == [
        f"no rule is called '{name}'" for name in ("nope", "worse", "bad")
    ]


def test_select_and_ignore_choose_what_is_reported(tmp_path: Path) -> None:
    broken = edited(a_run("x"), findings="", experiment_type=None)
    repo = repository(tmp_path, {LOG: [broken]})
    assert {rule for rule, _ in repo.check("--all").rules()} >= {
        "missing-findings",
        "run-id-format",
        "missing-experiment-type",
    }
    assert repo.check("--all", "--select", "missing-findings").rules() == [("missing-findings", 1)]
    assert repo.check(
        "--all", "--select=missing-findings,run-id-format", "--ignore", "missing-findings"
    ).rules() == [("run-id-format", 1)]
    ignored = repo.check("--all", "--ignore", "missing-findings")
    assert "missing-findings" not in {rule for rule, _ in ignored.rules()}
    assert ignored.code == 0


# --- what a team's own rules do ----------------------------------------------------------------------


def outcomes(result: Result, line: int = 1) -> dict[str, str]:
    assert result.err == ""
    return result.outcomes(line)


def test_extends_none_knows_only_the_repositorys_own(tmp_path: Path) -> None:
    files = {
        CONFIG: "extends: none\nrules: [rules]\n",
        "rules/mine.yaml": MINE,
        "rules/mine.schema.json": '{"required": ["id", "score"]}',
        "mine.jsonl": [{"id": "a", "score": 1}, {"id": "b"}],
    }
    result = judged(tmp_path, files)
    assert [log["path"] for log in result.json["logs"]] == ["mine.jsonl"]
    assert [(f["rule"], f["line"], f["pointer"], f["hint"]) for f in result.findings] == [
        ("schema", 2, "/score", "add 'score'")
    ]


def test_an_own_experiment_type_judges_its_runs(tmp_path: Path) -> None:
    rule = 'experiment_type: ablation\nrequires: [architecture.variant]\ncriteria:\n  accuracy: "> 0.60"\n  balance_delta: {below: 0.05}\n'
    entry = edited(a_run(), experiment_type="ablation")
    result = judged(tmp_path, {LOG: [entry], **OWN, "rules/ablation.yaml": rule})
    assert outcomes(result)["accuracy"] == "met"
    assert outcomes(result)["balance_delta"] == "missed"
    assert ("missing-architecture", 1) in result.rules()
    found = next(v for v in result.json["verdicts"] if v["criterion"] == "accuracy")
    assert (found["expected"], found["defined_at"]) == ("> 0.60", "rules/ablation.yaml:4")


def test_an_own_domain_judges_its_runs(tmp_path: Path) -> None:
    rule = "domain: robotics\nmetrics: [mrr]\ncriteria:\n  mrr: {at_least: 0.7}\n"

    def robot(mrr: float) -> dict[str, Any]:
        return edited(
            a_run(), domain="robotics", dataset_config__domain="robotics", mrr=mrr,
            goal_achievement_rate=..., temporal_ordering_acc=...,
        )  # fmt: skip

    known = judged(tmp_path, {LOG: [robot(0.7)], **OWN, "rules/robotics.yaml": rule})
    assert known.rules() == []
    assert outcomes(known)["mrr"] == "met"
    unknown = judged(tmp_path / "other", {LOG: [robot(0.7)]})
    assert ("schema", 1) in unknown.rules()


def test_an_own_log_kind_has_its_own_schema_key_and_criteria(tmp_path: Path) -> None:
    rule = MINE + "criteria: {score: '> 0.5', half: {assert: score < 2}}\n"
    schema = {
        "properties": {"id": {"type": "string"}, "score": {"type": "number"}},
        "additionalProperties": False,
    }
    entries = [{"id": "a", "score": 1}, {"id": "a", "score": 0.1}, {"id": "b", "score": "x"}]
    files = {
        **OWN,
        "rules/mine.yaml": rule,
        "rules/mine.schema.json": json.dumps(schema),
        "mine.jsonl": entries,
    }
    result = judged(tmp_path, files)
    by_log = [
        (f["rule"], f["line"])
        for f in result.findings
        if f["path"] == "mine.jsonl" and f["severity"] == "error"
    ]
    assert by_log == [("duplicate-run", 2), ("schema", 3)]
    verdicts = {
        (v["line"], v["criterion"]): v["outcome"]
        for v in result.json["verdicts"]
        if v["path"] == "mine.jsonl"
    }
    assert verdicts[1, "score"] == "met"
    assert verdicts[2, "score"] == "missed"
    assert verdicts[3, "score"] == "unknown"
    assert verdicts[1, "half"] == "met"


@pytest.mark.parametrize(
    "place", ["rules/mine.schema.json", "schemas/mine.schema.json", "rules/schemas/mine.schema.json"]
)
def test_an_own_schema_lies_beside_the_rules_or_in_a_folder_schemas(tmp_path: Path, place: str) -> None:
    files = {**OWN, "rules/mine.yaml": MINE, place: '{"required": ["score"]}', "mine.jsonl": [{"id": "a"}]}
    assert [(f["rule"], f["path"]) for f in judged(tmp_path, files).findings] == [("schema", "mine.jsonl")]


def test_an_own_log_kind_may_use_a_schema_of_the_pack(tmp_path: Path) -> None:
    rule = "log: mine\nfiles: [mine.jsonl]\nkey: [experiment]\nschema: baselines.schema.json\n"
    result = judged(tmp_path, {**OWN, "rules/mine.yaml": rule, "mine.jsonl": [a_baseline(commit=5)]})
    assert [(f["rule"], f["path"], f["pointer"]) for f in result.findings] == [
        ("schema", "mine.jsonl", "/commit")
    ]


def test_the_same_name_merges_criterion_by_criterion(tmp_path: Path) -> None:
    rule = 'experiment_type: domain_exploration\ncriteria:\n  accuracy: "> 0.9"\n  sharpness: {assert: task_loss < 9}\n'.replace(
        "task_loss", "final_metrics.task_loss"
    )
    files = {**OWN, "rules/x.yaml": rule}
    found = outcomes(judged(tmp_path, files))
    assert found == {
        "accuracy": "missed", "balance_delta": "met", "cycle_loss": "met", "goal_achievement_rate": "met",
        "temporal_ordering_acc": "met", "sharpness": "met",
    }  # fmt: skip


def test_replace_takes_the_packs_criteria_away(tmp_path: Path) -> None:
    rule = 'experiment_type: domain_exploration\nreplace: true\ncriteria:\n  accuracy: "> 0.9"\n'
    found = outcomes(judged(tmp_path, {**OWN, "rules/x.yaml": rule}))
    assert found["accuracy"] == "missed"
    assert not {"balance_delta", "cycle_loss"} & set(found)
    kept = outcomes(judged(tmp_path / "kept", {**OWN, "rules/x.yaml": rule.replace("true", "false")}))
    assert {"balance_delta", "cycle_loss"} <= set(kept)


def test_only_the_name_is_required_to_merge_with_a_log_kind(tmp_path: Path) -> None:
    rule = "log: baselines\ncriteria: {accuracy: {above: 0.9}}\nseverity: {criterion-missed: error}\n"
    files = {**OWN, "rules/b.yaml": rule, "baselines.jsonl": [a_baseline()]}
    result = judged(tmp_path, files)
    assert [(f["rule"], f["severity"], f["path"], f["criterion"]) for f in result.findings] == [
        ("criterion-missed", "error", "baselines.jsonl", "accuracy")
    ]
    assert result.code == 1


def test_several_folders_are_read_and_none_twice(tmp_path: Path) -> None:
    files: Files = {
        LOG: [
            edited(a_run(), experiment_type="one"),
            edited(a_run("planning_two_20251101", 1), experiment_type="two"),
        ],
        CONFIG: "rules: [a, ./b/, a/]\n",
        "a/one.yaml": 'experiment_type: one\ncriteria: {accuracy: "> 0.9"}\n',
        "b/deep/two.yml": 'experiment_type: two\ncriteria: {accuracy: "> 0.1"}\n',
    }
    result = judged(tmp_path, files)
    assert outcomes(result, 1)["accuracy"] == "missed"
    assert outcomes(result, 2)["accuracy"] == "met"


def test_a_type_that_is_defined_twice_is_refused(tmp_path: Path) -> None:
    for kind in ("experiment_type", "domain"):
        files = {**OWN, "rules/a.yaml": f"{kind}: x\n", "rules/sub/b.yaml": f"# again\n{kind}: x\n"}
        assert refused(judged(tmp_path / kind, files)) == [
            (f"rules/sub/b.yaml:2:1: {kind} 'x' is already defined in rules/a.yaml", "keep one")
        ]


def test_a_type_that_no_rule_defines_is_named_with_the_nearest(tmp_path: Path) -> None:
    result = judged(tmp_path, {LOG: [edited(a_run(), experiment_type="domain_explorations")]})
    found = [f for f in result.findings if f["rule"] == "unknown-experiment-type"]
    assert [(f["severity"], f["pointer"]) for f in found] == [("error", "/run_data/experiment_type")]
    assert "domain_explorations" in found[0]["message"]
    assert "domain_exploration" in found[0]["hint"]
    assert result.code == 1


# --- criteria that are mistakes -------------------------------------------------------------------------

BLOCK = 'an unquoted > begins a block of text: put the test in quotes, "> 1"'
QUOTE = 'put the test in quotes, "> 0.55", or write {above: 0.55}'


@pytest.mark.parametrize(
    "criterion, place, hint",
    [
        ("", 12, ""),
        (">1", ">1", BLOCK),
        (">9", ">9", BLOCK),
        (">-", ">-", BLOCK),
        ("|1", "|1", BLOCK),
        ("0.55", "0.55", ""),
        ("true", "true", ""),
        ("[]", "[]", ""),
        ("{}", "{}", ""),
        ("''", "''", ""),
        ("'  '", 16, ""),
        ("{abov: 1}", "abov", "did you mean 'above'?"),
        ("{above: true}", "true", ""),
        ("{above: 1, below: 2}", "{", ""),
        ("{when: accuracy}", "{", ""),
        ("{first: []}", "[", ""),
        ("{first: [{if: accuracy}]}", "{if", ""),
        ("{first: [{else: '> 1'}, {if: accuracy, then: '> 1'}]}", "{else", ""),
        ("{series: metrics_history.val_loss}", "{", "add is: decreasing"),
        ("{series: metrics_history.val_loss, is: falling}", "falling", ""),
        ("{use: domains}", "domains", "write 'domain'"),
        ("'> q(1)'", "q(1)", "the functions are"),
        ("'> 1 ='", "=", "compare with =="),
        ("'accuracy && mrr'", "&", "write and"),
        ("{assert: accuracy < q(1)}", "q(1)", "the functions are"),
        ("< q(1)", "q(1)", "the functions are"),
        ("'> acuracy'", "acuracy", "did you mean 'accuracy'?"),
        ("{assert: acuracy < 1}", "acuracy", "did you mean 'accuracy'?"),
        ("{assert: 'acuracy < 1'}", "acuracy", "did you mean 'accuracy'?"),
        ("{above: 'q(1)'}", "q(1)", "the functions are"),
        (
            "{series: metrics_history.val_los, is: stable}",
            "metrics_h",
            "did you mean 'metrics_history.val_loss'?",
        ),
    ],
)
def test_a_criterion_that_is_a_mistake_is_refused_where_it_stands(
    tmp_path: Path, criterion: str, place: str | int, hint: str
) -> None:
    row = f"  accuracy: {criterion}"
    column = place if isinstance(place, int) else row.index(place) + 1
    found = refused(
        judged(tmp_path, {**OWN, "rules/mine.yaml": f"experiment_type: mine\ncriteria:\n{row}\n"})
    )
    assert found[0][0].startswith(f"rules/mine.yaml:3:{column}: ")
    assert hint in found[0][1]


@pytest.mark.parametrize(
    "criterion", ["> 0.55", ">0.55", ">= 0.55", "{assert: > 0.55}", "> best_baseline", "> -1"]
)
def test_an_unquoted_test_is_refused_with_the_remedy(tmp_path: Path, criterion: str) -> None:
    rule = f"experiment_type: mine\ncriteria:\n  accuracy: {criterion}\n"
    found = refused(judged(tmp_path, {**OWN, "rules/mine.yaml": rule}))
    assert found[0][0].startswith("rules/mine.yaml:3:")
    assert found[0][1] == QUOTE


@pytest.mark.parametrize("criterion", ["'0.55'", "true == true", "'1 < 2'", ">\n    0.55"])
def test_a_criterion_that_decides_nothing_is_refused(tmp_path: Path, criterion: str) -> None:
    # A number is never met, a constant always: either way the team believes that something is tested.
    rule = f"experiment_type: mine\ncriteria:\n  accuracy: {criterion}\n"
    assert facts(judged(tmp_path, {**OWN, "rules/mine.yaml": rule}))[0].startswith("rules/mine.yaml:3:")


@pytest.mark.parametrize(
    "rule, place, hint",
    [
        ("experiment_type: a b\n", "1:18: ", ""),
        ("experiment_type: ''\n", "1:18: ", ""),
        ("experiment_type:\n", "1:17: ", ""),
        ("experiment_type: 5\n", "1:18: ", "write a string"),
        ("domain: x\nexperiment_type: y\n", "1:1: the file defines experiment_type and domain", "give each"),
        ("experiment_type: x\ncriteria:\n  accuracy: >\n    0.5\n", "3:13: ", "put the test in quotes"),
        ("experiment_type: x\ncriteria: {accuracy: achived}\n", "2:22: ", "did you mean 'achieved'?"),
        ("experiment_type: x\ncriteria: {a: {assert: x[\"y\"] > 1}}\n", "2:25: not YAML: ", "in single quotes"),
        ("experiment_type: x\nreferences: {r: {from: baselins, pick: max(accuracy), none: unknown}}\n", "2:24: ", "did you mean 'baselines'?"),
        ("experiment_type: x\nreferences: {r: {from: baselines, pick: best(accuracy), none: fail}}\n", "2:41: ", ""),
        ("experiment_type: x\nreferences: {r: {pick: max(accuracy), none: pass}}\n", "2:17: ", "add 'from'"),
        ("log: x\nseverity: {shema: error}\nfiles: [x]\nkey: [a]\nschema: baselines.schema.json\n", "2:12: ", "did you mean 'schema'?"),
        ("log: x\nfiles: []\nkey: [a]\nschema: baselines.schema.json\n", "2:8: ", ""),
        ("log: x\nfiles: [x]\nkey: ['a b']\nschema: baselines.schema.json\n", "3:7: ", ""),
        ("log: x\nfiles: [x]\nkey: [a]\nschema: none.json\n", "4:9: ", "put it beside the rules"),
        ("log: training_log\nassertions: {a: {assert: 'x <', at: x, message: m}}\n", "2:", ""),
        ("", "1:1: ", "begin the file with log:, experiment_type: or domain:"),
        ("- a\n", "1:1: ", "begin the file with log:, experiment_type: or domain:"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_a_rules_file_that_is_a_mistake_is_refused_where_it_stands(
    tmp_path: Path, rule: str, place: str, hint: str
) -> None:
    found = refused(judged(tmp_path, {**OWN, "rules/mine.yaml": rule}))
    assert found[0][0].startswith(f"rules/mine.yaml:{place}")
    assert hint in found[0][1]


R = "references: {%s: {from: %s, pick: max(accuracy), none: pass}}\n"


def test_a_reference_of_another_type_is_not_in_reach(tmp_path: Path) -> None:
    files = {
        "rules/one.yaml": f"experiment_type: one\n{R % ('prior', 'baselines')}",
        "rules/two.yaml": "experiment_type: two\ncriteria:\n  accuracy: '> prior'\n",
    }
    found = refused(judged(tmp_path, {**OWN, **files}))
    assert [fact for fact, _ in found] == ["rules/two.yaml:3:16: training_log has no 'prior'"]


def test_each_reference_of_one_name_is_taken_from_a_log_kind(tmp_path: Path) -> None:
    files = {
        "rules/one.yaml": f"experiment_type: one\n{R % ('prior', 'nothing')}",
        "rules/two.yaml": f"experiment_type: two\n{R % ('prior', 'baselines')}",
    }
    ((fact, hint),) = refused(judged(tmp_path, {**OWN, **files}))
    assert fact.startswith("rules/one.yaml:2:28: ")
    assert hint == "the log kinds are baselines, training_log"


@pytest.mark.parametrize("name", ["this", "entry", "accuracy", "mrr", "status"])
def test_a_reference_that_hides_a_measure_is_refused(tmp_path: Path, name: str) -> None:
    rule = f"experiment_type: one\n{R % (name, 'baselines')}"
    found = facts(judged(tmp_path, {**OWN, "rules/one.yaml": rule}))
    assert found[0].startswith(f"rules/one.yaml:2:14: reference {name!r} is called like a")


@pytest.mark.parametrize(
    "members, at, fact",
    [
        ("from: training_log, pick: max(acuracy)", "max", "training_log has no 'acuracy'"),
        ("from: training_log, pick: max(1)", "max", "training_log has no '1'"),
        ("from: baselines, pick: min(metrics.accurracy)", "min", "baselines has no 'metrics.accurracy'"),
        ("from: training_log, same: [domain, nowhere], pick: max(accuracy)", "nowhere",
         "training_log has no 'nowhere'"),
    ],
)  # fmt: skip
def test_a_reference_that_no_run_can_be_picked_for_is_refused(
    tmp_path: Path, members: str, at: str, fact: str
) -> None:
    row = f"references: {{rival: {{{members}, none: pass}}}}"
    rules = f"experiment_type: odd\n{row}\ncriteria: {{accuracy: '> rival'}}\n"
    place = f"rules/odd.yaml:2:{row.index(at) + 1}"
    assert facts(judged(tmp_path, {**OWN, "rules/odd.yaml": rules})) == [f"{place}: {fact}"]


@pytest.mark.parametrize(
    "members, place",
    [
        ("key: [run_di]", "2:7"),
        ("key: [run_id, domain, nowhere]", "2:23"),
        ("run_id: run_di", "2:9"),
        ("status: state_of_it", "2:9"),
        ("experiment_type: experiment_typ", "2:18"),
        ("findings: entry.findings", "2:11"),
        ("times: {logged: timestamp}", "2:17"),
        ("times: {start: begun}", "2:16"),
        ("hyperparameters: {at: hyper_parameters}", "2:23"),
        ("configuration: [dataset]", "2:17"),
        ("class_accuracies: [final_metrics.accuracy_class_0, accuracy_class_1]", "2:52"),
        ("task_loss: loss", "2:12"),
        ("assertions: {a: {assert: accuracy > 0, at: accuracy_of_it, message: m}}", "2:44"),
    ],
)
def test_a_place_that_no_entry_of_a_log_kind_has_is_refused(tmp_path: Path, members: str, place: str) -> None:
    (fact,) = facts(judged(tmp_path, {**OWN, "rules/log.yaml": f"log: training_log\n{members}\n"}))
    assert fact.startswith(f"rules/log.yaml:{place}: training_log has no ")


def test_a_criterion_of_a_wrong_shape_hides_no_other_mistake_of_its_file(tmp_path: Path) -> None:
    rule = (
        "experiment_type: mine\nrequires: [findings]\ncriteria:\n"
        "  accuracy: 0.5\n  cycle_loss: '< acuracy'\n  margin: {abov: 1}\n  balance_delta: '< 1 +'\n"
        "examples: [{name: a, expect: {accuracy: mat}, entry: {}}]\n"
    )
    found = facts(judged(tmp_path, {**OWN, "rules/mine.yaml": rule}))
    places = [fact.removeprefix("rules/mine.yaml:").partition(": ")[0] for fact in found]
    assert places == ["4:13", "5:18", "6:12", "7:24", "8:41"]


def test_a_mistake_is_reported_once(tmp_path: Path) -> None:
    found = facts(judged(tmp_path, {**OWN, "rules/mine.yaml": "experiment_type: 5\n"}))
    assert len(found) == 1


# --- schemas --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema, words",
    [
        ("{", "not JSON: "),
        ("", "not JSON: "),
        (b"\xff{}", "not JSON: "),
        ("\ufeff{}", "not JSON: "),
        ('{"enum": [NaN]}', "not JSON: "),
        ('{"type": "string", "type": "number"}', "not JSON: "),
        ('{"a":' * 300 + "1" + "}" * 300, "not JSON: "),
        ("[]", "a JSON Schema is an object"),
        ("true", "a JSON Schema is an object"),
        ('{"type": 5}', "not a usable JSON Schema: "),
        ('{"minimum": 1e999}', "not a usable JSON Schema: "),
        ('{"$ref": "file:///etc/passwd"}', "not a usable JSON Schema: "),
        ('{"$ref": "#/$defs/none"}', "not a usable JSON Schema: "),
        ('{"properties": {"a": {"pattern": "("}}}', "not a usable JSON Schema: "),
        ('{"properties": {"a": {"pattern": "(x{1000}){1000}{1000}"}}}', "not a usable JSON Schema: "),
        ('{"$schema": "https://example.org/mine"}', "not a usable JSON Schema: "),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_schema_that_is_none_is_refused(tmp_path: Path, schema: str | bytes, words: str) -> None:
    files = {**OWN, "rules/mine.yaml": MINE, "rules/mine.schema.json": schema, "mine.jsonl": [{"id": "a"}]}
    found = facts(judged(tmp_path, files))
    assert len(found) == 1
    assert re.match(rf"rules/mine.schema.json:1:[0-9]+: {words}", found[0])


@pytest.mark.parametrize(
    "schema, place",
    [
        ('{\n  "type": "object",,\n}', "2:20: not JSON: "),
        (
            '{\n  "properties": {"a": {"minimum": "x"}}\n}',
            "2:35: not a usable JSON Schema: 'minimum' is not of",
        ),
        (
            '{\n  "properties": {\n    "a": {"type": "strin"}}}',
            "3:19: not a usable JSON Schema: 'type' is not",
        ),
    ],
)
def test_a_schema_that_is_none_is_refused_where_it_goes_wrong(
    tmp_path: Path, schema: str, place: str
) -> None:
    files = {**OWN, "rules/mine.yaml": MINE, "rules/mine.schema.json": schema}
    (fact,) = facts(judged(tmp_path, files))
    assert fact.startswith(f"rules/mine.schema.json:{place}")


@contextmanager
def listening() -> Iterator[tuple[str, list[bytes]]]:
    """Run a server that notes who asks."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    asked.append(connection.recv(1000))
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        finally:
            stop.set()
            thread.join()


def test_a_schema_elsewhere_is_never_fetched(tmp_path: Path) -> None:
    with listening() as (address, asked):
        for number, schema in enumerate(
            [
                {"$ref": f"{address}/a.json"},
                {"properties": {"id": {"$ref": f"{address}/a.json#/x"}}},
                {"$schema": f"{address}/meta.json"},
                {"$id": f"{address}/b.json", "$ref": "a.json"},
            ]
        ):
            files = {
                **OWN,
                "rules/mine.yaml": MINE,
                "rules/mine.schema.json": json.dumps(schema),
                "mine.jsonl": [{"id": "a"}],
            }
            assert facts(judged(tmp_path / str(number), files))[0].startswith(
                "rules/mine.schema.json:1:1: not a usable"
            )
        assert asked == []


def test_a_pattern_that_explodes_elsewhere_judges_at_once(tmp_path: Path) -> None:
    schema = '{"properties": {"id": {"pattern": "^(a+)+$"}}}'
    files = {
        **OWN,
        "rules/mine.yaml": MINE,
        "rules/mine.schema.json": schema,
        "mine.jsonl": [{"id": "a" * 5000 + "!"}],
    }
    result = judged(tmp_path, files)
    assert [(f["rule"], f["path"]) for f in result.findings] == [("schema", "mine.jsonl")]


def test_a_schema_that_refers_to_itself_judges(tmp_path: Path) -> None:
    schema = '{"properties": {"id": true, "next": {"$ref": "#"}}, "required": ["id"]}'
    entries = [{"id": "a", "next": {"id": "b"}}, {"id": "c", "next": {"next": {"id": 1}}}]
    files = {**OWN, "rules/mine.yaml": MINE, "rules/mine.schema.json": schema, "mine.jsonl": entries}
    assert [(f["rule"], f["line"], f["pointer"]) for f in judged(tmp_path, files).findings] == [
        ("schema", 2, "/next/id")
    ]


# --- severities -----------------------------------------------------------------------------------

MISSED = edited(
    a_run(),
    final_metrics__accuracy=0.5,
    final_metrics__accuracy_class_0=0.47,
    final_metrics__accuracy_class_1=0.53,
)


@pytest.mark.parametrize(
    "severity, wanted",
    [
        ("{}", "warning"),
        ("{criterion-missed: error}", "error"),
        ("{criterion-missed: notice}", "notice"),
        ("{criterion-missed: ignore}", None),
        ("{criterion-missed: {training_log: error}}", "error"),
        ("{criterion-missed: {baselines: error}}", "warning"),
        ("{criterion-missed: {baselines: ignore, training_log: notice}}", "notice"),
        ("{criterion-missed: {training_log: {domain_exploration: error}}}", "error"),
        ("{criterion-missed: {training_log: {hyperparam_search: error}}}", "warning"),
        ("{criterion-missed: {training_log: {domain_exploration: ignore, hyperparam_search: error}}}", None),
        ("{schema: ignore, criterion-unknown: error}", "warning"),
    ],
)
def test_a_severity_is_set_for_all_by_log_kind_or_by_type(
    tmp_path: Path, severity: str, wanted: str | None
) -> None:
    result = judged(tmp_path, {LOG: [MISSED], CONFIG: f"severity: {severity}\n"})
    found = [f["severity"] for f in result.findings if f["rule"] == "criterion-missed"]
    assert found == ([] if wanted is None else [wanted])
    assert result.code == int(wanted == "error")
    assert result.outcomes(1)["accuracy"] == "missed"


def test_the_most_specific_severity_wins_over_that_of_a_log_kinds_file(tmp_path: Path) -> None:
    files = {
        LOG: [
            MISSED,
            edited(
                MISSED,
                run_id="planning_two_20251101",
                experiment_type="hyperparam_search",
                findings="Another run with other findings.",
            ),
        ],
        CONFIG: "rules: [rules]\nseverity: {criterion-missed: {training_log: {hyperparam_search: notice}}}\n",
        "rules/t.yaml": "log: training_log\nseverity: {criterion-missed: error}\n",
    }
    found = {
        (f["line"], f["severity"])
        for f in judged(tmp_path, files).findings
        if f["rule"] == "criterion-missed" and f["criterion"] == "accuracy"
    }
    assert (1, "error") in found
    assert (2, "error") not in found


@pytest.mark.parametrize("fail_on, code", [("error", 0), ("warning", 1), ("notice", 1), ("never", 0)])
def test_fail_on_is_the_severity_that_fails(tmp_path: Path, fail_on: str, code: int) -> None:
    assert judged(tmp_path, {LOG: [MISSED]}, "--fail-on", fail_on).code == code


# --- exclude and limits ------------------------------------------------------------------------------


def test_exclude_leaves_logs_alone(tmp_path: Path) -> None:
    files = {
        "broken/training_log.jsonl": "{\n",
        "broken/deep/training_log.jsonl": "{\n",
        CONFIG: "exclude: [broken/**]\n",
    }
    result = judged(tmp_path, files)
    assert [log["path"] for log in result.json["logs"]] == [LOG]
    assert result.findings == []


def test_limits_are_sizes(tmp_path: Path) -> None:
    size = len(lines(a_run())) - 1
    repo = repository(tmp_path, {})
    for limit, code in (
        (str(size), 0),
        (str(size - 1), 1),
        ("1KiB", int(size > 1024)),
        ("1MiB", 0),
        ("1GiB", 0),
    ):
        repo.write(CONFIG, f"limits: {{line: {limit}}}\n")
        result = repo.check("--all")
        assert result.code == code, limit
        assert [f["rule"] for f in result.findings] == ["invalid-json"] * code


def test_a_log_over_its_limit_is_refused(tmp_path: Path) -> None:
    repo = repository(tmp_path, {CONFIG: f"limits: {{file: {len(lines(a_run()))}}}\n"})
    assert repo.check("--all").code == 0
    repo.append(LOG, a_run("planning_two_20251101", 1))
    found = refused(repo.check("--all"))
    assert found[0][0].startswith(f"{LOG}: ")
    assert "limit" in found[0][0]
    assert "limits.file" in found[0][1]


def test_the_configuration_in_the_documentation_is_one(tmp_path: Path) -> None:
    source = """\
extends: nsm
rules: [rules/]
exclude: [examples/broken/**]
severity:
  criterion-missed: error
  timestamp-naive: {training_log: error}
  missing-architecture: {training_log: {hyperparam_search: ignore}}
waivers:
  - rule: missing-findings
    run: causal_example_20251020
    owner: ml-platform
    reason: logged before findings were required
    expires: 2026-12-31
limits: {line: 1MiB, file: 256MiB, seconds: 60}
"""
    result = judged(tmp_path, {CONFIG: source, "rules/own.yaml": "experiment_type: own\n"})
    assert (result.err, result.code) == ("", 0)


# --- waivers ------------------------------------------------------------------------------------------


def waiver(**members: Any) -> str:
    made = {
        "rule": "missing-findings",
        "run": "planning_plain_20251101",
        "owner": "ml",
        "reason": "logged early",
        "expires": "2026-06-01",
    }
    return json.dumps(
        {"waivers": [{name: value for name, value in {**made, **members}.items() if value is not ...}]}
    )


EMPTY = edited(a_run(), findings="")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"run": ..., "path": LOG, "line": 1},
        {"path": LOG},
        {"expires": "2030-01-01"},
        {"expires": "2026-06-01"},
    ],
)
def test_a_waiver_accepts_a_finding_shows_it_and_counts_it(tmp_path: Path, members: dict[str, Any]) -> None:
    repo = repository(tmp_path, {LOG: [EMPTY], CONFIG: waiver(**members)})
    result = repo.check("--all")
    found = [f for f in result.findings if f["rule"] == "missing-findings"]
    until = members.get("expires", "2026-06-01")
    assert [(f["severity"], f["waived"]) for f in found] == [("error", f"logged early (ml, until {until})")]
    assert (result.code, result.json["summary"]["errors"], result.json["summary"]["waived"]) == (0, 0, 1)


@pytest.mark.parametrize(
    "members",
    [
        {"rule": "schema"}, {"run": "another_20251101"}, {"run": "planning_plain_2025110"}, {"run": ..., "path": LOG, "line": 2},
        {"run": ..., "path": "training_log.jsonl", "line": 1}, {"path": "other.jsonl"}, {"expires": "2026-05-31"},
    ],
)  # fmt: skip
def test_a_waiver_of_something_else_or_that_has_expired_accepts_nothing(
    tmp_path: Path, members: dict[str, Any]
) -> None:
    result = judged(tmp_path, {LOG: [EMPTY], CONFIG: waiver(**members)})
    assert [f["waived"] for f in result.findings if f["rule"] == "missing-findings"] == [None]
    assert (result.code, result.json["summary"]["waived"]) == (1, 0)


def test_a_waiver_holds_through_its_last_day_in_utc(tmp_path: Path) -> None:
    repo = repository(tmp_path, {LOG: [EMPTY], CONFIG: waiver()})
    last = datetime(2026, 6, 1, 23, 59, 59, tzinfo=timezone.utc)
    assert repo.check("--all", now=last).code == 0
    assert repo.check("--all", now=datetime(2026, 6, 2, tzinfo=timezone.utc)).code == 1


def test_a_waiver_accepts_one_rule_of_a_run_not_its_others(tmp_path: Path) -> None:
    entry = edited(EMPTY, status="done")
    result = judged(tmp_path, {LOG: [entry], CONFIG: waiver()})
    assert {f["rule"]: bool(f["waived"]) for f in result.findings if f["rule"] in ("missing-findings", "schema")} == {
        "missing-findings": True, "schema": False,
    }  # fmt: skip
    assert result.code == 1


@pytest.mark.parametrize(
    "members, words",
    [
        ({"run": ...}, "a waiver names a run, or a path and a line"),
        ({"run": ..., "path": LOG}, "a waiver names a run, or a path and a line"),
        ({"run": ..., "line": 1}, "a waiver names a run, or a path and a line"),
        ({"path": LOG, "line": 1}, "a waiver names a run, or a path and a line"),
        ({"owner": ...}, "waivers[0].owner is absent"),
        ({"reason": ""}, "waivers[0].reason "),
        ({"expires": ...}, "waivers[0].expires is absent"),
        ({"expires": "never"}, "waivers[0].expires is 'never'"),
        ({"expires": "2026-13-01"}, "'2026-13-01' is no date"),
        ({"line": 0}, "waivers[0].line is 0"),
        ({"rule": "all"}, "no rule is called 'all'"),
    ],
)
def test_a_waiver_without_owner_reason_end_or_target_is_refused(
    tmp_path: Path, members: dict[str, Any], words: str
) -> None:
    found = facts(judged(tmp_path, {CONFIG: waiver(**members)}))
    assert any(words in fact for fact in found)


# --- hostile names ------------------------------------------------------------------------------------

HOSTILE = "x\\e[31m\\n::error::pwned\\r##[command]id\\u202e"


@pytest.mark.parametrize(
    "source",
    [
        f'severity: {{"{HOSTILE}": error}}\n',
        f'"{HOSTILE}": 1\n',
        f'rules: ["{HOSTILE}"]\n',
        f'extends: "{HOSTILE}"\n',
        f'severity: {{schema: {{"{HOSTILE}": error}}}}\n',
        f'severity: {{schema: {{training_log: {{"{HOSTILE}": error}}}}}}\n',
        f'limits: {{line: "{HOSTILE}"}}\n',
        f'waivers: [{{rule: "{HOSTILE}", run: x, owner: o, reason: r, expires: 2026-12-31}}]\n',
        f'waivers: [{{rule: schema, run: x, owner: o, reason: r, expires: "{HOSTILE}"}}]\n',
        'rules: ["\\0"]\n',
        'rules: ["a\\0b", "\\x7f"]\n',
    ],
)
def test_a_hostile_word_in_the_configuration_cannot_act(tmp_path: Path, source: str) -> None:
    result = judged(tmp_path, {CONFIG: source})
    refused(result)
    assert not {"\x1b", "\r", "\0", "\u202e", "\x7f"} & set(result.err)
    assert "::error" not in result.err
    assert "##[" not in result.err
    assert all(row.startswith(("nsm-gate: error: ", "  ")) for row in result.err.split("\n")[:-1])


def test_hostile_names_of_files_and_rules_cannot_act(tmp_path: Path) -> None:
    evil = "rules/\x1b[31m\n::error::x##[y.yaml"
    result = judged(tmp_path, {**OWN, evil: 'experiment_type: "\\e[1m"\n'})
    refused(result)
    assert not {"\x1b", "\r"} & set(result.err)
    assert "::error" not in result.err
    assert "##[" not in result.err


def test_a_waivers_words_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    repo = repository(tmp_path, {LOG: [EMPTY], CONFIG: waiver(owner="o\x1b[31m\n::error::x", reason="r##[y")})
    for style in ("text", "concise", "github"):
        result = repo.check("--all", "--output-format", style + ":out")
        assert result.code == 0
        written = (repo.path / "out").read_text()
        assert "\x1b" not in written
        assert "\n::error::x" not in written
        assert "##[" not in written


# --- no bug -------------------------------------------------------------------------------------------

ODD: list[Any] = [None, True, 0, 1, -1, 0.5, 10**17, "", " ", "x", "\0", "é\n", "> 1", "< q(", "> absent", "max(x)", "rules", ".", "..", "**",
                  "2026-02-30", "schema", "training_log", "1MiB", "entry", "this", "best_baseline", "a..b", [], ["rules"], [[]], {},
                  {"a": "> 1"}, {"assert": "x"}, {"first": []}, {"first": [{"else": "x"}]}, {"use": "domain"}, {"series": "x", "is": "stable"}]  # fmt: skip


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a copy with one or two members replaced, removed or renamed."""
    made = json.loads(json.dumps(value))
    for _ in range(chance.choice((1, 1, 2))):
        holders, pending = [], [made]
        while pending:
            inner = pending.pop()
            if isinstance(inner, (dict, list)) and inner:
                holders.append(inner)
                pending += inner.values() if isinstance(inner, dict) else inner
        holder = chance.choice(holders)
        name: Any = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        act = chance.choice(("replace", "replace", "remove", "rename"))
        if act == "remove" and len(holder) > 1:
            del holder[name]
        elif act == "rename" and isinstance(holder, dict):
            holder[f"{name}s"] = holder.pop(name)
        else:
            holder[name] = chance.choice(ODD)
    return made


@pytest.mark.parametrize("seed", range(2))
def test_any_configuration_and_rules_are_judged_or_refused(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    schemas = {
        name: json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
        for name in ("config", "rules")
    }
    valid = {name: jsonschema.Draft202012Validator(schema).is_valid for name, schema in schemas.items()}
    settings = {
        "extends": "nsm", "rules": ["rules/"], "exclude": ["a/**"], "limits": {"line": "1MiB", "file": 1000000},
        "severity": {"schema": "error", "timestamp-naive": {"training_log": "error", "baselines": {"hyperparam_search": "ignore"}}},
        "waivers": [{"rule": "schema", "run": "x", "owner": "o", "reason": "r", "expires": "2026-12-31"},
                    {"rule": "schema", "path": "x", "line": 3, "owner": "o", "reason": "r", "expires": "2026-12-31"}],
    }  # fmt: skip
    pack = [yaml.safe_load(path.read_bytes()) for path in sorted((ROOT / "rules").rglob("*.yaml"))]
    repo = repository(tmp_path, {})
    codes = []
    for _ in range(60):
        which = chance.choice(("config", "rules", "none"))
        config = mutated(settings, chance) if which == "config" else settings
        rules = chance.choice(pack)
        rules = mutated(rules, chance) if which == "rules" else rules
        repo.write(CONFIG, json.dumps(config))
        repo.write("rules/x.yaml", json.dumps(rules))
        result = repo.check("--all")
        codes.append(result.code)
        if result.code == 2:
            refused(result)
        elif which == "config":
            assert valid["config"](config), config
        elif which == "rules":
            assert valid["rules"](rules), rules
    assert {0, 2} <= set(codes)


def test_mistakes_of_the_configuration_and_of_rules_files_are_told_at_once(tmp_path: Path) -> None:
    files = {
        CONFIG: "rules: [rules]\nseveritty: {schema: error}\nlimits: {line: soon}\n",
        "rules/one.yaml": "experiment_type: one\ncriteria: {accuracy: '>> 1'}\n",
        "rules/two.yaml": "experiment_type: two\ncriteria: {accuracy: 'acuracy > 1'}\n",
    }
    found = facts(judged(tmp_path, files))
    places = {fact.split(": ")[0] for fact in found}
    assert {f"{CONFIG}:2:1", f"{CONFIG}:3:16", "rules/one.yaml:2:24", "rules/two.yaml:2:23"} <= places
