"""Which run a criterion compares with: the strongest comparable one, as of the judged line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.candidates import Candidates
from nsm_gate.changes import Change
from nsm_gate.checks import BY_ID
from nsm_gate.edge.policies import read_policy
from nsm_gate.history import Book
from nsm_gate.jsonl import split
from nsm_gate.records import Record
from tests.support import Repo, a_baseline, a_run, edited, lines


class _Nothing:
    label = "nothing"

    def paths(self) -> list[str]:
        return []

    def item(self, path: str) -> None:
        return None

    def read(self, path: str) -> None:
        return None


POLICY = read_policy(_Nothing(), None, BY_ID)
TRAINING = POLICY.logs["training_log"]
SINGLE_PASS = TRAINING.references["single_pass"]


def entry(key: int, status: str, delta: float | None, size: int, minute: int, dual: bool) -> dict[str, Any]:
    return edited(
        a_run(f"run_{key}_20251101", minute),
        status=status,
        final_metrics__class_balance_delta=delta,
        dataset_config__val_size=size,
        hyperparameters__use_dual_pass=dual,
    )


def naive(this: Record, records: list[Record]) -> tuple[str, int] | None:
    """Return path and line of the pick, by looking at every run each time."""
    latest: dict[Any, Record] = {}
    for record in records:
        if record.path == this.path:
            earlier = record.line < this.line
        else:
            earlier = (
                record.instant is not None
                and this.instant is not None
                and record.instant.utc < this.instant.utc
            )
        if earlier:
            latest[record.key] = record
    best: tuple[float, int, Record] | None = None
    for number, (key, record) in enumerate(latest.items()):
        run = record.entry.value["run_data"]
        mine = this.entry.value["run_data"]
        delta = run["final_metrics"]["class_balance_delta"]
        comparable = (
            key != this.key
            and run["status"] == "completed"
            and not run["hyperparameters"]["use_dual_pass"]
            and run["dataset_config"] == mine["dataset_config"]
            and delta is not None
        )
        if comparable and (best is None or delta < best[0]):
            best = (delta, number, record)
    return (best[2].path, best[2].line) if best else None


ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["completed", "completed", "running", "failed"]),
        st.sampled_from([None, 0.1, 0.2, 0.3]),
        st.sampled_from([400, 500]),
        st.integers(0, 30),
        st.booleans(),
    ),
    max_size=10,
)


@settings(max_examples=300, deadline=None)
@given(ENTRIES)
def test_one_log_is_looked_up_as_a_naive_walk_would(rows: list[tuple[Any, ...]]) -> None:
    book, records = build("training_log.jsonl", rows)
    candidates = Candidates(lambda kind: [book] if kind == "training_log" else [])
    for record in records:
        picked = candidates.pick(SINGLE_PASS, record)
        found = (picked.record.path, picked.record.line) if picked.record else None
        assert strength(found, records) == strength(naive(record, records), records)
        if found is None:
            assert "single_pass" in picked.reason


@settings(max_examples=300, deadline=None)
@given(ENTRIES, ENTRIES)
def test_two_logs_with_runs_of_their_own_are_looked_up_as_a_naive_walk_would(
    first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]
) -> None:
    one, of_one = build("a/training_log.jsonl", first)
    two, of_two = build("a/other.jsonl", [(key + 10, *rest) for key, *rest in second])
    # Logs of a kind grow in the order of time; a key's lines do, too.
    for records in (of_one, of_two):
        times = [record.instant.utc for record in records if record.instant]
        if times != sorted(times):
            return
    candidates = Candidates(lambda kind: [one, two] if kind == "training_log" else [])
    for record in (*of_one, *of_two):
        picked = candidates.pick(SINGLE_PASS, record)
        found = (picked.record.path, picked.record.line) if picked.record else None
        everything = [*of_one, *of_two]
        assert strength(found, everything) == strength(naive(record, everything), everything)


def strength(found: tuple[str, int] | None, records: list[Record]) -> float | None:
    """Return the value of a pick: of two equals either may be taken."""
    for record in records:
        if (record.path, record.line) == found:
            value: float = record.entry.value["run_data"]["final_metrics"]["class_balance_delta"]
            return value
    return None


def build(path: str, rows: list[tuple[Any, ...]]) -> tuple[Book, list[Record]]:
    raw, terminated = split(lines(*(entry(*row) for row in rows)))
    book = Book(path, TRAINING, raw, terminated, Change((), (), (), ()), 1 << 20)
    records = [book.record(index) for index in range(len(raw))]
    return book, [record for record in records if record is not None]


def dual(run_id: str, minute: int, delta: float) -> dict[str, Any]:
    return edited(
        a_run(run_id, minute),
        experiment_type="dual_pass_validation",
        hyperparameters__use_dual_pass=True,
        hyperparameters__fusion_mode="equal",
        architecture={"variant": "dual_pass_equal", "passes": 2},
        final_metrics__accuracy_class_0=0.5,
        final_metrics__accuracy_class_1=round(0.5 + delta, 4),
        final_metrics__class_balance_delta=delta,
    )


def single(run_id: str, minute: int, delta: float) -> dict[str, Any]:
    return edited(
        dual(run_id, minute, delta),
        hyperparameters__use_dual_pass=False,
        hyperparameters__fusion_mode=None,
        architecture={"variant": "single_pass", "passes": 1},
    )


def test_single_pass_is_the_best_balanced_and_not_the_latest(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    log = [
        single("single_good_20251101", 0, 0.1),
        single("single_bad_20251101", 1, 0.4),
        dual("dual_equal_20251101", 2, 0.2),
        single("single_later_20251101", 3, 0.01),
    ]
    repo.write("training_log.jsonl", log)
    verdict = next(
        v
        for v in repo.check("--all").json["verdicts"]
        if v["criterion"] == "fusion_effectiveness" and v["line"] == 3
    )
    assert verdict["outcome"] == "missed"
    assert verdict["reference"]["run"] == "single_good_20251101"
    assert verdict["reference"]["values"] == {"balance_delta": 0.1}
    assert verdict["margin"] == -0.1


def test_no_comparable_run_is_unknown_and_says_so(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    other = edited(single("single_good_20251101", 0, 0.1), dataset_config__val_size=500)
    repo.write("training_log.jsonl", [other, dual("dual_equal_20251101", 2, 0.2)])
    result = repo.check("--all")
    assert result.outcomes(2)["fusion_effectiveness"] == "unknown"
    unknown = [f for f in result.findings if f["rule"] == "criterion-unknown"]
    assert [f["message"] for f in unknown] == [
        "fusion_effectiveness: single_pass: no comparable run was logged before"
    ]


def test_a_reference_that_the_same_change_appends_is_labelled(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [single("single_old_20251101", 0, 0.3)])
    repo.commit()
    repo.append("training_log.jsonl", dual("dual_one_20251101", 1, 0.2))
    assert repo.check().json["verdicts"][3]["reference"]["appended"] is False
    repo.append(
        "training_log.jsonl", single("single_new_20251101", 2, 0.25), dual("dual_two_20251101", 3, 0.2)
    )
    found = [v["reference"] for v in repo.check().json["verdicts"] if v["reference"]]
    assert [(used["run"], used["appended"]) for used in found] == [
        ("single_old_20251101", False),
        ("single_new_20251101", True),
    ]


def test_best_baseline_is_the_most_accurate_of_the_nearest_log_before_the_run(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    search = edited(
        a_run("search_lr_20251101"),
        experiment_type="hyperparam_search",
        metrics_history=[{"epoch": 1, "val_loss": 0.7}, {"epoch": 2, "val_loss": 0.6}],
    )
    repo.write("lab/experiments/training_log.jsonl", [search])
    repo.write("baselines.jsonl", [a_baseline("far_away", metrics__accuracy=0.99)])
    late = a_baseline("too_late", metrics__accuracy=0.9)
    late["timestamp"] = "2026-01-01T00:00:00Z"
    near = [
        a_baseline("weak", 1),
        a_baseline("strong", 2, metrics__accuracy=0.6),
        a_baseline("weaker", 3),
        late,
    ]
    repo.write("lab/baselines.jsonl", near)
    verdict = next(
        v for v in repo.check("--all", "lab/experiments").json["verdicts"] if v["criterion"] == "accuracy"
    )
    assert (verdict["outcome"], verdict["margin"]) == ("met", 0.01)
    assert verdict["reference"]["run"] == "strong"
    assert verdict["reference"]["path"] == "lab/baselines.jsonl"
    assert verdict["expected"] == "> best_baseline"


def test_the_latest_line_speaks_for_a_run(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    corrected = edited(
        single("single_good_20251101", 1, 0.35),
        corrects="single_good_20251101",
        reason="the first line swapped classes",
    )
    log = [single("single_good_20251101", 0, 0.1), corrected, dual("dual_equal_20251101", 2, 0.2)]
    repo.write("training_log.jsonl", log)
    result = repo.check("--all")
    assert result.outcomes(3)["fusion_effectiveness"] == "met"
    assert [f for f in result.findings if f["rule"] == "duplicate-run"] == []


PEERS = """\
experiment_type: domain_exploration
references:
  {name}:
    from: training_log
    where: {where}
    pick: max(accuracy)
    none: unknown
