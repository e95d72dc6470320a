"""`nsm-gate rules test`: examples are judged as runs are, and a rules file that says otherwise fails."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import BY_ID
from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.policies import read_policy
from nsm_gate.policy import Example
from tests.support import Result, a_baseline, a_run, check, edited, gate, lines

RUN = edited(a_run("ablation_plain_20251101"), experiment_type="ablation")
HEAD = """experiment_type: ablation
criteria:
  accuracy: "> 0.50"
  balance_delta: "< 0.30"
examples:
"""
PLAIN = f"""  - name: plain
    entry: {json.dumps(RUN)}
    expect: {{accuracy: met, balance_delta: met}}
"""


def lab(folder: Path, examples: str = "", config: str = "", **files: str) -> Path:
    """Make a folder whose rules define the type ablation, with these examples; `files` are further rules."""
    (folder / "rules").mkdir()
    (folder / "nsm-gate.yaml").write_text(f"rules: [rules/]\n{config}", encoding="utf-8")
    (folder / "rules/ablation.yaml").write_text(HEAD + examples if examples else HEAD[:-10], encoding="utf-8")
    for name, text in files.items():
        (folder / f"rules/{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def outcome(folder: Path, *args: str) -> Result:
    """Run `nsm-gate rules test`."""
    return gate("rules", "test", *args, cwd=folder)


def mistakes(result: Result) -> list[tuple[str, str]]:
    """Return (file:line:column, fact) of what stopped the command."""
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err
    assert "internal error" not in result.err
    return re.findall(r"^nsm-gate: error: ([^ ]+:\d+:\d+): (.*)$", result.err, re.MULTILINE)


def pack_examples() -> list[Example]:
    """Return every example of the bundled pack."""
    nowhere = WorkTree(str(Path(__file__).parent / "render"), None)
    return list(read_policy(nowhere, None, BY_ID, examples=True).examples)


PACK = pack_examples()


# --- the pack -----------------------------------------------------------------------------------


def test_the_pack_shows_met_missed_and_unknown_of_every_criterion(tmp_path: Path) -> None:
    result = outcome(tmp_path, "--complete")
    assert (result.code, result.err) == (0, "")
    last = result.out.splitlines()[-1]
    assert (
        last
        == f"{len(PACK)} examples: {len(PACK)} passed · every criterion has examples of met, missed and unknown"
    )
    rows = re.findall(r"^  ✓ (\w+) +(\d+) +(\d+) +(\d+)$", result.out, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^  \S ", result.out, re.MULTILINE)) == 29
    assert all("0" not in counts for _, *counts in rows)


@pytest.mark.parametrize("example", PACK, ids=lambda e: f"{e.owner[1]}-{e.name}")
def test_check_gives_the_examples_of_the_pack_the_same_verdicts(example: Example, tmp_path: Path) -> None:
    logs: dict[str, list[Any]] = {name: list(entries) for name, entries in example.before.items()}
    logs.setdefault(example.log, []).append(example.entry)
    for name, entries in logs.items():
        (tmp_path / f"{name}.jsonl").write_bytes(lines(*entries))
    result = check("--all", cwd=tmp_path)
    line, path = len(logs[example.log]), f"{example.log}.jsonl"
    outcomes = {
        v["criterion"]: v["outcome"]
        for v in result.json["verdicts"]
        if (v["path"], v["line"]) == (path, line)
    }
    assert {name: outcomes[name] for name in example.expect} == example.expect
    # Nothing else is wrong with an example: what is not listed is not there, not even as a warning.
    others = [f for f in result.findings if not f["rule"].startswith("criterion-")]
    assert {f["rule"] for f in others if (f["path"], f["line"]) == (path, line)} == set(example.findings)
    assert {f["rule"] for f in others if (f["path"], f["line"]) != (path, line)} <= {"class-collapse"}


@pytest.mark.parametrize("rule", ["class-collapse", "zero-task-loss", "impossible-metric"])
def test_the_pack_has_an_example_of_each_suspicion(rule: str) -> None:
    assert any(rule in example.findings for example in PACK)


# --- passing and failing ------------------------------------------------------------------------


def test_a_wrong_expectation_fails_and_says_what_was_expected_what_is_and_why(tmp_path: Path) -> None:
    lab(
        tmp_path,
        PLAIN + "  - {name: too strict, like: plain, expect: {accuracy: missed, balance_delta: met}}\n",
    )
    result = outcome(tmp_path, "ablation")
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines() == [
        "experiment type ablation · 2 examples",
        "                       met   missed  unknown",
        "  – accuracy             1        –        –",
        "  – balance_delta        1        –        –",
        "  ✗ too strict  rules/ablation.yaml:9",
        "      accuracy: expected missed, is met: accuracy 0.61 is > 0.50 (by 0.11, 4.5 standard errors at n=400)",
        "",
        "2 examples: 1 passed, 1 failed · 2 of 2 criteria lack an example of met, missed or unknown",
    ]


def test_a_criterion_that_no_one_asks_of_the_run_is_named_with_a_suggestion(tmp_path: Path) -> None:
    lab(tmp_path, PLAIN + "  - {name: typo, like: plain, expect: {acuracy: met}}\n")
    result = outcome(tmp_path)
    assert result.code == 1
    assert "acuracy: no such criterion is asked of this entry; did you mean 'accuracy'?" in result.out


def test_a_reference_is_picked_from_what_was_logged_before(tmp_path: Path) -> None:
    weak, strong = a_baseline("weak", 20), a_baseline("strong", 19, metrics__accuracy=0.6)
    lab(
        tmp_path,
        f"""  - name: beats both
    entry: {json.dumps(RUN)}
    before:
      baselines: [{{entry: {json.dumps(strong)}}}, {{entry: {json.dumps(weak)}}}]
    expect: {{accuracy: met}}
  - name: beats only the latest
    like: beats both
    set: {{final_metrics.accuracy: 0.59}}
    expect: {{accuracy: missed}}
  - name: nothing to beat
    like: beats both
    before: {{}}
    expect: {{accuracy: unknown}}
