"""`rules list` and `rules show`: what is checked and why, and what is in force here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import BY_ID, CHECKS
from tests.support import ROOT, Repo, Result, gate

SCHEMA = """\
{"properties": {"id": {"type": "string"}, "kind": {}, "area": {},
 "result": {"properties": {"score": {"type": "number"}, "best": {"type": "number"}}}, "big": {"type": "boolean"}}}
"""
LOG = """\
log: probes
description: Probes of one sample each.
files: [probes.jsonl]
schema: probe.schema.json
run: result
key: [entry.id]
run_id: entry.id
experiment_type: entry.kind
domain: entry.area
references:
  top:
    description: The best probe so far.
    from: probes
    pick: max(score)
    none: pass
assertions:
  share: {assert: score <= 1, at: score, message: a score is a share, hint: divide by the total}
severity: {schema: warning}
"""
TYPE = """\
experiment_type: probe
description: Finds out what a sample holds.
requires: [score]
criteria:
  score:
    above: 0.50
    when: entry.big
    source: our paper, table 2
  best: {assert: score > top.score}
  steps: {first: [{if: best > 0.5, then: "score > 0.6"}, {else: "score > 0.7"}]}
  area: {use: domain}
examples:
  - name: a good one
    entry: {id: a, kind: probe, big: true, result: {score: 0.75}}
    expect: {score: met, best: met}
  - name: a poor one
    like: a good one
    set: {score: 0.25}
    expect: {score: missed}
  - name: as poor
    like: a poor one
    expect: {score: missed}
