"""`nsm-gate rules impact`: the whole log by the old rules and by the new ones, and every run that turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import Repo, Result, a_run, edited, environment, gate
from tests.test_governance import CONFIG, LOG, LOOSER, OWN, PROBES, SWEEP, sweep

STRICTER = SWEEP.replace("0.60", "0.70")
NAMES = ("sweep_run1_20251101", "sweep_run2_20251101", "sweep_run3_20251101")
ACCURACIES = (0.55, 0.65, 0.58)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with a type sweep, which asks for an accuracy over 0.60, and three runs of it."""
    made = Repo.init(tmp_path / "r")
    for name, data in OWN.items():
        made.write(name, data)
    made.write(LOG, [sweep(accuracy, number) for number, accuracy in enumerate(ACCURACIES, 1)])
    made.commit("base")
    return made


def impact(repo: Repo, *args: str, **env: str) -> Result:
    return gate("rules", "impact", *args, cwd=repo.path, env={**repo.env, **env})


def told(repo: Repo, *args: str) -> dict[str, Any]:
    """Return the JSON, and hold the text against it."""
    said = impact(repo, "--output-format", "json", *args)
    assert (said.code, said.err) == (0, "")
    document: dict[str, Any] = said.json
    text = impact(repo, "-v", *args)
    assert (text.code, text.err) == (0, "")
    for turn in document["turns"]:
        subject = turn.get("criterion") or turn["rule"]
        mark = "-" if turn["looser"] else "+"
        run = turn["run"] or "(no run id)"
        row = (
            f"  {mark} {turn['path']}:{turn['line']}  {run}  {subject}: {turn['before']} → {turn['after']}\n"
        )
        assert row in text.out
    assert ("the rules are looser" in text.out) == document["summary"]["loosened"]
    assert document["summary"]["turned"] == len(document["turns"])
    last = text.out.splitlines()[-1]
    assert all(sentence in last for sentence in document["summary"]["said"])
    return document


def turns(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (t["line"], t.get("criterion") or t["rule"], t["before"], t["after"], t["looser"])
        for t in document["turns"]
    ]


def changes(document: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(c["what"], c["name"], c["direction"]) for c in document["changes"]]


# --- verdicts ---------------------------------------------------------------------------------------------