""",
    )
    file = tmp_path / "rules/ablation.yaml"
    file.write_text(file.read_text().replace('"> 0.50"', '"> best_baseline"'), encoding="utf-8")
    result = outcome(tmp_path, "ablation")
    assert (result.code, result.err) == (0, "")
    assert "3 examples: 3 passed" in result.out


def test_set_and_unset_reach_members_beside_the_run_and_below_what_is_null(tmp_path: Path) -> None:
    lab(
        tmp_path,
        PLAIN
        + """  - name: changed
    like: plain
    set: {entry.timestamp: "2025-11-02T00:00:00Z", architecture.variant: x, best_val_accuracy: null}
    unset: [final_metrics.accuracy]
    expect: {accuracy: unknown, balance_delta: met}
  - name: a time of the entry
    like: changed
    set: {entry.timestamp: yesterday}
    expect: {}
    findings: [timestamp-invalid]
""",
    )
    result = outcome(tmp_path, "ablation")
    assert (result.code, result.err) == (0, "")
    assert "3 examples: 3 passed" in result.out


def test_the_example_that_another_is_like_stays_as_it_is(tmp_path: Path) -> None:
    change = "  - {name: low, like: plain, set: {final_metrics.accuracy: 0.4}, expect: {accuracy: missed}}\n"
    lab(tmp_path, PLAIN + change + "  - {name: again, like: plain, expect: {accuracy: met}}\n")
    assert "3 examples: 3 passed" in outcome(tmp_path, "ablation").out


# --- findings -----------------------------------------------------------------------------------


def test_an_entry_with_an_error_that_is_not_listed_fails(tmp_path: Path) -> None:
    lab(
        tmp_path,
        PLAIN + "  - {name: no seed, like: plain, unset: [hyperparameters.seed], expect: {accuracy: met}}\n",
    )
    result = outcome(tmp_path, "ablation")
    assert result.code == 1
    assert "  ✗ no seed  rules/ablation.yaml:9\n      missing-hyperparameter: " in result.out


def test_a_listed_finding_that_does_not_report_fails(tmp_path: Path) -> None:
    lab(tmp_path, PLAIN + "  - {name: calm, like: plain, expect: {}, findings: [class-collapse]}\n")
    result = outcome(tmp_path, "ablation")
    assert result.code == 1
    assert "class-collapse: expected to report, and does not" in result.out


def test_a_listed_finding_need_not_report_where_the_repository_ignores_its_rule(tmp_path: Path) -> None:
    # The pack's examples list it: a repository that does not care could not mend them.
    lab(tmp_path, config="severity: {class-collapse: ignore, missing-domain-metric: ignore}\n")
    result = outcome(tmp_path)
    assert (result.code, result.err) == (0, "")
    assert " failed" not in result.out.splitlines()[-1]


def test_waivers_do_not_excuse_an_example(tmp_path: Path) -> None:
    waiver = """waivers:
  - {rule: missing-hyperparameter, run: ablation_plain_20251101, owner: lab, reason: old, expires: 2999-01-01}
  - {rule: missing-hyperparameter, path: training_log.jsonl, line: 1, owner: lab, reason: old, expires: 2999-01-01}
