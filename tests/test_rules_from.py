"""Whose rules judge: the base's on a proposed change, with what only the head knows beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import Repo, Result, a_run, check, edited, environment, gate
from tests.test_bases import github, merge_ref, pull_request, push_event
from tests.test_governance import CONFIG, LOG, LOOSER, OWN, PROBES, STRICT, SWEEP, Project, result, sweep

LOOSENED = "missed by the rules of the base, and met only by this change's own rule"


@pytest.fixture
def project(tmp_path: Path) -> Any:
    return lambda files, *entries: Project(tmp_path, files, *entries)


def rules(said: Result) -> list[tuple[str, str]]:
    return sorted((f["rule"], f["severity"]) for f in said.findings)


def whose(said: Result, line: int) -> dict[str, tuple[str, str]]:
    return {
        v["criterion"]: (v["outcome"], v["rules_from"]) for v in said.json["verdicts"] if v["line"] == line
    }


# --- when it is the base ----------------------------------------------------------------------------------


def event(project: Project, name: str) -> dict[str, str]:
    repo = project.repo
    base, head = repo.git("rev-parse", "main"), repo.git("rev-parse", "topic")
    if name == "gitlab":
        return {**repo.env, "GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    if name == "merge_group":
        return github(repo, project.folder, name, {"merge_group": {"base_sha": base, "head_sha": head}})
    if name == "push":
        return github(repo, project.folder, name, push_event(repo, base))
    return {**pull_request(repo, project.folder), "GITHUB_EVENT_NAME": name}


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target", "merge_group", "gitlab"])
def test_a_proposed_change_is_judged_by_the_rules_of_its_base(project: Any, name: str) -> None:
    p = project(OWN, a_run())
    p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55))
    said = p.repo.check(env=event(p, name))
    assert said.code == 1
    assert LOOSENED in said.out
    assert whose(said, 2)["accuracy"] == ("missed", "base")


@pytest.mark.parametrize("name", ["push", "nothing"])
def test_elsewhere_the_rules_of_the_head_judge_and_the_change_is_a_warning(project: Any, name: str) -> None:
    p = project(OWN, a_run())
    p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55))
    said = p.repo.check(env=event(p, name) if name == "push" else p.repo.env)
    assert (said.code, rules(said)) == (0, [("rules-changed", "notice"), ("rules-changed", "warning")])
    assert whose(said, 2)["accuracy"] == ("met", "head")


def test_an_option_says_otherwise_either_way(project: Any) -> None:
    p = project(OWN, a_run())
    assert whose(p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55), args=("--rules-from", "head")), 2)[
        "accuracy"
    ] == ("met", "head")
    for extra in ((), ("--base", "main")):
        said = p.repo.check("--rules-from", "base", *extra)
        assert (said.code, whose(said, 2)["accuracy"]) == (1, ("missed", "base"))


def test_whose_rules_judge_is_said(project: Any) -> None:
    p = project(OWN, a_run())
    p.propose({}, sweep(0.65))
    merge_ref(p.repo)
    told = gate("check", cwd=p.repo.path, env=pull_request(p.repo, p.folder)).out
    short = p.repo.git("rev-parse", "main")[:7]
    assert f"rules · judged by the rules of the base {short} (a CI pull request)" in told
    told = gate("check", "--rules-from", "base", "--base", "main", cwd=p.repo.path, env=p.repo.env).out
    assert f"judged by the rules of the base {short} (--rules-from base)" in told
    assert "judged by" not in gate("check", cwd=p.repo.path, env=p.repo.env).out


def test_without_a_base_there_are_no_rules_of_one(project: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    Repo(outside).write(LOG, [a_run()])
    unborn = Repo.init(tmp_path / "unborn")
    unborn.write(LOG, [a_run()])
    for place in (outside, unborn.path):
        said = check("--rules-from", "base", cwd=place, env=environment(tmp_path))
        assert said.code == 2
        assert "there is no base to read the rules from" in said.err
    said = check("--rules-from", "base", "-", cwd=outside, env=environment(tmp_path), stdin=b"{}\n")
    assert (said.code, "standard input has no base" in said.err) == (2, True)


def test_rules_that_did_not_change_are_the_bases_and_nothing_is_reported(project: Any) -> None:
    p = project(OWN, a_run())
    said = p.propose({}, sweep(0.65))
    assert (said.code, said.findings, whose(said, 2)["accuracy"]) == (0, [], ("met", "base"))
    # Comments, descriptions and sources decide nothing.
    words = SWEEP.replace('"> 0.60"', '{above: 0.60, source: "the plan"}').replace(
        "criteria", "description: x\ncriteria"
    )
    p = Project(p.folder / "other", {**OWN, "rules/sweep.yaml": words}, a_run())
    said = p.propose(
        {"rules/sweep.yaml": "# a comment\n" + words.replace("the plan", "another").replace(": x", ": y")}
    )
    assert (said.code, said.findings) == (0, [])


def test_a_change_of_rules_alone_is_a_notice(project: Any) -> None:
    p = project(OWN, sweep(0.55))
    said = p.propose({"rules/sweep.yaml": LOOSER})
    assert (said.code, rules(said)) == (0, [("rules-changed", "notice")])
    assert p.ci("--fail-on", "notice").code == 1


def test_with_all_the_rules_of_the_base_judge_and_only_new_runs_are_the_changes(project: Any) -> None:
    p = project(OWN, sweep(0.55))
    said = p.propose({"rules/sweep.yaml": LOOSER}, args=("--all",))
    # The old run was there: the change does not bring it along.
    assert (said.code, rules(said)) == (0, [("criterion-missed", "warning"), ("rules-changed", "notice")])
    assert whose(said, 1)["accuracy"] == ("missed", "base")
    said = p.propose({}, sweep(0.56, 2), args=("--all",))
    assert said.code == 1
    assert [(f["line"], f["severity"]) for f in said.findings if LOOSENED in f["message"]] == [(2, "error")]


def test_a_run_that_meets_both_rules_is_not_blamed_for_the_change(project: Any) -> None:
    said = project(OWN, a_run()).propose({"rules/sweep.yaml": LOOSER}, sweep(0.65))
    assert (said.code, rules(said)) == (0, [("rules-changed", "notice")])


def test_a_run_that_misses_both_rules_misses_the_bases(project: Any) -> None:
    said = project(OWN, a_run()).propose({"rules/sweep.yaml": LOOSER}, sweep(0.45))
    assert (said.code, rules(said)) == (0, [("criterion-missed", "warning"), ("rules-changed", "notice")])
    assert whose(said, 2)["accuracy"] == ("missed", "base")


def test_a_tightened_rule_counts_from_the_next_change_on(project: Any) -> None:
    p = project({**STRICT, "rules/sweep.yaml": LOOSER}, a_run())
    said = p.propose({"rules/sweep.yaml": SWEEP}, sweep(0.55))
    assert (said.code, rules(said)) == (0, [("rules-changed", "notice")])
    assert whose(said, 2)["accuracy"] == ("met", "base")
    p.land()
    assert p.propose({}, sweep(0.56, 2)).code == 1


def test_a_base_without_a_configuration_has_the_rules_of_the_pack(project: Any) -> None:
    p = project({}, a_run())
    said = p.propose(OWN, sweep(0.55))
    assert {f["message"].partition(":")[0] for f in said.findings} >= {"experiment type sweep is new"}
    # The new type is the head's; what the pack asks is the base's.
    assert whose(said, 2)["accuracy"] == ("missed", "head")
    assert whose(said, 2)["goal_achievement_rate"] == ("met", "base")


# --- what only the head knows -----------------------------------------------------------------------------


def test_a_new_criterion_of_a_known_type_is_the_heads(project: Any) -> None:
    more = SWEEP + "  task_loss: {assert: final_metrics.task_loss < 0.1}\n"
    said = project(OWN, a_run()).propose({"rules/sweep.yaml": more}, sweep(0.65))
    assert whose(said, 2)["accuracy"] == ("met", "base")
    assert whose(said, 2)["task_loss"] == ("missed", "head")


def test_a_new_criterion_is_labelled_for_people_too(project: Any) -> None:
    p = project(OWN, a_run())
    p.propose(
        {"rules/sweep.yaml": SWEEP + "  task_loss: {assert: final_metrics.task_loss < 0.1}\n"}, sweep(0.65)
    )
    merge_ref(p.repo)
    env = pull_request(p.repo, p.folder)
    text, page = (
        gate("check", "--output-format", form, cwd=p.repo.path, env=env).out for form in ("text", "markdown")
    )
    for told, mark in ((text, "(new rule)"), (page, "</code> (new) |")):
        (row,) = [row for row in told.splitlines() if mark in row]
        assert "task_loss" in row.replace("&#95;", "_")
    # Where the head's rules judge, nothing is new to them.
    assert (
        "(new rule)"
        not in gate("check", "--rules-from", "head", "--output-format", "text", cwd=p.repo.path, env=env).out
    )


def test_a_new_criterion_of_a_log_kind_and_of_a_domain_is_the_heads(project: Any) -> None:
    files = {
        "rules/log.yaml": "log: training_log\ncriteria: {quick: {assert: training_time_seconds < 60}}\n",
        "rules/planning.yaml": "domain: planning\ncriteria: {temporal: {assert: temporal_ordering_acc < 0.1}}\n",
    }
    said = project(OWN, a_run()).propose(files, sweep(0.65))
    found = whose(said, 2)
    assert (found["quick"], found["temporal"]) == (("met", "head"), ("missed", "head"))
    assert found["temporal_ordering_acc"] == ("met", "base")


def test_a_new_log_kind_is_judged_whole_by_the_head(project: Any) -> None:
    p = project({CONFIG: "rules: [rules]\n", "rules/sweep.yaml": SWEEP}, a_run())
    grave = {**PROBES, CONFIG: "rules: [rules]\nseverity: {criterion-missed: {probes: error}}\n"}
    said = p.propose(grave, {"probe": "a", "score": 0.4}, log="probes.jsonl")
    assert ("criterion-missed", "error") in rules(said)
    assert whose(said, 1)["score"] == ("missed", "head")
    p.repo.git("reset", "-q", "--hard", "main")
    said = p.propose(PROBES, {"probe": 1}, log="probes.jsonl")
    assert {f["rule"] for f in said.findings if f["severity"] == "error"} == {"schema"}


def test_a_new_type_may_be_judged_more_gravely(project: Any) -> None:
    files = {
        CONFIG: "rules: [rules]\nseverity: {criterion-missed: {training_log: {strict: error}}}\n",
        "rules/strict.yaml": SWEEP.replace("sweep", "strict"),
    }
    said = project(OWN, a_run()).propose(files, sweep(0.55, experiment_type="strict"), sweep(0.55, 2))
    severities = {f["line"]: f["severity"] for f in said.findings if f["rule"] == "criterion-missed"}
    assert severities == {2: "error", 3: "warning"}


REFERRING = """experiment_type: {name}
references:
  best: {{from: training_log, where: hyperparameters.seed == {seed}, pick: max(accuracy), none: unknown}}
