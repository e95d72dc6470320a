"""`nsm-gate explain RUN`: which rules judge one run, which reference was chosen and why, and the arithmetic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, SHARED, Repo, Result, a_baseline, a_run, check, edited, environment, gate
from tests.test_governance import CONFIG, LOG, OWN, passes, search, sweep

REAL = SHARED / "logs"
EXAMPLE = ROOT / "examples" / "nsm"
RULES = "rules/sweep.yaml"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "r")
    for name, data in OWN.items():
        made.write(name, data)
    return made


def explain(place: Repo | Path, *args: str) -> Result:
    cwd = place.path if isinstance(place, Repo) else place
    return gate("explain", *args, cwd=cwd, env=environment(cwd))


def explained(place: Repo | Path, *args: str) -> str:
    said = explain(place, *args)
    assert (said.code, said.err) == (0, "")
    return said.out


def outcomes(text: str) -> list[tuple[str, str]]:
    """Return each criterion with its outcome, in order."""
    return re.findall(r"^[✓✗?–] (\S+): ([a-z-]+)  ", text, re.MULTILINE)


def part(text: str, criterion: str) -> str:
    """Return what is said of one criterion."""
    found = re.search(rf"^[✓✗?–] {criterion}: .*?(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, text
    return found[0]


def refused(place: Repo | Path, *args: str) -> str:
    said = explain(place, *args)
    assert (said.code, said.out) == (2, "")
    return said.err


# --- the real log -----------------------------------------------------------------------------------------


@pytest.fixture
def real(tmp_path: Path) -> Path:
    if not REAL.is_dir():
        pytest.skip("the project's real logs are not beside this checkout")
    for log in REAL.glob("*.jsonl"):
        (tmp_path / log.name).write_bytes(log.read_bytes())
    return tmp_path


def test_the_learned_fusion_is_compared_with_the_single_pass_baseline(real: Path) -> None:
    text = explained(real, "dual_pass_learned_fusion_20251021")
    assert text.splitlines()[0] == (
        "dual_pass_learned_fusion_20251021 · training_log.jsonl line 6 · dual_pass_validation · planning · completed"
    )
    told = part(text, "fusion_effectiveness")
    assert told.startswith("✓ fusion_effectiveness: met")
    assert "reads balance_delta = 0.724494  at run_data.final_metrics.class_balance_delta\n" in told
    assert (
        "reads single_pass.balance_delta = 0.989828  "
        "at baseline_single_pass_20251021: run_data.final_metrics.class_balance_delta\n"
    ) in told
    assert "✓ baseline_single_pass_20251021  training_log.jsonl:4  balance_delta 0.989828  picked\n" in told
    assert "so balance_delta 0.724494 is < single_pass.balance_delta 0.989828 (by 0.265334), " in told
    assert "single_pass being baseline_single_pass_20251021" in told
    # And why the others were not.
    assert "– causal_example_20251020  training_log.jsonl:1  domain differs: 'causal'\n" in told
    assert (
        "– planning_example_20251020  training_log.jsonl:3  dataset_config differs in total_size, val_size"
        in told
    )
    assert (
        "– dual_pass_equal_fusion_20251021  training_log.jsonl:5  where does not hold: "
        "status 'completed', hyperparameters.use_dual_pass true\n"
    ) in told
    # What was logged after it is no candidate.
    assert "dual_pass_no_cycle_20251021" not in told


def test_the_arithmetic_of_a_rate_is_shown(real: Path) -> None:
    told = part(explained(real, "dual_pass_no_cycle_20251021"), "accuracy")
    assert "so accuracy 0.435 is not > 0.50 (short by 0.065, 2.7 standard errors at n=429)\n" in told
    assert "margin -0.065\n" in told
    assert told.endswith("standard error sqrt(0.435 × 0.565 / 429) = 0.0239")


@pytest.mark.parametrize("name", ["training_log.jsonl", "baselines.jsonl"])
def test_every_real_run_is_explained_as_it_is_judged(real: Path, name: str) -> None:
    agrees(real, name)


def test_a_run_of_the_example_is_explained_as_it_is_judged() -> None:
    agrees(EXAMPLE, "experiments/training_log.jsonl")
    agrees(EXAMPLE, "baselines.jsonl")


def agrees(place: Path, log: str) -> None:
    """Hold what explain says of every line of a log against what `check --all` gives, as of that line."""
    judged = check("--all", ".", cwd=place, env=environment(place)).json["verdicts"]
    lines = sorted({v["line"] for v in judged if v["path"].endswith(log)})
    lines = lines if len(lines) < 12 else lines[::4]
    assert len(lines) >= 3
    for line in lines:
        verdicts = [v for v in judged if v["path"].endswith(log) and v["line"] == line]
        text = explained(place, verdicts[0]["run"], log, "--line", str(line))
        assert outcomes(text) == [(v["criterion"], v["outcome"]) for v in verdicts], line
        for verdict in verdicts:
            told = part(text, verdict["criterion"])
            assert f"    so {verdict['explanation']}" in told
            assert f"  {verdict['defined_at']}\n" in told
            if verdict["reference"] is not None:
                assert f"✓ {verdict['reference']['run']}  " in told
                assert f":{verdict['reference']['line']}  " in told
            if verdict["margin"] is not None:
                assert f"margin {verdict['margin']:+.6g}" in told


# --- which line -------------------------------------------------------------------------------------------


def test_the_latest_line_speaks_for_a_run_and_any_other_may_be_asked_for(repo: Repo) -> None:
    running = edited(sweep(0.65, 1), status="running", best_val_accuracy=None, final_metrics=None)
    ended = edited(sweep(0.65, 2), run_id="sweep_run1_20251101")
    corrected = edited(
        sweep(0.55, 3), run_id="sweep_run1_20251101", corrects="sweep_run1_20251101", reason="wrong split"
    )
    repo.write(LOG, [running, a_run(), ended, corrected])
    latest = explained(repo, "sweep_run1_20251101")
    assert latest.startswith(f"sweep_run1_20251101 · {LOG} line 4 · sweep · planning · completed\n")
    assert ("accuracy", "missed") in outcomes(latest)
    assert ("accuracy", "met") in outcomes(explained(repo, "sweep_run1_20251101", "--line", "3"))
    first = explained(repo, "sweep_run1_20251101", "--line", "1")
    assert first.startswith(f"sweep_run1_20251101 · {LOG} line 1 · sweep · planning · running\n")
    assert {outcome for _, outcome in outcomes(first)} == {"not-applicable"}
    assert "so the run is 'running'\n" in first


def test_a_line_of_another_run_is_refused_with_those_of_this_one(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65), a_run()])
    assert refused(repo, "sweep_run1_20251101", "--line", "2") == (
        "nsm-gate: error: line 2 is not of 'sweep_run1_20251101'\n  it stands on line 1\n"
    )


def test_a_run_in_two_logs_needs_the_log(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65)])
    repo.write(f"other/{LOG}", [edited(sweep(0.55), training_time_seconds=30.0)])
    said = refused(repo, "sweep_run1_20251101")
    assert f"'sweep_run1_20251101' stands in other/{LOG}, {LOG}" in said
    assert "name the log after the run" in said
    for place, outcome in ((LOG, "met"), (f"other/{LOG}", "missed"), ("other", "missed")):
        assert ("accuracy", outcome) in outcomes(explained(repo, "sweep_run1_20251101", place))


def test_an_unknown_run_is_refused_with_the_nearest_name(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65), a_run()])
    assert refused(repo, "sweep_run2_20251101") == (
        "nsm-gate: error: no run is called 'sweep_run2_20251101'\n  did you mean 'sweep_run1_20251101'?\n"
    )
    assert "the logs hold 2 runs" in refused(repo, "nothing like it")


def test_a_run_is_explained_by_what_was_there_when_it_was_logged(repo: Repo) -> None:
    repo.write(LOG, [passes(0.20, 1, dual=False), passes(0.15, 2, dual=True), passes(0.10, 3, dual=False)])
    told = part(explained(repo, "dual_pass_run2_20251101"), "fusion_effectiveness")
    assert "✓ dual_pass_run1_20251101" in told
    assert "dual_pass_run3_20251101" not in told
    assert told.startswith("✓ fusion_effectiveness: met")


def test_a_log_outside_of_any_repository_is_explained(tmp_path: Path) -> None:
    Repo(tmp_path).write(LOG, [a_run()])
    text = explained(tmp_path, "planning_plain_20251101")
    assert text.splitlines()[1] == "judged by the nsm pack"
    assert all(outcome == "met" for _, outcome in outcomes(text))


# --- which rules ------------------------------------------------------------------------------------------


def test_the_rules_that_judge_are_named_with_file_and_line(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65)])
    rows = explained(repo, "sweep_run1_20251101").splitlines()
    assert rows[1] == f"judged by the nsm pack and {CONFIG}"
    assert rows[2].startswith("  log kind training_log  nsm:rules/logs/training_log.yaml:")
    assert rows[3] == f"  experiment type sweep  {RULES}:1"
    assert rows[4].startswith("  domain planning  nsm:rules/domains/planning.yaml:")
    assert f"✓ accuracy: met  {RULES}:3" in rows


def test_another_configuration_may_judge(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65)])
    repo.write("strict.yaml", "rules: [strict]\n")
    repo.write("strict/sweep.yaml", 'experiment_type: sweep\ncriteria: {accuracy: "> 0.70"}\n')
    text = explained(repo, "sweep_run1_20251101", "--config", "strict.yaml")
    assert ("accuracy", "missed") in outcomes(text)


def test_a_run_without_a_type_is_judged_by_its_domain_alone(repo: Repo) -> None:
    repo.write(LOG, [edited(a_run(), experiment_type=...)])
    text = explained(repo, "planning_plain_20251101")
    assert "  no experiment type: no criteria of a type apply\n" in text
    assert [name for name, _ in outcomes(text)] == ["goal_achievement_rate", "temporal_ordering_acc"]
    assert "findings of its line\n    warning missing-experiment-type  " in text


def test_a_type_that_no_rule_defines_is_said(repo: Repo) -> None:
    repo.write(LOG, [edited(a_run(), experiment_type="sweeep")])
    text = explained(repo, "planning_plain_20251101")
    assert "  no rule defines the experiment type sweeep: no criteria of a type apply\n" in text
    assert "    error unknown-experiment-type  " in text


def test_a_failed_run_is_asked_nothing(repo: Repo) -> None:
    repo.write(LOG, [edited(sweep(0.1), status="failed", error_message="out of memory")])
    text = explained(repo, "sweep_run1_20251101")
    assert {outcome for _, outcome in outcomes(text)} == {"not-applicable"}
    assert "so the run is 'failed'\n" in text


def test_a_run_of_which_nothing_is_asked_is_said(repo: Repo) -> None:
    repo.write(RULES, "experiment_type: sweep\n")
    repo.write("rules/planning.yaml", "domain: planning\nreplace: true\n")
    repo.write(LOG, [sweep(0.65)])
    assert "no criterion is asked of it\n" in explained(repo, "sweep_run1_20251101")


def test_a_baseline_is_explained_by_its_log_kind(repo: Repo) -> None:
    repo.write("baselines.jsonl", [a_baseline(metrics__accuracy=0.5)])
    text = explained(repo, "3level_fusion")
    assert part(text, "accuracy").startswith("✗ accuracy: missed  nsm:rules/logs/baselines.yaml:")
    assert "experiment type" not in text


def test_findings_of_the_line_are_told_with_their_state(repo: Repo) -> None:
    waiver = (
        "{rule: missing-findings, run: sweep_run1_20251101, owner: me, reason: agreed, expires: 2026-12-31}"
    )
    repo.write(CONFIG, f"{OWN[CONFIG]}waivers: [{waiver}]\n")
    repo.write(LOG, [edited(sweep(0.65), findings="", hyperparameters__seed=...)])
    rows = explained(repo, "sweep_run1_20251101").splitlines()
    at = rows.index("findings of its line")
    assert rows[at + 1 :] == [
        "    error missing-hyperparameter  hyperparameter 'seed' is absent",
        "    waived missing-findings  run_data.findings is blank",
    ]


# --- every form of criterion ------------------------------------------------------------------------------

FORMS = """experiment_type: sweep
references:
  best: {from: training_log, where: hyperparameters.seed == 7, pick: max(accuracy), none: NONE}