"""
    example = "  - {name: no seed, like: plain, unset: [hyperparameters.seed], expect: {}}\n"
    lab(tmp_path, PLAIN + example, waiver)
    result = outcome(tmp_path, "ablation")
    assert result.code == 1
    assert "missing-hyperparameter: " in result.out


# --- completeness -------------------------------------------------------------------------------


def test_a_type_without_examples_lacks_them(tmp_path: Path) -> None:
    lab(tmp_path)
    result = outcome(tmp_path, "ablation")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("experiment type ablation · 0 examples\n")
    assert result.out.endswith(
        "0 examples: 0 passed · 2 of 2 criteria lack an example of met, missed or unknown\n"
    )
    assert outcome(tmp_path, "--complete").code == 1


def test_a_failing_example_shows_no_outcome(tmp_path: Path) -> None:
    lab(
        tmp_path,
        PLAIN
        + "  - {name: low, like: plain, set: {final_metrics.accuracy: 0.5}, expect: {accuracy: missed}}\n"
        + "  - {name: no, like: plain, set: {best_val_accuracy: null}, unset: [final_metrics.accuracy], expect: {accuracy: unknown}}\n"
        + "  - {name: off, like: plain, set: {final_metrics.class_balance_delta: 0.3}, expect: {balance_delta: missed}}\n",
    )
    result = outcome(tmp_path, "ablation", "--complete")
    assert result.code == 1
    # `off` breaks a law (the delta is not the difference of the two classes), so that it is no example.
    rows = [row.split() for row in result.out.splitlines()[2:4]]
    assert rows == [["✓", "accuracy", "1", "1", "1"], ["–", "balance_delta", "1", "–", "–"]]
    assert result.out.endswith(
        "4 examples: 3 passed, 1 failed · 1 of 2 criteria lacks an example of met, missed or unknown\n"
    )


# --- names on the command line ------------------------------------------------------------------


def test_only_what_is_named_is_tested(tmp_path: Path) -> None:
    lab(tmp_path, PLAIN + "  - {name: wrong, like: plain, expect: {accuracy: missed}}\n")
    result = outcome(tmp_path, "planning", "baselines")
    assert (result.code, result.err) == (0, "")
    assert [row for row in result.out.splitlines() if "·" in row and not row[0].isdigit()] == [
        "log kind baselines · 9 examples",
        "domain planning · 6 examples",
    ]
    assert outcome(tmp_path).code == 1


def test_a_name_that_nothing_has_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    lab(tmp_path)
    result = outcome(tmp_path, "planing")
    assert (result.code, result.out) == (2, "")
    assert "no experiment type, domain or log kind is called 'planing'" in result.err
    assert "did you mean 'planning'?" in result.err


# --- repositories that change the pack's rules --------------------------------------------------


def test_overriding_a_criterion_leaves_out_the_examples_of_the_file(tmp_path: Path) -> None:
    stricter = 'experiment_type: dual_pass_validation\ncriteria: {accuracy: "> 0.90"}\n'
    lab(tmp_path, stricter=stricter)
    result = outcome(tmp_path)
    assert (result.code, result.err) == (0, "")
    assert "experiment type dual_pass_validation · 0 examples\n" in result.out
    assert "experiment type hyperparam_search · 0 examples\n" not in result.out
    assert outcome(tmp_path, "--complete").code == 1


def test_overriding_a_criterion_brings_its_own_examples(tmp_path: Path) -> None:
    run = json.dumps(edited(RUN, experiment_type="domain_exploration"))
    own = f"""experiment_type: domain_exploration
criteria: {{accuracy: "> 0.90"}}
examples:
  - {{name: low, entry: {run}, expect: {{accuracy: missed, balance_delta: met}}}}