criteria:
  accuracy: "> best.accuracy"
"""


def test_a_new_type_has_references_of_its_own(project: Any) -> None:
    # Another type's reference of that name is nothing to it.
    old, new = (REFERRING.format(name=name, seed=seed) for name, seed in (("sweep", 42), ("other", 7)))
    seventh = edited(a_run("planning_seven_20251101", 5), hyperparameters__seed=7, **result(0.5))
    p = project({**OWN, "rules/sweep.yaml": old}, a_run(), seventh)
    said = p.propose({"rules/other.yaml": new}, sweep(0.55, 6, experiment_type="other"), sweep(0.55, 7))
    found = {v["line"]: v for v in said.json["verdicts"] if v["criterion"] == "accuracy"}
    assert (found[3]["outcome"], found[3]["reference"]["run"]) == ("met", "planning_seven_20251101")
    assert (found[4]["outcome"], found[4]["reference"]["run"]) == ("missed", "planning_plain_20251101")


def test_nothing_new_takes_a_word_from_the_rules_of_the_base(project: Any) -> None:
    reads = "experiment_type: sweep\ncriteria:\n  calm: {assert: final_metrics.task_loss < 0.1}\n"
    p = project({**OWN, "rules/sweep.yaml": reads}, a_run())
    run = sweep(0.65)
    plain = p.propose({}, run)
    assert whose(plain, 2)["calm"] == ("missed", "base")
    p.repo.git("reset", "-q", "--hard", "main")
    names = "log: training_log\nnames: {goal_achievement_rate: [final_metrics.cycle_loss]}\n"
    assert whose(p.propose({"rules/log.yaml": names}, run), 2) == whose(plain, 2)
    # A reference of that name would hide the measure, and is refused: of a new type, too, whose runs log
    # kinds and domains judge.
    rate = "references: {goal_achievement_rate: {from: training_log, pick: max(accuracy), none: pass}}\n"
    low = sweep(0.65, experiment_type="easy", goal_achievement_rate=0.1)
    for said in ("log: training_log", "experiment_type: easy"):
        p.repo.git("reset", "-q", "--hard", "main")
        refused = p.propose({"rules/more.yaml": f"{said}\n{rate}"}, low)
        assert (refused.code, refused.json["error"]["path"]) == (2, "rules/more.yaml")


def test_a_new_criterion_is_not_preregistered(project: Any) -> None:
    p = project({**OWN, CONFIG: "rules: [rules]\nseverity: {not-preregistered: warning}\n"}, a_run())
    more = SWEEP + "  task_loss: {assert: final_metrics.task_loss < 0.9}\n"
    said = p.propose({"rules/sweep.yaml": more}, sweep(0.65))
    found = [f["message"] for f in said.findings if f["rule"] == "not-preregistered"]
    assert found == ["task_loss is new in this change"]


# --- merges ---------------------------------------------------------------------------------------------


def forked(p: Project) -> None:
    """Let main get looser rules, and the branch a run."""
    p.write({}, sweep(0.55))
    p.repo.commit("run")
    p.repo.git("checkout", "-q", "main")
    p.repo.write("rules/sweep.yaml", LOOSER)
    p.repo.commit("rules")


def test_a_merge_of_a_branch_under_rules_that_changed_meanwhile_changes_none(project: Any) -> None:
    p = project(OWN, a_run())
    forked(p)
    p.repo.git("merge", "-q", "--no-commit", "--no-ff", "topic")
    said = p.repo.check("--staged")
    assert (said.code, said.findings) == (0, [])
    # As a pull request, it is judged by what the default branch says now.
    p.repo.git("merge", "--abort")
    p.repo.git("checkout", "-q", "topic")
    said = p.ci()
    assert (said.code, said.findings, whose(said, 2)["accuracy"]) == (0, [], ("met", "base"))


def test_a_merge_that_makes_up_rules_of_its_own_is_reported(project: Any) -> None:
    p = project(OWN, a_run())
    forked(p)
    p.repo.git("merge", "-q", "--no-commit", "--no-ff", "topic")
    p.repo.write("rules/sweep.yaml", SWEEP.replace("0.60", "0.40"))
    p.repo.git("add", "-A")
    said = p.repo.check("--staged")
    assert rules(said) == [("rules-changed", "notice")]
    assert said.findings[0]["message"].endswith('from "> 0.50" to "> 0.40" (looser)')


def test_a_branch_that_merged_looser_rules_did_not_loosen_them(project: Any) -> None:
    p = project(OWN, a_run())
    forked(p)
    p.repo.git("checkout", "-q", "topic")
    p.repo.git("merge", "-q", "--no-edit", "main")
    said = p.ci()
    assert (said.code, said.findings, whose(said, 2)["accuracy"]) == (0, [], ("met", "base"))
