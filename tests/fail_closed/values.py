"""Checks x {missing, null, NaN, wrong type}: the values that a check reads, and who reports what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support import a_run, edited

MISSING, NULL, NAN, WRONG = "missing", "null", "NaN", "wrong type"
COLUMNS = (MISSING, NULL, NAN, WRONG)


@dataclass(frozen=True)
class Fine:
    """Why a value may be so: nothing is reported, and that is right."""

    why: str


@dataclass(frozen=True)
class Row:
    """A value that a check reads.

    Attributes:
        place: Where it stands, as `edited` takes it.
        wrong: A value of the wrong type.
        missing: The rule that reports an absent value, or why none does.
        null: Likewise for null.
        wrong_is: Likewise for the wrong type. A NaN is `invalid-json` everywhere.
        start: What the run has otherwise.
    """

    place: str
    wrong: Any
    missing: str | Fine
    null: str | Fine
    wrong_is: str = "schema"
    start: tuple[tuple[str, Any], ...] = ()

    def entry(self, column: str, number: int = 1) -> dict[str, Any]:
        """Return a run that is right but for the value."""
        run = spaced(number, **dict(self.start))
        value = {MISSING: ..., NULL: None, NAN: float("nan"), WRONG: self.wrong}[column]
        return edited(run, **{self.place: value})

    def reported(self, column: str) -> str | Fine:
        """Return the rule that reports it, or why none does."""
        return {MISSING: self.missing, NULL: self.null, NAN: "invalid-json", WRONG: self.wrong_is}[column]


def spaced(number: int, **changes: Any) -> dict[str, Any]:
    """Return a run that meets everything and is like no other; 3,000 of them fit into a day."""
    run = a_run(f"planning_n{number}_20251101", number * 1439 // 3000)
    return edited(run, **{"final_metrics__cycle_loss": round(0.5 + number / 10**6, 6), **changes})


_ASKED = "the schema asks for results of a completed run: best_val_accuracy is one"
_TIME = "a run need not say it, and what is not said cannot be wrong: design of the log kind"
_LAW = "a law between fields reports what is known to be false, and nothing that is not there"
_WARNS = "a warning about a value needs the value; criteria ask for those that a run must have"
_STANDS_IN = "the other accuracy stands in for it, as `names:` of the log kind says"
_DUAL = (
    ("experiment_type", "dual_pass_validation"),
    ("hyperparameters__use_dual_pass", False),
    ("hyperparameters__fusion_mode", None),
    ("architecture", {"variant": "a", "num_levels": 3, "passes": 1}),
)
_PASSES = (("hyperparameters__use_dual_pass", False), ("architecture", {"variant": "a", "passes": 1}))
_FAILED = (("status", "failed"), ("error_message", "CUDA out of memory at epoch 7, batch 42"))

TIMES = ("timestamp-invalid", "timestamp-not-utc", "timestamp-naive", "timestamp-future")
ROWS: dict[str, tuple[Row, ...]] = {
    "schema": (Row("domain", 1, "schema", "schema"), Row("status", 1, "schema", "schema")),
    "unknown-field": (
        Row("odd", 1, Fine("a member that is not there is not unknown"), "unknown-field", "unknown-field"),
    ),
    "duplicate-run": (Row("run_id", 1, "schema", "schema"),),
    "duplicate-record": (
        Row("final_metrics", [], "criterion-unknown", "criterion-unknown"),
        Row("dataset_config", 1, "schema", "schema"),
        Row("hyperparameters", 1, "missing-hyperparameter", "missing-hyperparameter"),
    ),
    **{
        check: (
            Row("entry__timestamp", 1, "schema", "schema"),
            Row("start_time", 1, Fine(_TIME), Fine(_TIME)),
            Row("end_time", [], Fine(_TIME), Fine(_TIME)),
        )
        for check in TIMES
    },
    "timestamp-order": (Row("entry__timestamp", {}, "schema", "schema"),),
    "time-span": (
        Row("start_time", True, Fine(_TIME), Fine(_TIME)), Row("end_time", 5, Fine(_TIME), Fine(_TIME)),
    ),
    "duration-mismatch": (
        Row("training_time_seconds", "30", Fine(_TIME), Fine(_TIME)),
        Row("start_time", 30, Fine(_TIME), Fine(_TIME)),
    ),
    "missing-findings": (
        Row("findings", 1, "missing-findings", "missing-findings"), Row("status", [], "schema", "schema"),
    ),
    "run-id-format": (Row("run_id", ["a"], "schema", "schema"),),
    "missing-hyperparameter": (
        Row("hyperparameters__seed", "42", "missing-hyperparameter", "missing-hyperparameter"),
        Row("hyperparameters", [], "missing-hyperparameter", "missing-hyperparameter"),
    ),
    "missing-architecture": (
        Row("architecture", "x", "missing-architecture", "missing-architecture", start=_DUAL),
        Row("architecture__variant", 1, "missing-architecture", "missing-architecture", start=_DUAL),
    ),
    "missing-error-message": (
        Row("error_message", 1, "missing-error-message", "missing-error-message", start=_FAILED),
        Row("status", 1, "schema", "schema", start=_FAILED),
    ),
    "missing-domain-metric": (
        Row("goal_achievement_rate", "0.9", "missing-domain-metric", "missing-domain-metric"),
        Row("domain", 1, "schema", "schema"),
    ),
    "foreign-domain-metric": (
        Row("mrr", "x", Fine("none is what is right"), Fine("null is what the guide writes for none")),
    ),
    "missing-experiment-type": (
        Row("experiment_type", 1, "missing-experiment-type", "missing-experiment-type"),
    ),
    "unknown-experiment-type": (
        Row("experiment_type", [], "missing-experiment-type", "missing-experiment-type"),
    ),
    "assertion": (
        Row("dataset_config__domain", 1, "schema", "schema"),
        Row("dataset_config__train_size", "x", "schema", "schema"),
        Row("final_metrics__class_balance_delta", "x", "criterion-unknown", "criterion-unknown"),
        Row("final_metrics__accuracy_class_0", "x", Fine(_LAW), Fine(_LAW)),
        Row("architecture__passes", "x", Fine(_LAW), Fine(_LAW), start=_PASSES),
        Row("best_epoch", "x", Fine(_LAW), Fine(_LAW), start=(("best_epoch", 3),)),
    ),
    "class-collapse": (
        Row("final_metrics__accuracy_class_0", "x", Fine(_WARNS), Fine(_WARNS)),
        Row("final_metrics__accuracy_class_1", [], Fine(_WARNS), Fine(_WARNS)),
    ),
    "zero-task-loss": (
        Row("final_metrics__task_loss", "0", Fine(_WARNS), Fine(_WARNS)),
        Row("final_metrics", 0, "criterion-unknown", "criterion-unknown"),
    ),
    "impossible-metric": (
        Row("dataset_config__val_size", "400", "schema", "schema"),
        Row("final_metrics__accuracy", True, Fine(_STANDS_IN), Fine(_STANDS_IN)),
    ),
    "criterion-missed": (
        Row("final_metrics__cycle_loss", "x", "criterion-unknown", "criterion-unknown"),
        Row("final_metrics__class_balance_delta", [], "criterion-unknown", "criterion-unknown"),
        Row("temporal_ordering_acc", "x", "missing-domain-metric", "missing-domain-metric"),
        Row("final_metrics__accuracy", "x", Fine(_STANDS_IN), Fine(_STANDS_IN)),
        Row("best_val_accuracy", "x", Fine(_STANDS_IN), Fine(_STANDS_IN)),
    ),
    "criterion-unknown": (
        Row("final_metrics", 1, "criterion-unknown", "criterion-unknown"),
        Row("final_metrics__cycle_loss", {}, "criterion-unknown", "criterion-unknown"),
        Row("status", {}, "schema", "schema"),
    ),
}  # fmt: skip
"""The checks that read values of an entry."""

OPEN: dict[str, tuple[tuple[Any, ...], str | Fine]] = {
    "run": ((1, "x", [], True), "schema"),
    "run.id": (([], {}, True, 0.5, 2**63), "schema"),
    "run.status": ((1, [], {}, True), "schema"),
    "run.domain": ((1, [], {}, True), Fine("the schema of the log kind does not ask for it")),
    "run.type": ((1, [], {}, True), "missing-experiment-type"),
    "at": ((1, [], {}, True), Fine(_TIME)),
    "run.start": ((1, [], {}, True), Fine(_TIME)),
    "run.end": ((1, [], {}, True), Fine(_TIME)),
    "run.seconds": (("30", [], {}, True), Fine(_TIME)),
    "run.findings": ((1, [], {}, True), "missing-findings"),
    "run.error": ((1, [], {}, True), Fine("only a failed run must say it")),
    "run.hp": ((1, "x", [], True), "missing-hyperparameter"),
    "run.arch": ((1, "x", [], True), Fine("no experiment type of the run asks for it")),
    "run.results": ((1, "x", [], True), "criterion-unknown"),
    "run.results.a0": (("x", [], {}, True), Fine(_WARNS)),
    "run.results.loss": (("0", [], {}, True), Fine(_WARNS)),
    "run.n": (("400", [], {}, True), Fine(_WARNS)),
    "run.corrects": ((1, [], {}, True), Fine("a run that corrects none says none")),
}
"""Places that a log kind with a schema that asks for nothing declares: values that no check can read there, which
are `schema`; and the rule that reports a value that is absent or null."""

KIND = """\
log: open
description: A log kind whose schema leaves everything open.
files: ["**/open.jsonl"]
schema: open.schema.json
run: run
key: [id]
run_id: id
status: status
domain: domain
experiment_type: type
times: {logged: entry.at, start: start, end: end, seconds: seconds}
findings: findings
error_message: error
corrects: corrects
reason: reason
hyperparameters: {at: hp, required: [seed]}
architecture: arch
results: results
configuration: [hp]
class_accuracies: [results.a0, results.a1]
task_loss: results.loss
names: {accuracy: [results.accuracy]}
rates: {accuracy: n}
criteria: {accuracy: "> 0.5"}
examples:
  - name: one
    entry: {at: "2025-11-01T00:00:31Z", run: {id: a_20251101, status: completed, results: {accuracy: 0.6}}}
    expect: {accuracy: met}
"""


def an_open_run(number: int) -> dict[str, Any]:
    """Return an entry of that log kind that meets everything."""
    minute = number * 1439 // 3000
    at = f"2025-11-01T{minute // 60:02d}:{minute % 60:02d}"
    return {
        "at": f"{at}:31Z",
        "run": {
            "id": f"open_n{number}_20251101", "status": "completed", "domain": "planning", "type": "plain",
            "start": f"{at}:00Z", "end": f"{at}:30Z", "seconds": 30, "error": None, "n": 400,
            "findings": "Beats the random baseline by six points.", "hp": {"seed": 4},
            "arch": {"variant": "a"}, "goal_achievement_rate": 0.9, "temporal_ordering_acc": 0.9,
            "results": {"accuracy": 0.61, "a0": 0.5, "a1": 0.7, "loss": 0.6, "size": number},
        },
    }  # fmt: skip
