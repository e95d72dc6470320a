"""A skeleton entry has everything that the policy asks for, and nothing in it passes for a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import NOW, Repo, Result, a_baseline, a_run, check, edited, gate, lines

TYPES = ("domain_exploration", "dual_pass_validation", "hyperparam_search", "physics_validation")
DOMAINS = {
    "causal": {"counterfactual_accuracy", "intervention_accuracy"},
    "knowledge_graph": {"hits_at_10", "mrr", "analogical_reasoning_acc"},
    "planning": {"goal_achievement_rate", "temporal_ordering_acc"},
}
HYPERPARAMETERS = {
    "epochs", "batch_size", "learning_rate", "seed", "cycle_loss_weight", "patience", "min_delta", "pool_ratio",
}  # fmt: skip
EVERY = [(name, domain) for name in TYPES for domain in DOMAINS]


def new(folder: Path, *args: str) -> dict[str, Any]:
    """Return the skeleton that the command prints: one line of JSON."""
    result = gate("new", *args, cwd=folder)
    assert result.code == 0, result.err
    assert result.out.count("\n") == 1
    entry: dict[str, Any] = json.loads(result.out)
    return entry


def checked(folder: Path, *entries: Any, log: str = "training_log.jsonl") -> Result:
    """Judge entries as a log of their own."""
    (folder / log).write_bytes(lines(*entries))
    return check("--all", cwd=folder)


# --- the bundled types and domains --------------------------------------------------------------------


@pytest.mark.parametrize(("name", "domain"), EVERY)
def test_a_skeleton_holds_what_the_policy_asks_for(tmp_path: Path, name: str, domain: str) -> None:
    entry = new(tmp_path, name, "--domain", domain)
    run = entry["run_data"]
    assert entry["timestamp"] == "2026-06-01T12:00:00Z"
    assert (run["experiment_type"], run["domain"], run["dataset_config"]["domain"]) == (name, domain, domain)
    assert run["run_id"] == f"{name}_{domain}_20260601"
    assert run["findings"] == "TODO"
    assert set(run["hyperparameters"]) >= HYPERPARAMETERS
    assert set(run["dataset_config"]) >= {"domain", "split", "total_size", "train_size", "val_size"}
    assert {metric for metrics in DOMAINS.values() for metric in metrics if metric in run} == DOMAINS[domain]
    assert {"status", "start_time", "end_time", "training_time_seconds"} <= set(run)
    assert ("variant" in run.get("architecture", {})) == (name == "dual_pass_validation")
    assert ("use_dual_pass" in run["hyperparameters"]) == (name == "dual_pass_validation")
    assert ("q_neural" in run["final_metrics"]) == (name == "physics_validation")
    assert ("metrics_history" in run) == (name == "hyperparam_search")


@pytest.mark.parametrize(("name", "domain"), EVERY)
def test_nothing_that_nobody_can_know_has_a_value(tmp_path: Path, name: str, domain: str) -> None:
    run = new(tmp_path, name, "--domain", domain)["run_data"]
    known = {"run_id", "domain", "experiment_type", "findings"}
    for member, value in run.items():
        for inner, leaf in value.items() if isinstance(value, dict) else ((member, value),):
            assert leaf is None or leaf == [] or inner in known


@pytest.mark.parametrize(("name", "domain"), EVERY)
def test_an_unfilled_skeleton_does_not_pass(tmp_path: Path, name: str, domain: str) -> None:
    result = checked(tmp_path, new(tmp_path, name, "--domain", domain))
    assert result.code == 1
    rules = {rule for rule, _ in result.rules()}
    assert {"missing-findings", "missing-hyperparameter", "schema"} <= rules
    assert not rules & {"unknown-field", "duplicate-member", "run-id-format", "assertion", "invalid-json"}
    assert not {rule for rule in rules if rule.startswith("timestamp")}


def filled(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a skeleton with values for all that is null or TODO in it, taken from a run that passes."""
    known: dict[str, Any] = a_run()["run_data"]
    known["hyperparameters"] |= {"use_dual_pass": False}
    known["final_metrics"] |= {
        "q_neural": 1.2, "lawson_criterion": "achieved", "temperature_gradient": "stable", "beta_limit": 0.5,
    }  # fmt: skip
    known |= {"architecture": {"variant": "plain"}, "metrics_history": [{"val_loss": 2}, {"val_loss": 1}]}
    known |= {metric: 0.9 for metrics in DOMAINS.values() for metric in metrics}

    def fill(value: Any, source: Any) -> Any:
        if isinstance(value, dict):
            return {name: fill(inner, source.get(name)) for name, inner in value.items()}
        return source if value in (None, "TODO", []) else value

    return {**entry, "run_data": fill(entry["run_data"], known)}


