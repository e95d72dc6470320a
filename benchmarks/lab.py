"""A lab that runs experiments and logs them: the runs of a generated training_log."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from benchmarks.results import DOMAIN_METRICS, PACE, Miss, dual_metrics, history, metrics, physics, rates

Entry = dict[str, Any]
EPOCH = datetime(2023, 1, 2, 8, 0, 0)
"""When the first run is logged, in UTC. A million runs later it is still the past."""

_PARAMS: dict[str, list[Entry]] = {
    "planning": [{}, {"num_actions": 12, "max_plan_length": 8}, {"num_actions": 12, "max_plan_length": 16}],
    "causal": [
        {},
        {"num_variables": 8, "hidden_confounders": True, "num_queries": 240},
        {"num_variables": 6, "hidden_confounders": False, "num_queries": 240},
    ],
    "knowledge_graph": [
        {},
        {"num_entities": 512, "num_relations": 16},
        {"num_entities": 2048, "num_relations": 48},
    ],
}
_SIZES = [(2858, 2000, 429, 214), (2400, 1680, 360, 166), (3200, 2240, 480, 240), (2500, 2000, 500, 230)]
# Data sets: domain, sizes, balance and parameters. The labs that log so have a handful of them, not one a run.
DATA = [(domain, size, params) for size in _SIZES for domain, some in _PARAMS.items() for params in some]

SINGLE = [
    ("baseline_single_pass", "3-level hierarchy with single bottom-up pass", 3),
    ("3level_fusion", "3-level hierarchy, levels joined by a fusion layer", 3),
    ("3level_attention", "3-level with multi-head attention", 3),
    ("6level_full", "6-level hierarchy with adaptive temperature control", 6),
]
_DUAL: list[tuple[str, str, Any]] = [
    ("equal", "Dual-pass with equal weighting (α=β=0.5)", {"abstract": 0.5, "concrete": 0.5}),
    ("learned", "Dual-pass with learned attention fusion", "learned_via_attention"),
    ("attention", "Dual-pass, streams joined by multi-head attention", "multi_head_attention"),
]
_SWEEPS: list[tuple[str, str, list[float]]] = [
    ("cycle_weight", "cycle_loss_weight", [0.001, 0.005, 0.01, 0.05, 0.1]),
    ("pool_ratio", "pool_ratio", [0.13, 0.25, 0.375, 0.5, 0.75]),
    ("learning_rate", "learning_rate", [0.00005, 0.0001, 0.0003, 0.001]),
    ("dropout", "dropout", [0.0, 0.1, 0.2, 0.3]),
]
_SHORT = {"planning": "planning", "causal": "causal", "knowledge_graph": "kg"}
_ERRORS = [
    (
        "CUDA out of memory at epoch {e}, batch {b}",
        "Batch {s} does not fit beside the pooled levels; halve it and log both.",
    ),
    (
        "loss is NaN at epoch {e}, batch {b}",
        "Diverges at this learning rate, as did its neighbours of the grid.",
    ),
    (
        "DataLoader worker (pid {b}) exited unexpectedly",
        "Lost to the machine, not to the model: to be repeated as it is.",
    ),
]
# How the runs are shared out; a data set's first run is single-pass, so that each dual-pass run has a reference.
_TYPES = ("domain_exploration", "dual_pass_validation", "hyperparam_search", "physics_validation")
_SHARES = (34, 33, 21, 12)


class Lab:
    """Runs experiments: the state between two lines."""

    def __init__(self, random: Random, misses: Random | None) -> None:
        self.random, self.misses = random, misses
        self.now = EPOCH
        self.number = 0
        self.seen: set[int] = set()
        self.ends: list[tuple[int, Entry]] = []  # the line from which it is logged, and the entry

    def next(self) -> Entry:
        """Return the next line: the end or correction of an earlier run that is due, or a new run."""
        self.now += timedelta(microseconds=self.random.randrange(15_000_000, 85_000_000))
        self.number += 1
        if self.ends and self.ends[0][0] <= self.number:
            entry = self.ends.pop(0)[1]
            run = entry["run_data"]
            if "corrects" not in run:  # a correction changes no times
                run["end_time"] = _second(self.now)
                run["training_time_seconds"] = (
                    _time(run["end_time"]) - _time(run["start_time"])
                ).total_seconds()
            entry["timestamp"] = _stamp(self.now)
            return entry
        return self._new()

    def _new(self) -> Entry:
        random = self.random
        place = random.randrange(len(DATA))
        kind = random.choices(_TYPES, _SHARES)[0]
        dual = kind == "dual_pass_validation" and place in self.seen and random.random() < 0.75
        run = self._run(DATA[place], kind, dual)
        entry = {"timestamp": _stamp(self.now), "run_data": run}
        fate = random.random()
        if place in self.seen and fate < 0.06:
            _fail(run, random)
        elif fate > 0.96:
            due = self.number + random.randrange(4, 40)
            self.ends.append((due, {"timestamp": "", "run_data": dict(run)}))
            _still_running(run)
        elif fate > 0.958:
            mend = dict(
                run, corrects=run["run_id"], reason="the findings named another seed than the run had"
            )
            mend["findings"] += " Corrected: the seed."
            self.ends.append((self.number + random.randrange(2, 30), {"timestamp": "", "run_data": mend}))
        self.ends.sort(key=lambda item: item[0])
        if run["status"] == "completed" and not dual:
            self.seen.add(place)
        return entry

    def _run(self, data: tuple[str, tuple[int, int, int, int], Entry], kind: str, dual: bool) -> Entry:
        """Return a completed run."""
        random = self.random
        domain, (total, train, val, first), params = data
        epochs = random.choice((5, 5, 5, 6))
        hyper: Entry = {
            "epochs": epochs, "batch_size": random.choice((32, 64, 64, 128)), "learning_rate": 0.0001,
            "seed": random.choice((7, 42, 42, 43, 1234)), "cycle_loss_weight": 0.01, "patience": 20,
            "min_delta": 0.001, "pool_ratio": 0.5,
            "use_dual_pass": dual, "fusion_mode": None,
        }  # fmt: skip
        if random.random() < 0.3:
            hyper["grad_clip_norm"] = 1.0
        if dual:
            mode, words, weights = random.choice(_DUAL)
            hyper["fusion_mode"] = mode
            variant, levels = f"dual_pass_{mode}_fusion", 3
        else:
            variant, words, levels = SINGLE[3] if kind == "physics_validation" else random.choice(SINGLE[:3])
            weights = None
        what = variant
        if kind == "hyperparam_search":
            what, member, values = random.choice(_SWEEPS)
            hyper[member] = random.choice(values)
            what = f"{what}_{hyper[member]}"
        miss = self._miss(kind, dual)
        counts = (first, val - first)
        # A dual-pass run balances the classes better than any single-pass run on its data.
        final = (dual_metrics if dual else metrics)(random, counts, miss)
        series: list[float] | list[Entry] = []
        if kind == "hyperparam_search" or random.random() < 0.03:
            rising = miss == "convergence"
            series = history(random, final, epochs, val, objects=random.random() < 0.05, rising=rising)
        if kind == "physics_validation":
            physics(random, final, miss)
        best = [item["val_loss"] if isinstance(item, dict) else item for item in series]
        loss = min(best) if best else final["task_loss"] + random.uniform(0.0, 0.05)
        run = {
            "run_id": f"{_named(kind, domain)}_{what}_t{self.number:06d}_{self.now:%Y%m%d}",
            "domain": domain, "status": "completed",
            "dataset_config": {
                "domain": domain, "split": "train", "total_size": total, "train_size": train, "val_size": val,
                "label_balance_class_0": round(first / val, 4), "label_balance_class_1": round(1 - first / val, 4),
                "domain_params": params, "is_balanced": True,
            },
            "hyperparameters": hyper,
            "architecture": {
                "variant": variant, "description": words, "num_levels": levels, "passes": 2 if dual else 1,
                "fusion_weights": weights,
            },
            "metrics_history": series, "best_val_loss": loss, "best_val_accuracy": final["accuracy"],
            "final_metrics": final,
        }  # fmt: skip
        if best:
            run["best_epoch"] = best.index(loss) + 1
        # The format asks architectural types alone for it; people write it down for some of the others.
        if kind in ("domain_exploration", "hyperparam_search") and random.random() < 0.95:
            run.pop("architecture")
        if not params:
            run["dataset_config"].pop("domain_params")
        self._clock(run, self.now, random.uniform(*PACE) * epochs)
        run["experiment_type"] = kind
        run["error_message"] = None
        run["findings"] = _findings(random, run, what)
        if kind == "domain_exploration":
            run.update(rates(random, domain, miss))
        return run

    def _miss(self, kind: str, dual: bool) -> Miss:
        """Return which criterion the run misses; none in a log that is clean."""
        if self.misses is None or self.misses.random() >= 0.1:
            return None
        if kind == "physics_validation":
            return self.misses.choice(("q_neural", "beta_limit"))
        own: dict[str, tuple[Miss, ...]] = {
            "domain_exploration": ("domain",),
            "hyperparam_search": ("convergence",),
        }
        more: tuple[Miss, ...] = ("fusion",) if dual else own.get(kind, ())
        return self.misses.choice(("accuracy", "balance", "cycle", *more))

    def _clock(self, run: Entry, logged: datetime, seconds: float) -> None:
        """Set when a run began and ended: just before it was logged."""
        end = logged - timedelta(microseconds=self.random.randrange(200_000, 4_000_000))
        run["training_time_seconds"] = round(seconds, 6)
        run["start_time"] = _second(end - timedelta(seconds=seconds))
        run["end_time"] = _second(end)


def _fail(run: Entry, random: Random) -> None:
    epoch = random.randrange(1, run["hyperparameters"]["epochs"] + 1)
    message, findings = random.choice(_ERRORS)
    some = {"e": epoch, "b": random.randrange(100, 4000), "s": run["hyperparameters"]["batch_size"]}
    _without_results(run)
    run.update(status="failed", error_message=message.format(**some), last_successful_epoch=epoch - 1)
    run.update(findings=findings.format(**some))


def _still_running(run: Entry) -> None:
    """Take from a run what it has not got yet. Its id and start stay."""
    _without_results(run)
    run.update(status="running", training_time_seconds=None, end_time=None, findings=None, current_epoch=0)


def _without_results(run: Entry) -> None:
    run.pop("best_epoch", None)
    run.update(metrics_history=[], best_val_loss=None, best_val_accuracy=None, final_metrics=None)
    run.update((name, None) for name in DOMAIN_METRICS[run["domain"]] if name in run)


def _named(kind: str, domain: str) -> str:
    short = {"domain_exploration": "domain", "dual_pass_validation": "dual", "hyperparam_search": "search"}
    return f"{short.get(kind, 'physics')}_{_SHORT[domain]}"


def _findings(random: Random, run: Entry, what: str) -> str:
    final, epochs = run["final_metrics"], run["hyperparameters"]["epochs"]
    return random.choice(
        (
            (
                f"{what} reaches {final['accuracy']:.3f} with a balance of {final['class_balance_delta']:.3f}; "
                f"reconstruction {final['cycle_loss']:.2f}."
            ),
            (
                f"Classes {final['accuracy_class_0']:.1%} and {final['accuracy_class_1']:.1%}: no collapse. "
                f"Best validation loss {run['best_val_loss']:.3f} in {epochs} epochs."
            ),
            f"Accuracy {final['accuracy']:.3f} after {epochs} epochs; cycle loss {final['cycle_loss']:.3f} limits it.",
        )
    )


def _stamp(when: datetime) -> str:
    return f"{when.isoformat(timespec='microseconds')}Z"


def _second(when: datetime) -> str:
    return f"{when.isoformat(timespec='seconds')}Z"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z"))
