"""The tables of docs/criteria.md: the guide's words beside the criteria of the pack.

What a verdict says where a value is missing is what it says of the pack's examples.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nsm_gate.checks import BY_ID
from nsm_gate.edge.files import WorkTree
from nsm_gate.edge.policies import read_policy
from nsm_gate.policy import Criterion, Policy
from nsm_gate.strict_yaml import Node, load
from nsm_gate.trial import Trial, criteria_of, judged, try_out
from tests.support import NOW, ROOT

Owner = tuple[str, str]

GUIDE: dict[Owner, tuple[str, dict[str, str]]] = {
    ("experiment_type", "domain_exploration"): ("Domain Exploration", {
        "accuracy": '"accuracy": ">0.55", # Above random baseline',
        "balance_delta": '"balance_delta": "<0.40", # Reasonable class balance',
        "cycle_loss": '"cycle_loss": "<0.80", # Decent reconstruction',
        "domain_metrics": '"domain_metrics": "varies" # Domain-specific targets',
    }),
    ("experiment_type", "dual_pass_validation"): ("Dual-Pass Validation", {
        "accuracy": '"accuracy": ">0.50", # Competitive with baseline',
        "balance_delta": '"balance_delta": "<0.30", # IMPROVED balance vs baseline',
        "cycle_loss": '"cycle_loss": "<1.0", # Acceptable reconstruction',
        "fusion_effectiveness": '"fusion_effectiveness": "show improvement over single-pass"',
    }),
    ("experiment_type", "hyperparam_search"): ("Hyperparameter Search", {
        "accuracy": '"accuracy": ">best_baseline", # Beat previous best',
        "balance_delta": '"balance_delta": "<0.35", # Maintain balance',
        "cycle_loss": '"cycle_loss": "depends on cycle_weight",',
        "convergence": '"convergence": "monotonic decrease"',
    }),
    ("experiment_type", "physics_validation"): ("Physics Validation (NSM-33)", {
        "q_neural": '"q_neural": ">1.0", # Fusion quality (plasma analogy)',
        "lawson_criterion": '"lawson_criterion": "achieved", # Confinement quality',
        "temperature_gradient": '"temperature_gradient": "stable", # Controlled evolution',
        "beta_limit": '"beta_limit": "<1.0" # Stability maintained',
    }),
    ("domain", "causal"): ("Causal Domain", {
        "intervention_accuracy": '"intervention_accuracy": 0.68 # Accuracy on intervention tasks',
        "counterfactual_accuracy": '"counterfactual_accuracy": 0.72, # Accuracy on counterfactual queries',
    }),
    ("domain", "knowledge_graph"): ("Knowledge Graph Domain", {
        "hits_at_10": '"hits_at_10": 0.85, # Top-10 retrieval accuracy',
        "mrr": '"mrr": 0.62, # Mean Reciprocal Rank',
        "analogical_reasoning_acc": '"analogical_reasoning_acc": 0.58 # A:B::C:? analogy tasks',
    }),
    ("domain", "planning"): ("Planning Domain", {
        "goal_achievement_rate": '"goal_achievement_rate": 0.64, # Fraction of valid plans reaching goal',
        "temporal_ordering_acc": '"temporal_ordering_acc": 0.71 # Accuracy of action sequencing',
    }),
    ("log", "baselines"): ("Key Metrics Explained", {
        "accuracy": "**accuracy**: Validation accuracy (target: >0.55 for Phase 1.5)",
        "balance_delta": "**balance_delta**: `|acc_class_0 - acc_class_1|` (target: <0.40)",
        "cycle_loss": "**cycle_loss**: Reconstruction error for WHY(WHAT(x)) ≈ x (target: <0.20)",
        "q_neural": "**q_neural**: Neural fusion quality factor (physics experiments only)",
    }),
}  # fmt: skip
"""Rules file -> the guide's heading, and criterion -> the guide's line on it, white space apart."""

_STATUS = "the run is "
_HEAD = "| the guide | criterion | test | source | unknown, where for example | else not applicable, where |"


@cache
def pack() -> Policy:
    """Return the bundled pack with its examples."""
    nowhere = WorkTree(str(Path(__file__).parent / "render"), None)
    return read_policy(nowhere, None, BY_ID, examples=True)


@cache
def trials() -> dict[Owner, list[Trial]]:
    """Return what judging the examples of each rules file gave."""
    made: dict[Owner, list[Trial]] = {}
    for example in pack().examples:
        made.setdefault(example.owner, []).append(try_out(example, pack(), NOW))
    return made


def types_table() -> str:
    """Return the tables of the experiment types."""
    return _tables("experiment_type")


def domains_table() -> str:
    """Return the tables of the domains."""
    return _tables("domain")


def baselines_table() -> str:
    """Return the table of the log kinds' own criteria."""
    return _tables("log")