criteria:
  CRITERION
"""


def told_of(repo: Repo, criterion: str, none: str = "unknown", **changes: Any) -> str:
    """Return what is said of a criterion, given in YAML as `name: test`."""
    repo.write(RULES, FORMS.replace("CRITERION", criterion).replace("NONE", none))
    repo.write(LOG, [sweep(0.6, **changes)])
    return part(explained(repo, "sweep_run1_20251101"), criterion.partition(":")[0])


def test_a_threshold(repo: Repo) -> None:
    assert told_of(repo, "accuracy: {above: 0.55, source: the plan}") == (
        f"✓ accuracy: met  {RULES}:5\n"
        "    asks > 0.55  (the plan)\n"
        "    reads accuracy = 0.6  at run_data.final_metrics.accuracy\n"
        "    so accuracy 0.6 is > 0.55 (by 0.05, 2.0 standard errors at n=400)\n"
        "       margin +0.05\n"
        "       standard error sqrt(0.6 × 0.4 / 400) = 0.0245"
    )


def test_a_threshold_that_is_met_exactly_is_not_passed(repo: Repo) -> None:
    told = told_of(repo, 'accuracy: "> 0.60"')
    assert told.startswith("✗ accuracy: missed")
    assert "so accuracy 0.6 is not > 0.60 (exactly at the threshold)\n" in told


def test_a_threshold_by_standard_errors(repo: Repo) -> None:
    told = told_of(repo, "accuracy: {above: 0.5, standard_errors: 2}")
    assert "asks > 0.5 by 2 standard errors\n" in told
    assert "reads count(accuracy) = 400  at run_data.dataset_config.val_size\n" in told
    assert "margin +0.0510102\n" in told


def test_a_threshold_by_a_share(repo: Repo) -> None:
    told = told_of(repo, "accuracy: {above: 0.5, by: 10%}")
    assert "asks > 0.5 by 10%\n" in told
    assert "margin +0.05\n" in told


def test_a_range_under_a_condition(repo: Repo) -> None:
    told = told_of(
        repo, "calm: {assert: 0.1 <= final_metrics.cycle_loss <= 0.9, when: not hyperparameters.use_dual_pass}",
        hyperparameters__use_dual_pass=False,
    )  # fmt: skip
    assert "reads hyperparameters.use_dual_pass = false  at run_data.hyperparameters.use_dual_pass\n" in told
    assert "so 0.1 <= final_metrics.cycle_loss <= 0.9 holds: final_metrics.cycle_loss 0.5 (by 0.4)\n" in told


def test_a_condition_that_does_not_hold_and_one_that_is_unknown(repo: Repo) -> None:
    criterion = "calm: {assert: final_metrics.cycle_loss < 1, when: hyperparameters.use_dual_pass}"
    told = told_of(repo, criterion, hyperparameters__use_dual_pass=False)
    assert told.startswith("– calm: not-applicable")
    assert "so does not apply: hyperparameters.use_dual_pass false" in told
    told = told_of(repo, criterion)
    assert told.startswith("? calm: unknown")
    assert "reads hyperparameters.use_dual_pass = –" in told


@pytest.mark.parametrize("weight, bar", [(0.001, "1.0"), (0.01, "0.9"), (0.1, "0.80")])
def test_the_first_branch_that_applies(repo: Repo, weight: float, bar: str) -> None:
    branches = '{if: cycle_weight <= 0.001, then: "< 1.0"}, {if: cycle_weight <= 0.02, then: "< 0.9"}, {else: "< 0.80"}'
    told = told_of(repo, f"cycle_loss: {{first: [{branches}]}}", hyperparameters__cycle_loss_weight=weight)
    assert "    first asks < 1.0\n    else asks < 0.9\n    else asks < 0.80\n" in told
    assert f"reads cycle_weight = {weight:g}  at run_data.hyperparameters.cycle_loss_weight\n" in told
    because = "" if bar == "0.80" else f", as cycle_weight {weight:g}"
    assert re.search(rf"so cycle_loss 0.5 is < {bar} \(by 0\.\d\){because}\n", told)


def test_a_series(repo: Repo) -> None:
    criterion = "convergence: {series: loss_history, is: decreasing, tolerance: 0.01, bumps: 1}"
    told = told_of(repo, criterion, metrics_history=[0.9, 0.8, 0.85, 0.7])
    assert "asks decreasing (tolerance 0.01, bumps 1)\n" in told
    assert "reads loss_history = 0.9 → 0.7 over 4 values  at run_data.metrics_history\n" in told
    assert "it rises at value 3: 0.8 → 0.85" in told
    told = told_of(repo, criterion)
    assert told.startswith("? convergence: unknown")


def test_a_state_and_text(repo: Repo) -> None:
    told = told_of(repo, "lawson_criterion: achieved", final_metrics__lawson_criterion="achieved")
    assert "reads lawson_criterion = 'achieved'  at run_data.final_metrics.lawson_criterion\n" in told


@pytest.mark.parametrize(
    "none, outcome, said",
    [
        ("unknown", "unknown", ""),
        ("pass", "met", ", which the rules count as met"),
        ("warn", "met", ", which the rules count as met"),
        ("fail", "missed", ", which the rules count as missed"),
    ],
)
def test_what_holds_without_a_reference(repo: Repo, none: str, outcome: str, said: str) -> None:
    told = told_of(repo, "better: {assert: accuracy > best.accuracy}", none)
    assert f" better: {outcome}  " in told
    assert "reads best.accuracy = – (best: no comparable run was logged before)\n" in told
    assert f"best is the max(accuracy) of training_log  {RULES}:3\n" in told
    assert f"no run of training_log was logged before: {none}\n" in told
    assert told.endswith(f"so best: no comparable run was logged before{said}")
    assert "margin" not in told


def test_the_criteria_of_the_domain_that_a_type_takes_in(repo: Repo) -> None:
    repo.write(
        RULES,
        "experiment_type: sweep\ncriteria: {all: {use: domain}, quick: {assert: training_time_seconds < 60}}\n",
    )
    repo.write(LOG, [sweep(0.6)])
    assert outcomes(explained(repo, "sweep_run1_20251101")) == [
        ("goal_achievement_rate", "met"), ("temporal_ordering_acc", "met"), ("quick", "met"),
    ]  # fmt: skip


def test_a_missing_value_is_shown_as_missing(repo: Repo) -> None:
    told = told_of(repo, "cycle_loss: {below: 1}", final_metrics__cycle_loss=None)
    assert told == (
        f"? cycle_loss: unknown  {RULES}:5\n"
        "    asks < 1\n"
        "    reads cycle_loss = –  at run_data.final_metrics.cycle_loss\n"
        "    so final_metrics.cycle_loss is null"
    )


# --- candidates -------------------------------------------------------------------------------------------


def test_every_candidate_is_listed_with_why_it_was_not_picked(repo: Repo) -> None:
    best = "references:\n  best: {from: training_log, where: hyperparameters.seed == 42, same: [domain], pick: max(accuracy), none: unknown}\n"
    repo.write(RULES, f'experiment_type: sweep\n{best}criteria: {{accuracy: "> best.accuracy"}}\n')
    repo.write(
        LOG,
        [
            sweep(0.50, 1),
            sweep(0.62, 2),
            sweep(0.62, 3),
            sweep(0.90, 4, hyperparameters__seed=7),
            edited(sweep(0.95, 5), domain="causal", dataset_config__domain="causal"),
            sweep(0.99, 6, status="failed", error_message="diverged"),
            sweep(None, 7),
            sweep(0.55, 8),
        ],
    )
    told = part(explained(repo, "sweep_run8_20251101"), "accuracy")
    rows = [row.strip() for row in told.splitlines() if f"{LOG}:" in row]
    assert rows == [
        f"✓ sweep_run2_20251101  {LOG}:2  accuracy 0.62  picked",
        f"– sweep_run3_20251101  {LOG}:3  accuracy 0.62  smaller, or as strong and later",
        f"– sweep_run1_20251101  {LOG}:1  accuracy 0.5  smaller, or as strong and later",
        f"– sweep_run4_20251101  {LOG}:4  where does not hold: hyperparameters.seed 7",
        f"– sweep_run5_20251101  {LOG}:5  domain differs: 'causal'",
        f"– sweep_run6_20251101  {LOG}:6  is failed, not completed",
        f"– sweep_run7_20251101  {LOG}:7  has no accuracy at the same place",
    ]
    assert "so accuracy 0.55 is not > best.accuracy (best.accuracy 0.62) (short by 0.07" in told


def test_a_superseded_line_is_no_candidate(repo: Repo) -> None:
    worse = edited(passes(0.30, 2, dual=False), run_id="dual_pass_run1_20251101")
    corrected = edited(worse, corrects="dual_pass_run1_20251101", reason="scored on the wrong split")
    repo.write(LOG, [passes(0.05, 1, dual=False), corrected, passes(0.2, 3, dual=True)])
    told = part(explained(repo, "dual_pass_run3_20251101"), "fusion_effectiveness")
    assert f"✓ dual_pass_run1_20251101  {LOG}:2  balance_delta 0.3  picked\n" in told
    assert f"{LOG}:1 " not in told


def test_a_reference_of_another_log_names_that_log(repo: Repo) -> None:
    repo.write(
        "baselines.jsonl", [a_baseline(metrics__accuracy=0.58), a_baseline("late", 30, metrics__accuracy=0.9)]
    )
    run = search(
        0.6,
        entry__timestamp="2025-10-25T00:00:31Z",
        start_time="2025-10-25T00:00:00Z",
        end_time="2025-10-25T00:00:30Z",
    )
    repo.write(LOG, [run])
    told = part(explained(repo, "hyperparam_run1_20251101"), "accuracy")
    assert "reads best_baseline.accuracy = 0.58  at 3level_fusion: metrics.accuracy\n" in told
    assert "✓ 3level_fusion  baselines.jsonl:1  accuracy 0.58  picked\n" in told
    assert "late" not in told


def test_many_candidates_are_cut_unless_all_are_asked_for(repo: Repo) -> None:
    repo.write(
        LOG,
        [*[passes(round(0.1 + n / 100, 2), n, dual=False) for n in range(14)], passes(0.2, 20, dual=True)],
    )
    told = part(explained(repo, "dual_pass_run20_20251101"), "fusion_effectiveness")
    assert told.count(f"  {LOG}:") == 10
    assert "      … and 4 more: -v shows all\n" in told
    told = part(explained(repo, "dual_pass_run20_20251101", "-v"), "fusion_effectiveness")
    assert told.count(f"  {LOG}:") == 14


# --- what is printed --------------------------------------------------------------------------------------


def test_text_of_the_log_and_of_the_rules_cannot_act(repo: Repo) -> None:
    forged = "x\n::error::forged ##[error]forged \x1b[2K\u202e"
    source = '"the plan ##[error]x ::error::y"'
    repo.write(
        RULES,
        "experiment_type: sweep\nreferences:\n  best: {from: training_log, pick: max(accuracy), none: pass}\n"
        f'criteria:\n  accuracy: {{assert: "> best.accuracy", source: {source}}}\n',
    )
    repo.write(
        LOG,
        [edited(sweep(0.5), run_id=f"other{forged}"), edited(sweep(0.6, 2), run_id=forged, domain=forged)],
    )
    text = explained(repo, forged)
    for act in ("##[", "\x1b", "\u202e", "::error"):
        assert act not in text
    assert r"\u000a" in text.splitlines()[0]
    said = refused(repo, f"{forged}?")
    for act in ("##[", "\x1b", "\u202e", "\n::"):
        assert act not in said


def test_colours_are_for_those_who_ask(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.55)])
    assert "\x1b[" not in explained(repo, "sweep_run1_20251101")
    assert "\x1b[" in explained(repo, "sweep_run1_20251101", "--color", "always")


def test_the_exit_code_does_not_tell_the_verdict(repo: Repo) -> None:
    repo.write(CONFIG, OWN[CONFIG] + "severity: {criterion-missed: error}\n")
    repo.write(LOG, [sweep(0.1)])
    assert ("accuracy", "missed") in outcomes(explained(repo, "sweep_run1_20251101"))


def test_lines_that_hold_no_entry_are_passed_over(repo: Repo) -> None:
    repo.write(LOG, b"not json\n\n[1]\n")
    repo.append(LOG, sweep(0.65))
    assert explained(repo, "sweep_run1_20251101").startswith(f"sweep_run1_20251101 · {LOG} line 4 · ")


def test_broken_rules_explain_nothing(repo: Repo) -> None:
    repo.write(LOG, [sweep(0.65)])
    repo.write(RULES, "experiment_type: sweep\nnonsense: 1\n")
    assert f"{RULES}:2:1: " in refused(repo, "sweep_run1_20251101")


def test_a_negative_measure_of_a_candidate_keeps_its_sign(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write(
        "rules/mine.yaml",
        "experiment_type: domain_exploration\n"
        "references: {low: {from: training_log, pick: min(final_metrics.log_likelihood), none: unknown}}\n"
        "criteria: {likelier: {assert: final_metrics.log_likelihood > low.final_metrics.log_likelihood}}\n",
    )
    runs = [
        edited(a_run(f"planning_r{i}_20251101", i), final_metrics__log_likelihood=-3.5 + i) for i in range(2)
    ]
    repo.write("training_log.jsonl", runs)
    said = gate("explain", "planning_r1_20251101", cwd=repo.path, env=repo.env).out
    assert "✓ planning_r0_20251101  training_log.jsonl:1  final_metrics.log_likelihood -3.5  picked" in said