@pytest.mark.parametrize(("name", "domain"), EVERY)
def test_a_filled_skeleton_passes_and_leaves_no_criterion_unknown(
    tmp_path: Path, name: str, domain: str
) -> None:
    (tmp_path / "baselines.jsonl").write_bytes(lines(a_baseline()))
    result = checked(tmp_path, filled(new(tmp_path, name, "--domain", domain)))
    single_pass = {"criterion-unknown"} if name == "dual_pass_validation" else set()
    assert (result.code, {rule for rule, _ in result.rules()} - single_pass) == (0, set())
    unknown = [v["criterion"] for v in result.json["verdicts"] if v["outcome"] == "unknown"]
    assert set(unknown) <= {"fusion_effectiveness"}


def test_a_skeleton_of_a_baseline_is_asked_neither_type_nor_domain(tmp_path: Path) -> None:
    entry = new(tmp_path, "--log", "baselines")
    assert list(entry) == ["branch", "commit", "timestamp", "experiment", "metrics", "config", "notes"]
    assert (entry["timestamp"], entry["notes"], entry["branch"]) == ("2026-06-01T12:00:00Z", "TODO", None)
    result = checked(tmp_path, entry, log="baselines.jsonl")
    assert result.code == 1
    assert {rule for rule, _ in result.rules()} >= {"schema", "missing-findings"}


# --- options and mistakes ---------------------------------------------------------------------------


def test_indented_it_is_the_same_entry(tmp_path: Path) -> None:
    args = ("new", "hyperparam_search", "--domain", "planning")
    one, other = gate(*args, cwd=tmp_path), gate(*args, "--pretty", cwd=tmp_path)
    assert other.out.count("\n") > 30
    assert json.loads(one.out) == json.loads(other.out)


def test_the_run_takes_the_name_that_is_given(tmp_path: Path) -> None:
    entry = new(tmp_path, "hyperparam_search", "--domain", "planning", "--run-id", "sweep_a_20260601")
    assert entry["run_data"]["run_id"] == "sweep_a_20260601"


def test_what_has_to_be_filled_in_is_said_on_standard_error(tmp_path: Path) -> None:
    result = gate("new", "hyperparam_search", "--domain", "planning", cwd=tmp_path)
    assert result.err.startswith("to fill in before it passes nsm-gate check:\n")
    assert (
        "  hyperparameter 'seed' is null: log the seed: without it the run cannot be repeated\n" in result.err
    )
    assert "  run_data.findings is a placeholder: 'TODO'" in result.err


@pytest.mark.parametrize(
    ("args", "fact", "hint"),
    (
        (
            ("domain_exploraton", "--domain", "planning"),
            "no experiment type is called 'domain_exploraton'", "did you mean 'domain_exploration'?",
        ),
        (
            ("domain_exploration", "--domain", "planing"),
            "no domain is called 'planing'", "did you mean 'planning'?",
        ),
        (
            ("zzz", "--domain", "planning"),
            "no experiment type is called 'zzz'",
            f"the policy knows {', '.join(TYPES)}; nsm-gate init writes a new one",
        ),
        ((), "which experiment type?", f"give TYPE: {', '.join(TYPES)}"),
        (("domain_exploration",), "which domain?", f"give --domain: {', '.join(DOMAINS)}"),
        (("--log", "baseline"), "no log kind is called 'baseline'", "did you mean 'baselines'?"),
        (
            ("domain_exploration", "--log", "baselines"),
            "runs of baselines have no experiment type", "leave TYPE out",
        ),
        (("--log", "baselines", "--domain", "causal"), "runs of baselines have no domain", "leave --domain out"),
    ),
)  # fmt: skip
def test_what_cannot_be_printed_says_what_would_be_right(
    tmp_path: Path, args: tuple[str, ...], fact: str, hint: str
) -> None:
    assert gate("new", *args, cwd=tmp_path) == Result(2, "", f"nsm-gate: error: {fact}\n  {hint}\n")


