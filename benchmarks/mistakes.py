"""Mistakes that people make in a line of a training_log; each is an error to the bundled pack."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

Run = dict[str, Any]
Mistake = Callable[[dict[str, Any], Run], None]


def _no_findings(_entry: dict[str, Any], run: Run) -> None:
    run.pop("findings")


def _to_do(_entry: dict[str, Any], run: Run) -> None:
    run["findings"] = "TODO"


def _local_time(entry: dict[str, Any], _run: Run) -> None:
    here = datetime.fromisoformat(entry["timestamp"].removesuffix("Z")) + timedelta(hours=2)
    entry["timestamp"] = f"{here.isoformat(timespec='microseconds')}+02:00"


def _no_seed(_entry: dict[str, Any], run: Run) -> None:
    run["hyperparameters"].pop("seed")


def _number_as_text(_entry: dict[str, Any], run: Run) -> None:
    run["dataset_config"] = dict(run["dataset_config"], val_size=str(run["dataset_config"]["val_size"]))


def _other_domain(_entry: dict[str, Any], run: Run) -> None:
    other = "causal" if run["domain"] == "planning" else "planning"
    run["dataset_config"] = dict(run["dataset_config"], domain=other)


def _type_misspelt(_entry: dict[str, Any], run: Run) -> None:
    run["experiment_type"] = run["experiment_type"].replace("_", "-")


def _balance_of_another_run(_entry: dict[str, Any], run: Run) -> None:
    run["final_metrics"]["class_balance_delta"] /= 2


def _no_message(_entry: dict[str, Any], run: Run) -> None:
    run["error_message"] = None


_ANY: tuple[Mistake, ...] = (_local_time, _no_seed, _number_as_text, _other_domain, _type_misspelt)
_ENDED: tuple[Mistake, ...] = (_no_findings, _no_findings, _to_do)


def spoil(entry: dict[str, Any], random: Random) -> dict[str, Any]:
    """Return the entry with one or two mistakes. The original is left alone."""
    run = dict(entry["run_data"])
    run["hyperparameters"] = dict(run["hyperparameters"])
    if run["final_metrics"] is not None:
        run["final_metrics"] = dict(run["final_metrics"])
    made = {**entry, "run_data": run}
    mistakes = list(_ANY)
    if run["status"] != "running":
        mistakes += _ENDED * 2
    if run["status"] == "completed":
        mistakes.append(_balance_of_another_run)
    if run["status"] == "failed":
        mistakes.append(_no_message)
    first, second = random.sample(mistakes, 2)
    first(made, run)
    # Two mistakes in one member would be one.
    if random.random() < 0.4 and not {first, second} <= set(_ENDED):
        second(made, run)
    return made