"""
    lab(tmp_path, own=own)
    result = outcome(tmp_path, "domain_exploration")
    assert (result.code, result.err) == (0, "")
    assert "1 example: 1 passed" in result.out


@pytest.mark.parametrize(
    "own",
    [
        "log: training_log\nhyperparameters: {at: hyperparameters, required: [seed, dropout]}\n",
        "experiment_type: domain_exploration\nrequires: [architecture.attention_heads]\n",
        'domain: planning\ncriteria: {goal_achievement_rate: "> 0.99"}\n',
        "log: baselines\nnames: {accuracy: [metrics.top5]}\n",
    ],
    ids=lambda text: text.split("\n")[0],
)
def test_an_example_of_the_pack_does_not_fail_for_rules_that_the_repository_changes(
    own: str, tmp_path: Path
) -> None:
    lab(tmp_path, own=own)
    result = outcome(tmp_path)
    assert (result.code, result.err) == (0, "")
    assert " failed" not in result.out.splitlines()[-1]


def test_a_criterion_of_two_files_is_the_one_of_the_example_s_own_file(tmp_path: Path) -> None:
    logs = f"""log: training_log
criteria: {{accuracy: "> 0.95"}}
examples:
  - {{name: short of it, entry: {json.dumps(RUN)}, expect: {{accuracy: missed}}}}
"""
    lab(tmp_path, PLAIN, logs=logs)
    result = outcome(tmp_path, "ablation", "training_log")
    assert (result.code, result.err) == (0, "")
    assert "2 examples: 2 passed" in result.out


def test_a_criterion_of_another_type_does_not_stand_in_for_the_file_s_own(tmp_path: Path) -> None:
    astray = "  - {name: astray, like: plain, set: {experiment_type: sweep}, expect: {accuracy: met}}\n"
    lab(tmp_path, PLAIN + astray, sweep="experiment_type: sweep\ncriteria: {accuracy: '> 0.1'}\n")
    result = outcome(tmp_path, "ablation")
    assert result.code == 1
    assert "accuracy: no such criterion is asked of this entry" in result.out


# --- mistakes -----------------------------------------------------------------------------------


def test_every_mistake_of_every_example_is_reported_at_once_with_its_place(tmp_path: Path) -> None:
    examples = (
        PLAIN
        + """  - {name: a, like: unheard of, expect: {}}
  - {name: b, like: c, expect: {}}
  - {name: c, like: plain, expect: {}}
  - {name: c, like: plain, expect: {}}
  - {name: d, like: plain, set: {run_id.inner: 1}, expect: {}}
  - {name: e, like: plain, unset: [final_metrics.mrr], expect: {}}
  - {name: f, like: plain, entry: {}, expect: {}}
  - {name: g, expect: {}}
  - {name: h, like: plain, log: traning_log, expect: {}}
  - {name: i, like: plain, before: {baseline: []}, expect: {}}
  - {name: j, like: plain, expect: {}, findings: [class_collapse]}
  - {name: k, entry: {}, set: {x: 1}, unset: [y], expect: {}}
  - {name: l, like: plain, before: {training_log: [{like: m}, {}]}, expect: {}}
  - {name: m, like: plain, set: {entry: 1}, unset: [entry], expect: {}}
  - {name: n, like: nothing, expect: {}, findings: [schemas]}
  - {name: o, like: n, expect: {}}
  - {name: p, like: plain, before: {baselines: [{like: plain}]}, expect: {}}
  - {name: q, like: plain, log: baselines, expect: {}}