def test_a_hostile_name_is_the_same_name_in_the_entry_and_cannot_act(tmp_path: Path) -> None:
    evil = "a\n::error::b##[error]c\x1b[31m\u202e\U000e0041"
    result = gate("new", "hyperparam_search", "--domain", "planning", "--run-id", evil, cwd=tmp_path)
    assert json.loads(result.out)["run_data"]["run_id"] == evil
    for found in ("::", "##[", "\x1b", "\u202e"):
        assert found not in result.out + result.err


# --- log kinds of other projects ----------------------------------------------------------------------


def another(folder: Path, kind: str, schema: dict[str, Any], *more: str) -> Repo:
    """Return a repository with a log kind of its own."""
    repo = Repo.init(folder / "r")
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    repo.write("rules/sweeps.yaml", kind)
    repo.write("rules/sweeps.schema.json", json.dumps(schema))
    for number, text in enumerate(more):
        repo.write(f"rules/more{number}.yaml", text)
    return repo


SWEEPS = """\
log: sweeps
files: ["sweeps/*.jsonl"]
schema: sweeps.schema.json
run: body
key: [id]
run_id: id
status: state
experiment_type: sort
times: {logged: entry.at, start: begun}
findings: text
hyperparameters: {at: settings, required: [seed]}
results: scores
names: {score: [scores.main]}
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["version", "at", "body"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 3},
        "at": {"type": "string"},
        "body": {"$ref": "#/$defs/body"},
    },
    "$defs": {
        "body": {
            "type": "object",
            "allOf": [{"$ref": "#/$defs/named"}, {"required": ["settings", "machine"]}],
            "properties": {
                "machine": {"enum": ["only"]},
                "settings": {"type": "object", "required": ["seed", "optimiser"]},
                "scores": {"type": "object", "properties": {"main": {"type": ["number", "null"]}}},
                "curve": {"type": "array"},
            },
        },
        "named": {"required": ["id"], "properties": {"id": {"type": "string"}}},
    },
}  # fmt: skip
COARSE = """\
experiment_type: coarse
requires: [settings.depth, note]
criteria:
  score: "> 0.5"
  falling: {series: curve.loss, is: decreasing}