"""
DOMAIN = "domain: rocks\ndescription: Stones.\nmetrics: [best]\ncriteria: {best: '>= 0.1'}\n"
CONFIG = """\
extends: none
rules: [rules]
severity:
  missing-findings: notice
  duplicate-record: {probes: ignore}
  time-span: {probes: {probe: warning}}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a repository with a log kind, a type and a domain of its own."""
    repo = Repo(tmp_path / "lab")
    files: dict[str, Any] = {
        "nsm-gate.yaml": CONFIG, "rules/log.yaml": LOG, "rules/probe.schema.json": SCHEMA,
        "rules/type.yaml": TYPE, "rules/domain.yaml": DOMAIN,
    }  # fmt: skip
    for name, data in files.items():
        repo.write(name, data)
    return repo.path


def show(folder: Path, *args: str) -> str:
    result = gate("rules", "show", *args, cwd=folder)
    assert (result.code, result.err) == (0, ""), result.err
    return result.out


def listed(result: Result) -> dict[str, str]:
    """Return rule -> its row."""
    assert result.code == 0
    return {row.split()[0]: row for row in result.out.splitlines()}


# --- rules list -----------------------------------------------------------------------------------


def test_the_list_has_every_rule_with_its_default_severity_and_its_law(tmp_path: Path) -> None:
    rows = listed(gate("rules", "list", cwd=tmp_path))
    assert list(rows) == [check.id for check in CHECKS]
    for check in CHECKS:
        assert rows[check.id].split()[1] == check.severity.word
        assert check.doc.strip().split("\n")[0] in rows[check.id]
    assert gate("rules", cwd=tmp_path).out == gate("rules", "list", cwd=tmp_path).out


def test_the_list_says_what_is_otherwise_here_and_who_says_so(lab: Path) -> None:
    rows = listed(gate("rules", "list", cwd=lab))
    ends = {rule: row.partition("  [here: ")[2].rstrip("]") for rule, row in rows.items() if "[here: " in row}
    assert ends == {
        "missing-findings": "notice (nsm-gate.yaml:4)",
        "duplicate-record": "ignore in probes (nsm-gate.yaml:5)",
        "time-span": "warning for probe in probes (nsm-gate.yaml:6)",
        "schema": "warning in probes (rules/log.yaml:18)",
    }
    assert rows["schema"].split()[:2] == ["schema", "error"]


def test_a_severity_that_is_set_to_the_default_differs_from_nothing(lab: Path) -> None:
    Repo(lab).write("nsm-gate.yaml", CONFIG.replace("missing-findings: notice", "missing-findings: error"))
    assert "[here:" not in listed(gate("rules", "list", cwd=lab))["missing-findings"]
    assert "Here: error (nsm-gate.yaml:4)." in show(lab, "missing-findings")


# --- rules show RULE ------------------------------------------------------------------------------


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_rule_is_shown_with_law_reason_remedy_and_example(check: Any, tmp_path: Path) -> None:
    out = show(tmp_path, check.id)
    assert out.startswith(f"{check.id} ({check.severity.word})\n\n{check.doc.strip()}\n")
    for part in ("Why: ", "Fix: ", "Example: "):
        assert f"\n{part}" in out
    assert out.splitlines()[-1].startswith(f"Here: {check.severity.word} (default)")


def test_a_rule_is_shown_with_the_severity_that_it_has_here(lab: Path) -> None:
    assert show(lab, "missing-findings").endswith("\nHere: notice (nsm-gate.yaml:4).\n")
    assert show(lab, "duplicate-record").endswith(
        "\nHere: warning (default), ignore in probes (nsm-gate.yaml:5).\n"
    )
    assert show(lab, "schema").endswith("\nHere: error (default), warning in probes (rules/log.yaml:18).\n")


# --- where the rules do not load ------------------------------------------------------------------


def test_rules_that_do_not_load_leave_the_defaults_and_say_so(lab: Path) -> None:
    good = {args: gate("rules", *args, cwd=lab / "rules").out for args in (("list",), ("show", "blank-line"))}
    Repo(lab).write("nsm-gate.yaml", "severity: {missing-findings: off}\n")
    for args, before in good.items():
        result = gate("rules", *args, cwd=lab)
        assert result.code == 0
        assert result.err == (
            "nsm-gate: the rules of this repository do not load, so defaults are shown\n"
            "  nsm-gate rules lint says what is wrong\n"
        )
        assert result.out == re.sub(r"  \[here: .*\]|Here: .*\n", "", before)


@pytest.mark.parametrize("name", ["probe", "probe.score", "nosuch"])
def test_what_only_the_rules_of_the_repository_know_is_exit_2_where_they_do_not_load(
    lab: Path, name: str
) -> None:
    Repo(lab).write("rules/type.yaml", TYPE + "oops: 1\n")
    result = gate("rules", "show", name, cwd=lab)
    assert (result.code, result.out) == (2, "")
    assert "rules/type.yaml" in result.err


def test_a_configuration_that_is_named_must_load(lab: Path) -> None:
    for args in (("list",), ("show", "schema")):
        result = gate("rules", *args, "--config", "nosuch.yaml", cwd=lab)
        assert (result.code, result.out) == (2, "")
        assert "is not there" in result.err


def test_another_configuration_may_be_named(lab: Path) -> None:
    Repo(lab).write("ci.yaml", "severity: {blank-line: error}\n")
    assert "Here: error (ci.yaml:1)." in show(lab, "blank-line", "--config", "ci.yaml")
    rows = listed(gate("rules", "list", "--config", "ci.yaml", cwd=lab))
    assert rows["blank-line"].endswith("[here: error (ci.yaml:1)]")
    assert "accuracy" in show(lab, "hyperparam_search", "--config", "ci.yaml")


def test_examples_that_do_not_load_do_not_hide_severities(lab: Path) -> None:
    Repo(lab).write("rules/type.yaml", TYPE.replace("like: a good one", "like: nobody"))
    assert show(lab, "schema").endswith("warning in probes (rules/log.yaml:18).\n")


# --- rules show TYPE, DOMAIN, LOG, TYPE.CRITERION ---------------------------------------------------


def test_a_type_is_shown_with_all_that_it_asks_and_where_that_stands(lab: Path) -> None:
    assert show(lab, "probe") == (
        "experiment type probe · rules/type.yaml:1\n\n"
        "Finds out what a sample holds.\n\n"
        "requires  score\n\n"
        "criterion score · rules/type.yaml:6\n"
        "  > 0.50\n"
        "  when: entry.big\n"
        "  source: our paper, table 2\n"
        "  met: 'a good one' (entry.big true, score 0.75) · rules/type.yaml:13\n"
        "  missed: 'a poor one' (entry.big true, score 0.25) · rules/type.yaml:16\n\n"
        "criterion best · rules/type.yaml:9\n"
        "  score > top.score\n"
        "  compares with top · rules/log.yaml:12\n"
        "  met: 'a good one' (score 0.75) · rules/type.yaml:13\n\n"
        "criterion steps · rules/type.yaml:10\n"
        "  if best > 0.5, then score > 0.6\n"
        "  else score > 0.7\n\n"
        "criterion area · rules/type.yaml:11\n"
        "  takes in the criteria of the run's domain\n\n"
        "3 examples: nsm-gate rules test probe\n"
    )


def test_a_criterion_is_shown_with_every_example_of_it(lab: Path) -> None:
    assert show(lab, "probe.score") == (
        "experiment type probe · rules/type.yaml:1\n\n"
        "criterion score · rules/type.yaml:6\n"
        "  > 0.50\n"
        "  when: entry.big\n"
        "  source: our paper, table 2\n"
        "  met: 'a good one' (entry.big true, score 0.75) · rules/type.yaml:13\n"
        "  missed: 'a poor one' (entry.big true, score 0.25) · rules/type.yaml:16\n"
        "  missed: 'as poor' (entry.big true, score 0.25) · rules/type.yaml:20\n"
    )


def test_a_criterion_is_shown_with_the_references_that_it_compares_with(lab: Path) -> None:
    out = show(lab, "probe.best")
    assert (
        "  compares with top · rules/log.yaml:12\n"
        "    description: The best probe so far.\n"
        "    from: probes\n    pick: max(score)\n    none: pass\n"
    ) in out


def test_a_domain_is_shown(lab: Path) -> None:
    assert show(lab, "rocks") == (
        "domain rocks · rules/domain.yaml:1\n\nStones.\n\nmetrics  best\n\n"
        "criterion best · rules/domain.yaml:4\n  >= 0.1\n"
    )
    assert "criterion best · rules/domain.yaml:4" in show(lab, "rocks.best")


def test_a_log_kind_is_shown(lab: Path) -> None:
    out = show(lab, "probes")
    assert out.startswith("log kind probes · rules/log.yaml:1\n\nProbes of one sample each.\n\nfiles ")
    assert "schema           rules/probe.schema.json\n" in out
    assert "key              entry.id\n" in out
    assert "reference top · rules/log.yaml:12\n  description: The best probe so far.\n" in out
    assert "assertion share · rules/log.yaml:17\n  assert: score <= 1\n" in out


def test_what_the_repository_changes_of_the_pack_is_shown_merged(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write("rules/search.yaml", "experiment_type: hyperparam_search\ncriteria: {accuracy: '> 0.9'}\n")
    out = show(tmp_path, "hyperparam_search")
    assert "criterion accuracy · rules/search.yaml:2\n  > 0.9\n" in out
    assert "criterion convergence · nsm:rules/experiment_types/hyperparam_search.yaml:" in out
    assert "examples: nsm-gate" not in out


def test_every_type_domain_and_log_kind_of_the_pack_is_shown(tmp_path: Path) -> None:
    for file in (ROOT / "rules").rglob("*.yaml"):
        out = show(tmp_path, file.stem)
        assert f" {file.stem} · nsm:rules/{file.parent.name}/{file.name}:" in out
        assert len(out.splitlines()) > 10
    assert "  met: 'a low cycle weight beats the baselines' (cycle_weight 0.01, cycle_loss 0.74)" in show(
        tmp_path, "hyperparam_search.cycle_loss"
    )
    assert "  source: guide: depends on cycle_weight" in show(tmp_path, "hyperparam_search.cycle_loss")


def test_what_is_called_alike_is_all_shown(lab: Path) -> None:
    Repo(lab).write("rules/two.yaml", "domain: probe\ncriteria: {score: '> 0.1'}\n")
    Repo(lab).write("rules/three.yaml", "experiment_type: schema\ncriteria: {score: '> 0.2'}\n")
    Repo(lab).write("rules/four.yaml", "experiment_type: probe.score\ncriteria: {score: '> 0.3'}\n")
    both = show(lab, "probe")
    assert both.index("experiment type probe ·") < both.index("\n\ndomain probe ·")
    rule = show(lab, "schema")
    assert rule.startswith("schema (error)\n")
    assert "experiment type schema · rules/three.yaml:1\n" in rule
    dotted = show(lab, "probe.score")
    assert [text in dotted for text in ("> 0.50", "> 0.1", "> 0.3")] == [True] * 3


@pytest.mark.parametrize(
    "name, near",
    [
        ("missing-finding", "missing-findings"), ("prob", "probe"), ("rock", "rocks"), ("probe.scor", "probe.score"),
        ("probe.nothing", None), ("", None), ("zzzzzz", None),
    ],
)  # fmt: skip
def test_an_unknown_name_is_exit_2_with_a_suggestion(lab: Path, name: str, near: str | None) -> None:
    result = gate("rules", "show", name, cwd=lab)
    assert (result.code, result.out) == (2, "")
    assert f"no rule, type, domain, log kind or criterion is called {name!r}" in result.err
    if near:
        assert f"did you mean {near!r}?" in result.err


def test_what_files_say_cannot_act_on_a_terminal_or_a_runner(lab: Path) -> None:
    evil = TYPE.replace("Finds out what a sample holds.", '"a\\u001b[31m ::error::b ##[c]"').replace(
        "our paper, table 2", "'##[d]'"
    )
    Repo(lab).write("rules/type.yaml", evil)
    out = show(lab, "probe")
    assert "\\u001b" in out
    assert not any(text in out for text in ("::", "##[", "\x1b"))


def test_rules_are_shown_in_a_folder_below_and_outside_of_a_repository(lab: Path, tmp_path: Path) -> None:
    repo = Repo.init(lab)
    repo.commit()
    assert "Here: notice" in show(lab / "rules", "missing-findings")
    (tmp_path / "elsewhere").mkdir()
    assert "Here: error (default)." in show(tmp_path / "elsewhere", "missing-findings")


def test_every_rule_is_known() -> None:
    assert set(BY_ID) == {check.id for check in CHECKS}
