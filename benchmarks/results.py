"""The numbers that a generated run logs: in agreement with each other, and met or missed as asked."""

from __future__ import annotations

from math import fsum
from random import Random
from typing import Any, Literal

Miss = (
    Literal["accuracy", "balance", "cycle", "fusion", "domain", "convergence", "q_neural", "beta_limit"]
    | None
)
"""Which criterion a run misses."""

PACE = (2.5, 24.0)
"""Seconds that an epoch takes, at least and at most."""

DOMAIN_METRICS = {
    "planning": {"goal_achievement_rate": (0.86, 0.95), "temporal_ordering_acc": (0.81, 0.93)},
    "causal": {"counterfactual_accuracy": (0.61, 0.74), "intervention_accuracy": (0.76, 0.88)},
    "knowledge_graph": {
        "hits_at_10": (0.71, 0.88),
        "mrr": (0.51, 0.66),
        "analogical_reasoning_acc": (0.61, 0.72),
    },
}


def metrics(random: Random, counts: tuple[int, int], miss: Miss = None) -> dict[str, Any]:
    """Return the final metrics of a single-pass run over so many examples of each class."""
    return _metrics(random, counts, random.uniform(0.17, 0.27), miss)


def dual_metrics(random: Random, counts: tuple[int, int], miss: Miss = None) -> dict[str, Any]:
    """Return those of a dual-pass run, whose classes are closer than any single-pass run's."""
    # 0.29 is under the bound of its type, and over the best of the single-pass runs.
    return _metrics(random, counts, 0.29 if miss == "fusion" else random.uniform(0.01, 0.14), miss)


def _metrics(random: Random, counts: tuple[int, int], delta: float, miss: Miss) -> dict[str, Any]:
    middle = random.uniform(0.60, 0.68)
    if miss == "accuracy":
        middle = random.uniform(0.42, 0.48)
    if miss == "balance":
        delta = random.uniform(0.45, 0.6)
    side = random.choice((-1, 1))
    hits = [round(n * (middle + sign * side * delta / 2)) for n, sign in zip(counts, (-1, 1), strict=True)]
    first, second = hits[0] / counts[0], hits[1] / counts[1]
    return {
        "accuracy": sum(hits) / sum(counts),
        "accuracy_class_0": first,
        "accuracy_class_1": second,
        "class_balance_delta": abs(first - second),
        "task_loss": random.uniform(0.58, 0.69),
        "cycle_loss": random.uniform(1.05, 1.6) if miss == "cycle" else random.uniform(0.31, 0.78),
    }


def history(
    random: Random, final: dict[str, Any], epochs: int, val: int, *, objects: bool, rising: bool
) -> list[Any]:
    """Return what each epoch logged: the validation loss alone, or an object. It falls but for a last rise."""
    step = [random.uniform(0.004, 0.03) for _ in range(epochs)]
    # Not sum(): Python 3.12 adds floats otherwise than 3.11, and the log would differ in a last digit.
    losses = [final["task_loss"] + fsum(step[epoch:]) for epoch in range(1, epochs + 1)]
    if rising:
        losses[-1] = losses[-2] + step[-1]
    if not objects:
        return losses
    return [
        {
            "epoch": epoch,
            "train_loss": loss - random.uniform(0.002, 0.02),
            "val_loss": loss,
            "val_accuracy": round(final["accuracy"] * val - (epochs - epoch) * 3) / val,
        }
        for epoch, loss in enumerate(losses, 1)
    ]


def physics(random: Random, final: dict[str, Any], miss: Miss = None) -> None:
    """Add the measures of a physics experiment."""
    start = random.uniform(0.36, 0.43)
    final["q_neural"] = random.uniform(0.5, 0.98) if miss == "q_neural" else random.uniform(1.02, 1.9)
    final["lawson_criterion"] = "achieved" if random.random() < 0.7 else random.uniform(1.01, 1.4)
    stable = [start, start * random.uniform(0.97, 1.02), start * random.uniform(0.97, 1.02)]
    final["temperature_gradient"] = "stable" if random.random() < 0.5 else stable
    final["beta_limit"] = random.uniform(1.02, 1.3) if miss == "beta_limit" else random.uniform(0.6, 0.97)


def rates(random: Random, domain: str, miss: Miss = None) -> dict[str, float]:
    """Return the metrics of a domain."""
    found = {name: random.uniform(*bounds) for name, bounds in DOMAIN_METRICS[domain].items()}
    if miss == "domain":
        name = next(iter(found))
        found[name] *= 0.6
    return found