"""


def test_a_log_kind_of_another_project_gets_its_own_skeleton(tmp_path: Path) -> None:
    repo = another(tmp_path, SWEEPS, SCHEMA, COARSE)
    entry = new(repo.path, "coarse")
    assert entry == {
        "version": 3,
        "at": "2026-06-01T12:00:00Z",
        "body": {
            "id": "coarse_20260601", "machine": "only", "settings": {"seed": None, "optimiser": None, "depth": None},
            "scores": {"main": None}, "curve": [], "state": None, "sort": "coarse", "text": "TODO", "begun": None,
            "note": None,
        },
    }  # fmt: skip
    assert list(entry) == ["version", "at", "body"]
    repo.write("sweeps/a.jsonl", [entry])
    result = repo.check("--all")
    assert result.code == 1
    assert {rule for rule, _ in result.rules()} >= {"missing-findings", "missing-hyperparameter"}


def test_a_log_kind_that_refuses_nothing_gets_a_skeleton_that_is_no_json_yet(tmp_path: Path) -> None:
    kind = 'log: sweeps\nfiles: ["*.jsonl"]\nschema: sweeps.schema.json\nkey: [id]\nrun_id: id\n'
    repo = another(tmp_path, kind, {})
    result = gate("new", "--run-id", "a_20250101", cwd=repo.path)
    assert (result.code, result.out) == (0, '{"id": TODO}\n')
    assert "this log kind refuses no null of its own" in result.err
    repo.write("a.jsonl", result.out)
    assert repo.check("--all").rules() == [("invalid-json", 1)]
    assert gate("new", "--run-id", "a_20250101", "--pretty", cwd=repo.path).out == '{\n  "id": TODO\n}\n'


def test_a_key_that_the_schema_leaves_open_is_refused_while_it_is_null(tmp_path: Path) -> None:
    kind = 'log: sweeps\nfiles: ["*.jsonl"]\nschema: sweeps.schema.json\nkey: [id]\nrun_id: id\n'
    repo = another(tmp_path, kind, {})
    result = gate("new", cwd=repo.path)
    assert (result.code, result.out) == (0, '{"id": null}\n')
    repo.write("a.jsonl", result.out)
    assert repo.check("--all").rules() == [("schema", 1)]


def test_a_name_is_not_put_where_the_schema_wants_a_number(tmp_path: Path) -> None:
    kind = 'log: sweeps\nfiles: ["*.jsonl"]\nschema: sweeps.schema.json\nkey: [id]\nrun_id: id\nexperiment_type: sort\n'
    schema = {"required": ["id"], "properties": {"id": {"type": "integer"}}}
    repo = another(tmp_path, kind, schema, "experiment_type: coarse\n")
    assert new(repo.path, "coarse") == {"id": None, "sort": "coarse"}


def test_a_rate_that_standard_errors_are_asked_of_brings_its_count(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"probe": {"type": "string"}, "n": {"type": "integer"}}}
    kind = (
        "log: probes\nfiles: [probes.jsonl]\nschema: sweeps.schema.json\nkey: [probe]\n"
        "rates: {f1: n}\ncriteria: {f1: {above: 0.5, standard_errors: 2}}\n"
    )
    repo = another(tmp_path, kind, schema)
    assert new(repo.path, "--log", "probes") == {"probe": None, "n": None, "f1": None}


def test_where_several_log_kinds_could_be_meant_one_is_named(tmp_path: Path) -> None:
    kind = 'log: {0}\nfiles: ["{0}.jsonl"]\nschema: sweeps.schema.json\nkey: [id]\n'
    repo = another(
        tmp_path,
        kind.format("one"),
        {"required": ["id"], "properties": {"id": {"type": "string"}}},
        kind.format("two"),
    )
    asked = gate("new", cwd=repo.path)
    assert (asked.code, asked.err) == (
        2, "nsm-gate: error: there are several log kinds\n  name one of them with --log: two, one\n",
    )  # fmt: skip
    assert new(repo.path, "--log", "two") == {"id": None}


def test_a_schema_that_refers_to_itself_ends(tmp_path: Path) -> None:
    kind = 'log: sweeps\nfiles: ["*.jsonl"]\nschema: sweeps.schema.json\nkey: [id]\n'
    itself = {name: {"$ref": "#/$defs/a"} for name in "abcdefgh"}
    schema = {"$ref": "#/$defs/a", "$defs": {"a": {"required": ["id", *itself], "properties": itself}}}
    repo = another(tmp_path, kind, schema)
    result = gate("new", cwd=repo.path)
    assert result.code == 0
    assert len(result.out) < 100_000


def test_broken_rules_are_told_and_nothing_is_printed(tmp_path: Path) -> None:
    (tmp_path / "nsm-gate.yaml").write_text("severty: {}\n")
    result = gate("new", "hyperparam_search", "--domain", "planning", cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert "nsm-gate.yaml:1:1" in result.err


def test_the_time_is_written_in_utc_whatever_the_clock_is_set_to(tmp_path: Path) -> None:
    later = NOW.replace(microsecond=123456)
    result = gate("new", "hyperparam_search", "--domain", "planning", cwd=tmp_path, now=later)
    assert json.loads(result.out)["timestamp"] == "2026-06-01T12:00:00Z"


def test_a_skeleton_of_a_project_that_requires_more_has_more(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", "rules: [rules/]\n")
    repo.write(
        "rules/log.yaml",
        "log: training_log\nhyperparameters: {at: hyperparameters, required: [seed, warmup]}\n",
    )
    entry = new(repo.path, "hyperparam_search", "--domain", "planning")
    assert "warmup" in entry["run_data"]["hyperparameters"]
    repo.write("training_log.jsonl", [edited(filled(entry), hyperparameters__warmup=None)])
    assert ("missing-hyperparameter", 1) in repo.check("--all").rules()