"""
    )
    lab(tmp_path, examples)
    result = outcome(tmp_path)
    file = "rules/ablation.yaml"
    assert mistakes(result) == [
        (f"{file}:9:21", "no example before this one is called 'unheard of'"),
        (f"{file}:10:21", "no example before this one is called 'c'"),
        (f"{file}:12:12", "two examples are called 'c'"),
        (f"{file}:13:34", "'run_id.inner' leads through run_id, which is no object"),
        (f"{file}:14:36", "'final_metrics.mrr' is not there in the example that it is like"),
        (f"{file}:15:5", "an example has an entry, or is like another"),
        (f"{file}:16:5", "an example has an entry, or is like another"),
        (f"{file}:17:33", "no log kind is called 'traning_log'"),
        (f"{file}:18:37", "no log kind is called 'baseline'"),
        (f"{file}:19:51", "no rule is called 'class_collapse'"),
        (f"{file}:20:31", "set stands beside entry"),
        (f"{file}:20:46", "unset stands beside entry"),
        (f"{file}:21:59", "no example before this one is called 'm'"),
        (f"{file}:21:63", "an example has an entry, or is like another"),
        (f"{file}:22:34", "'entry' is the whole entry, not a member of it"),
        (f"{file}:22:53", "'entry' is the whole entry, not a member of it"),
        (f"{file}:23:21", "no example before this one is called 'nothing'"),
        (f"{file}:23:53", "no rule is called 'schemas'"),
        (f"{file}:25:56", "'plain' is of the log kind training_log, not baselines"),
        (f"{file}:26:21", "'plain' is of the log kind training_log, not baselines"),
    ]
    for hint in (
        "did you mean 'training_log'?",
        "did you mean 'baselines'?",
        "did you mean 'class-collapse'?",
    ):
        assert hint in result.err


def test_mistakes_of_other_files_are_reported_beside_those_of_examples(tmp_path: Path) -> None:
    lab(tmp_path, "  - {name: a, like: b, expect: {}}\n", other="domain: chess\ncriteria: {mrr: '> x'}\n")
    assert {place for place, _ in mistakes(outcome(tmp_path))} == {
        "rules/ablation.yaml:6:21",
        "rules/other.yaml:2:20",
    }


@pytest.mark.parametrize(
    ("example", "fact"),
    [
        ("{name: a, entry: {}, expect: {accuracy: good}}", "good"),
        ("{name: a, entry: {}}", "expect"),
        ("{entry: {}, expect: {}}", "name"),
        ("{name: a, entry: [], expect: {}}", "entry"),
        ("{name: a, entry: {}, expects: {}, expect: {}}", "expects"),
        ("{name: '', entry: {}, expect: {}}", "name"),
    ],
)
def test_an_example_of_the_wrong_shape_stops_every_command(example: str, fact: str, tmp_path: Path) -> None:
    lab(tmp_path, f"  - {example}\n")
    for result in (outcome(tmp_path), gate("check", cwd=tmp_path)):
        assert result.code == 2
        assert re.search(rf"rules/ablation.yaml:6:\d+: .*{fact}", result.err), result.err


def test_examples_that_cannot_be_built_do_not_stop_a_check(tmp_path: Path) -> None:
    # Only `rules test` builds them: a hook does not pay for it.
    lab(tmp_path, "  - {name: a, like: b, expect: {}}\n")
    (tmp_path / "training_log.jsonl").write_bytes(lines(RUN))
    assert check("--all", cwd=tmp_path).code == 0
    assert outcome(tmp_path).code == 2


def test_a_log_kind_is_asked_for_where_a_type_applies_to_several(tmp_path: Path) -> None:
    other = """log: sweeps
files: ["**/sweeps.jsonl"]
schema: training_log.schema.json
run: run_data
key: [run_id]
experiment_type: experiment_type
status: status
times: {logged: entry.timestamp}
names: {accuracy: [final_metrics.accuracy], balance_delta: [final_metrics.class_balance_delta]}
"""
    lab(tmp_path, PLAIN, other=other)
    assert mistakes(outcome(tmp_path)) == [
        ("rules/ablation.yaml:6:5", "the example does not say of which log kind it is")
    ]
    file = tmp_path / "rules/ablation.yaml"
    file.write_text(file.read_text().replace("name: plain", "name: plain\n    log: sweeps"), encoding="utf-8")
    result = outcome(tmp_path)
    assert (result.code, result.err) == (0, "")


# --- untrusted text -----------------------------------------------------------------------------


def test_text_of_examples_cannot_act_on_a_terminal_or_a_runner(tmp_path: Path) -> None:
    name = "\\e[2J::error::x ##[error]y\\u202e"
    hostile = edited(
        RUN, run_id="bad\x1b[31m::stop-commands::t", hyperparameters__seed="##[group]\u202e\r::warning::"
    )
    lab(
        tmp_path,
        f"""  - name: "{name}"
    entry: {json.dumps(hostile)}
    expect: {{"accu\\u202e::error::": met, accuracy: missed}}
""",
    )
    result = outcome(tmp_path, "ablation")
    assert result.code == 1
    assert "\\u001b[2J" in result.out
    for text in ("\x1b", "\r", "\u202e", "::", "##["):
        assert text not in result.out, text


def test_hostile_names_are_harmless_in_mistakes_too(tmp_path: Path) -> None:
    lab(tmp_path, '  - {name: a, like: "\\e]0;x\\a::error::\\u2028##[error]", expect: {}}\n')
    result = outcome(tmp_path)
    assert result.code == 2
    for text in ("\x1b", "\x07", "\u2028", "::", "##["):
        assert text not in result.err, text