criteria:
  peer: {{assert: accuracy > {name}.accuracy}}
"""


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 2.0, "2", True, None, {"a": 1}]),  # what must agree
            st.sampled_from([0.4, 0.41, 0.42, 0.43]),
            st.sampled_from([5, 10]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_an_equality_with_this_is_looked_up_as_it_would_be_walked(rows: list[tuple[Any, float, int]]) -> None:
    """`x == this.x` goes by look-up; the same condition in a form that cannot is the oracle."""
    outcomes = []
    for name, where in (
        ("quick", "hyperparameters.width == this.hyperparameters.width and hyperparameters.epochs >= 10"),
        ("slow", "not hyperparameters.width != this.hyperparameters.width and hyperparameters.epochs >= 10"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            repo = Repo(Path(folder))
            repo.write("nsm-gate.yaml", "rules: [rules]\n")
            repo.write("rules/mine.yaml", PEERS.format(name=name, where=where))
            runs = [
                edited(
                    a_run(f"run_{number}_20251101", number), hyperparameters__width=width,
                    final_metrics__accuracy=accuracy, hyperparameters__epochs=epochs,
                )
                for number, (width, accuracy, epochs) in enumerate(rows)
            ]  # fmt: skip
            repo.write("training_log.jsonl", runs)
            report = repo.check("--all").json
            found = [v for v in report["verdicts"] if v["criterion"] == "peer"]
            outcomes.append(
                [(v["line"], v["outcome"], v["reference"] and v["reference"]["run"]) for v in found]
            )
    assert outcomes[0] == outcomes[1]