def test_a_loosened_criterion_turns_runs_from_missed_to_met(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", LOOSER)
    found = told(repo)
    assert turns(found) == [
        (1, "accuracy", "missed", "met", True),
        (3, "accuracy", "missed", "met", True),
    ]
    assert changes(found) == [("criterion", "accuracy of sweep", "looser")]
    assert found["summary"] == {
        "turned": 2, "loosened": True, "said": ["2 runs turn from missed to met"],
    }  # fmt: skip
    assert (found["version"], found["lines"]) == (1, 3)
    assert found["changes"][0]["before"] == '"> 0.60"'
    assert found["changes"][0]["after"] == '"> 0.50"'
    assert found["changes"][0]["defined_at"] == "rules/sweep.yaml:3"
    said = impact(repo).out
    assert said.splitlines()[0] == (
        f"judged 3 lines by the rules of merge base of main: {repo.git('rev-parse', 'HEAD')[:7]} "
        "(nothing is staged) and by those of the work tree"
    )
    assert (
        '  criterion accuracy of sweep changed from "> 0.60" to "> 0.50" (looser)  rules/sweep.yaml:3\n'
        in said
    )
    assert "accuracy 0.55 is not > 0.60 (short by 0.05, 2.0 standard errors at n=400) [> 0.60]; now" in said


def test_a_tightened_criterion_turns_them_the_other_way(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", STRICTER)
    found = told(repo)
    assert turns(found) == [(2, "accuracy", "met", "missed", False)]
    assert changes(found) == [("criterion", "accuracy of sweep", "stricter")]
    assert found["summary"]["said"] == ["1 run turns from met to missed"]
    assert impact(repo, "--fail-on-loosening").code == 0


def test_runs_may_turn_both_ways_at_once(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", SWEEP.replace('"> 0.60"', '"< 0.60"'))
    found = told(repo)
    assert {turn[:4] for turn in turns(found)} == {
        (1, "accuracy", "missed", "met"),
        (2, "accuracy", "met", "missed"),
        (3, "accuracy", "missed", "met"),
    }
    # No direction can be told from the words; the runs tell it.
    assert changes(found) == [("criterion", "accuracy of sweep", None)]
    assert found["summary"]["said"] == ["2 runs turn from missed to met", "1 run turns from met to missed"]
    assert impact(repo, "--fail-on-loosening").code == 1


def test_a_criterion_is_added(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", SWEEP + "  cycle_loss: {below: 0.1}\n")
    found = told(repo)
    assert turns(found) == [(line, "cycle_loss", "not asked", "missed", False) for line in (1, 2, 3)]
    assert changes(found) == [("criterion", "cycle_loss of sweep", "stricter")]
    assert impact(repo, "--fail-on-loosening").code == 0


def test_a_criterion_is_removed(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", "experiment_type: sweep\n")
    found = told(repo)
    assert turns(found) == [
        (1, "accuracy", "missed", "not asked", True),
        (2, "accuracy", "met", "not asked", True),
        (3, "accuracy", "missed", "not asked", True),
    ]
    assert changes(found) == [("criterion", "accuracy of sweep", "looser")]


def test_a_type_is_removed(repo: Repo) -> None:
    repo.write(CONFIG, "")
    found = told(repo)
    assert {turn[1:4] for turn in turns(found)} == {
        ("accuracy", "missed", "not asked"),
        ("accuracy", "met", "not asked"),
        ("unknown-experiment-type", "nothing", "error"),
    }
    assert ("experiment type", "sweep", None) in changes(found)


def test_missed_to_unknown_is_looser_and_unknown_to_missed_is_not(repo: Repo) -> None:
    nowhere = "log: training_log\nnames: {accuracy: [final_metrics.test_accuracy]}\n"
    repo.write("rules/log.yaml", nowhere)
    found = told(repo)
    assert (1, "accuracy", "missed", "unknown", True) in turns(found)
    assert (2, "accuracy", "met", "unknown", False) in turns(found)
    repo.commit("nowhere")
    (repo.path / "rules/log.yaml").unlink()
    assert (1, "accuracy", "unknown", "missed", False) in turns(told(repo))


def test_criteria_of_one_name_are_kept_apart(repo: Repo) -> None:
    # A type's and a domain's, of which one is taken out.
    repo.write("rules/planning.yaml", 'domain: planning\ncriteria: {accuracy: "> 0.10"}\n')
    repo.commit("both")
    repo.write("rules/sweep.yaml", "experiment_type: sweep\n")
    assert [turn[2:4] for turn in turns(told(repo))] == [
        ("missed", "not asked"),
        ("met", "not asked"),
        ("missed", "not asked"),
    ]


def test_a_reference_that_is_weakened_turns_runs(repo: Repo) -> None:
    best = (
        "experiment_type: sweep\nreferences:\n"
        "  best: {from: training_log, pick: max(accuracy), none: pass}\n"
        'criteria: {accuracy: "> best.accuracy"}\n'
    )
    repo.write("rules/sweep.yaml", best)
    repo.commit("best")
    repo.write("rules/sweep.yaml", best.replace("max(", "min("))
    found = told(repo)
    assert turns(found) == [(3, "accuracy", "missed", "met", True)]
    assert [what for what, _, _ in changes(found)] == ["criterion", "reference"]


# --- findings ---------------------------------------------------------------------------------------------


def test_a_severity_turns_findings(repo: Repo) -> None:
    repo.append(LOG, edited(sweep(0.65, 4), findings=""))
    repo.write(CONFIG, OWN[CONFIG] + "severity: {missing-findings: warning}\n")
    found = told(repo)
    assert turns(found) == [(4, "missing-findings", "error", "warning", True)]
    assert changes(found) == [("severity", "missing-findings", "looser")]
    assert found["summary"]["said"] == ["1 finding is gone, lowered or waived"]
    repo.commit("lower")
    repo.write(CONFIG, OWN[CONFIG])
    found = told(repo)
    assert turns(found) == [(4, "missing-findings", "warning", "error", False)]
    assert found["summary"]["said"] == ["1 finding is new or raised"]


def test_a_severity_for_one_log_kind_is_compared_with_the_one_for_all(repo: Repo) -> None:
    repo.write(CONFIG, OWN[CONFIG] + "severity: {timestamp-naive: {training_log: warning}}\n")
    # The pack's own word for this log kind is the same.
    assert changes(told(repo)) == []
    repo.write(CONFIG, OWN[CONFIG] + "severity: {timestamp-naive: {training_log: notice}}\n")
    assert changes(told(repo)) == [("severity", "timestamp-naive.training_log", "looser")]


def waiver(until: str = "2026-12-31", name: str = "sweep_run4_20251101") -> str:
    what = f"{{rule: missing-findings, run: {name}, owner: me, reason: agreed, expires: {until}}}"
    return OWN[CONFIG] + f"waivers:\n  - {what}\n"


def test_a_waiver_turns_findings(repo: Repo) -> None:
    repo.append(LOG, edited(sweep(0.65, 4), findings=""))
    repo.write(CONFIG, waiver())
    found = told(repo)
    assert turns(found) == [(4, "missing-findings", "error", "waived", True)]
    assert changes(found) == [("waiver", "missing-findings for run sweep_run4_20251101", "looser")]
    repo.commit("waive")
    repo.write(CONFIG, OWN[CONFIG])
    assert turns(told(repo)) == [(4, "missing-findings", "waived", "error", False)]


@pytest.mark.parametrize("until, direction", [("2027-12-31", "looser"), ("2026-06-30", "stricter")])
def test_a_waiver_that_is_prolonged_is_looser(repo: Repo, until: str, direction: str) -> None:
    repo.write(CONFIG, waiver())
    repo.commit("waive")
    repo.write(CONFIG, waiver(until))
    found = told(repo)
    assert (turns(found), [change[2] for change in changes(found)]) == ([], [direction])
    assert impact(repo, "--fail-on-loosening").code == (direction == "looser")


def test_an_exclusion_takes_everything_of_a_log_away(repo: Repo) -> None:
    repo.append(LOG, edited(sweep(0.65, 4), findings=""))
    repo.write(CONFIG, OWN[CONFIG] + f"exclude: [{LOG}]\n")
    found = told(repo)
    assert changes(found) == [("exclude", LOG, "looser")]
    assert (4, "missing-findings", "error", "nothing", True) in turns(found)
    assert (1, "accuracy", "missed", "not asked", True) in turns(found)
    assert all(turn[4] for turn in turns(found))


def test_each_of_several_findings_of_one_rule_at_one_place_is_compared(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    for name, data in PROBES.items():
        repo.write(name, data)
    laws = {"type": "string", "minLength": 3, "pattern": "^x"}
    schema = {"type": "object", "properties": {"probe": laws}}
    repo.write("rules/probe.json", json.dumps(schema))
    repo.write("probes.jsonl", [{"probe": "a", "score": 0.6}])
    repo.commit("base")
    for law, lax, said in (("minLength", 0, "fewer than 3"), ("pattern", "", "does not match ^x")):
        probe = {**laws, law: lax}
        repo.write("rules/probe.json", json.dumps(schema | {"properties": {"probe": probe}}))
        found = told(repo)
        assert turns(found) == [(1, "schema", "error", "nothing", True)]
        assert said in found["turns"][0]["detail"]


def test_a_schema_turns_findings(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    for name, data in PROBES.items():
        repo.write(name, data)
    repo.write("probes.jsonl", [{"probe": "a", "score": 0.6}, {"probe": "b"}])
    repo.commit("base")
    wide = json.loads(PROBES["rules/probe.json"]) | {"required": ["probe"]}
    repo.write("rules/probe.json", json.dumps(wide))
    found = told(repo)
    assert (2, "schema", "error", "nothing", True) in turns(found)
    assert ("schema", "probe.json", None) in changes(found)
    assert impact(repo, "--fail-on-loosening").code == 1


def test_a_limit_turns_findings_and_verdicts(repo: Repo) -> None:
    repo.write(CONFIG, OWN[CONFIG] + "limits: {line: 100}\n")
    found = told(repo)
    assert (1, "invalid-json", "nothing", "error", False) in turns(found)
    assert (1, "accuracy", "missed", "not asked", True) in turns(found)
    assert changes(found) == [("limit", "line", None)]


# --- what is compared with what ---------------------------------------------------------------------------


def test_where_nothing_changed_no_run_is_judged_otherwise(repo: Repo) -> None:
    for args in ((), ("--fail-on-loosening",)):
        said = impact(repo, *args)
        assert (said.code, said.err) == (0, "")
        assert said.out.splitlines()[1:] == ["", "no run is judged otherwise"]
    assert told(repo)["summary"] == {"turned": 0, "loosened": False, "said": []}


def test_new_lines_alone_change_nothing(repo: Repo) -> None:
    repo.append(LOG, sweep(0.1, 4))
    found = told(repo)
    assert (found["lines"], found["turns"], found["changes"]) == (4, [], [])


def test_rules_may_change_without_any_run_that_turns(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", SWEEP.replace("0.60", "0.59"))
    said = impact(repo)
    assert said.out.splitlines()[-1] == "no run is judged otherwise · the rules are looser"


@pytest.mark.parametrize(
    "rules, code", [(LOOSER, 1), (SWEEP.replace("0.60", "0.59"), 1), (SWEEP, 0), (STRICTER, 0)]
)
def test_the_exit_code_tells_a_loosening_where_that_is_to_fail(repo: Repo, rules: str, code: int) -> None:
    repo.write("rules/sweep.yaml", rules)
    assert impact(repo).code == 0
    assert impact(repo, "--fail-on-loosening").code == code
    assert impact(repo, "--fail-on-loosening", "--output-format", "json").code == code


def test_the_base_is_the_one_that_is_named(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("rules/sweep.yaml", LOOSER)
    repo.commit("looser")
    assert told(repo)["summary"]["turned"] == 2
    assert told(repo, "--base", "HEAD")["summary"]["turned"] == 0
    assert told(repo, "--base", "main")["summary"]["turned"] == 2
    assert f"merge base of main: {repo.git('rev-parse', 'main')[:7]}" in impact(repo, "--base", "main").out


def test_another_configuration_may_be_named(repo: Repo) -> None:
    repo.write("other.yaml", OWN[CONFIG])
    repo.commit("other")
    repo.write("other.yaml", OWN[CONFIG] + f"exclude: [{LOG}]\n")
    assert told(repo)["turns"] == []
    assert changes(told(repo, "--config", "other.yaml")) == [("exclude", LOG, "looser")]


def test_many_turns_are_cut_unless_all_are_asked_for(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.55, number) for number in range(1, 61)])
    repo.write("rules/sweep.yaml", LOOSER)
    said = impact(repo).out
    assert said.count("missed → met") == 50
    assert "  … and 10 more: -v shows all\n" in said
    assert "60 runs turn from missed to met" in said
    assert impact(repo, "-v").out.count("missed → met") == 60


# --- what cannot be compared ------------------------------------------------------------------------------


def refused(said: Result, *words: str) -> None:
    assert said.code == 2
    assert all(word in said.err for word in words), said.err
    assert "Traceback" not in said.err


def test_without_a_base_nothing_is_compared(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    refused(
        gate("rules", "impact", cwd=outside, env=environment(tmp_path)), "there is no git repository here"
    )
    unborn = Repo.init(tmp_path / "unborn")
    refused(impact(unborn), "there is no base to take the old rules from", "name one with --base")
    refused(impact(repo, "--base", "nowhere"), "'nowhere' (--base nowhere) is no commit of this clone")


@pytest.mark.parametrize("form", ["text", "json"])
def test_broken_old_rules_are_named_as_the_old_ones(repo: Repo, form: str) -> None:
    repo.write("rules/sweep.yaml", SWEEP + "nonsense: 1\n")
    broken = repo.commit("broken")
    repo.write("rules/sweep.yaml", SWEEP)
    said = impact(repo, "--output-format", form)
    refused(
        said,
        f"rules/sweep.yaml:4:1: the rules of the base {broken[:7]} cannot be read",
        "no member 'nonsense'",
    )
    if form == "json":
        error = said.json["error"]
        assert (error["path"], error["line"], error["column"]) == ("rules/sweep.yaml", 4, 1)
    else:
        assert said.out == ""


def test_broken_new_rules_are_refused_at_their_place(repo: Repo) -> None:
    repo.write("rules/sweep.yaml", "experiment_type: sweep\ncriteria:\n  accuracy: > 0.5\n")
    said = impact(repo)
    refused(said, "rules/sweep.yaml:3:")
    assert "of the base" not in said.err


def test_names_in_the_log_and_in_the_rules_cannot_act(repo: Repo) -> None:
    forged = "x\n::error::forged ##[error]forged \x1b[2K\u202e"
    repo.write(LOG, [edited(sweep(0.55), run_id=forged)])
    repo.commit("forged")
    repo.write("rules/sweep.yaml", LOOSER)
    repo.write(CONFIG, OWN[CONFIG] + 'exclude: ["##[error]::x/**"]\n')
    for form in ("text", "json"):
        said = impact(repo, "--output-format", form)
        assert said.code == 0
        for act in ("##[", "\x1b", "\u202e", "\n::"):
            assert act not in said.out
        assert "missed → met" in said.out or '"after": "met"' in said.out
    # Nothing is lost in the JSON.
    assert impact(repo, "--output-format", "json").json["turns"][0]["run"] == forged


def test_a_run_without_a_name_is_shown_all_the_same(repo: Repo) -> None:
    run: dict[str, Any] = edited(sweep(0.55), run_id=...)
    repo.write(LOG, [run, a_run()])
    repo.commit("nameless")
    repo.write("rules/sweep.yaml", LOOSER)
    assert f"  - {LOG}:1  (no run id)  accuracy: missed → met\n" in impact(repo).out