def warning(rule: str) -> str:
    """Return what the gate says of the pack's last example of a warning."""
    example = [example for example in pack().examples if rule in example.findings][-1]
    (found,) = [finding for finding in judged(example, pack(), NOW).findings if finding.rule == rule]
    return f"```text\n{found.rule}: {found.message}\n    {found.hint}\n```"


def _tables(group: str) -> str:
    policy = pack()
    members = {"log": policy.logs, "experiment_type": policy.experiment_types, "domain": policy.domains}[
        group
    ]
    owners = [(group, name) for name in members if criteria_of(policy, (group, name))]
    if {owner for owner in GUIDE if owner[0] == group} != set(owners):
        raise ValueError(f"the guide's words are given for other rules than there are: {owners}")
    return "\n\n".join(_table(owner) for owner in owners)


def _table(owner: Owner) -> str:
    heading, words = GUIDE[owner]
    path = trials()[owner][0].example.path.removeprefix("nsm:")
    root, mistakes = load((ROOT / path).read_bytes(), path)
    if root is None or mistakes:
        raise ValueError(f"{path}: {mistakes}")
    rules = root.value["criteria"]
    if not words.keys() <= rules.value.keys():
        raise ValueError(f"{path} has no {words.keys() - rules.value.keys()}")
    known = {criterion.name: criterion for criterion in criteria_of(pack(), owner)}
    rows = [f"### {heading}", "", f"[`{path}`](../{path})", "", _HEAD, "|---|---|---|---|---|---|"]
    for name, node in rules.items():
        source = node.value.get("source") if isinstance(node.value, dict) else None
        cells = [
            _words(words.get(name, "")),
            f"`{name}`",
            _test(node, known.get(name)),
            source.value if source else "",
            _said(owner, name, known, "unknown"),
            _said(owner, name, known, "not-applicable"),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _words(text: str) -> str:
    """Return the guide's words: its code as code, its prose as prose."""
    return _code(text) if text.startswith('"') else text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _test(node: Node, criterion: Criterion | None) -> str:
    """Return what a criterion asks, as its file writes it."""
    if criterion is None:
        return "the criteria of the run's domain"
    branches = node.value.get("first") if isinstance(node.value, dict) else None
    if branches is not None:
        parts = [
            f"{_code(str(item.value['then'].value))} where {_code(str(item.value['if'].value))}"
            if "if" in item.value
            else f"else {_code(str(item.value['else'].value))}"
            for item in branches.value
        ]
        return ", ".join(parts)
    text = _code(criterion.branches[0].expected)
    series = node.get("series")
    when = node.get("when")
    text = f"{_code(str(series.value))} is {text}" if series else text
    return f"{text}, when {_code(str(when.value))}" if when else text


def _said(owner: Owner, name: str, known: dict[str, Criterion], outcome: str) -> str:
    """Return what the verdicts of the examples with this outcome say."""
    said = []
    for trial in trials()[owner]:
        for verdict in trial.verdicts:
            # That a run must be completed is said once, above the tables.
            stated = verdict.criterion in trial.example.expect and not verdict.explanation.startswith(_STATUS)
            mine = verdict.criterion == name if name in known else verdict.criterion not in known
            if mine and stated and verdict.outcome.value == outcome:
                said.append(verdict.explanation.replace("|", "\\|"))
    return "<br>".join(dict.fromkeys(said))
