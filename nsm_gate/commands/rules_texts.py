"""The commented rules files that `nsm-gate init --type` and `--domain` write, examples and all.

Text and not dumped YAML: the comments are what a newcomer needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nsm_gate.model import Json
from nsm_gate.nouns import Any, dataclass

_DAY = "20250115"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file is written for.

    Attributes:
        experiment_type: The type that the examples' runs name, or None.
        domain: Their domain.
        metrics: Names of the domain's metrics that the examples log.
        asks_metrics: Whether the type asks for the domain's metrics.
        required: Further hyperparameters that the log kind requires.
        example: Whether the log kind takes the entry of `entry()`.
        log: The log kind's name.
    """

    experiment_type: str | None
    domain: str
    metrics: tuple[str, ...]
    asks_metrics: bool
    required: tuple[str, ...]
    example: bool
    log: str


def metric_of(domain: str) -> str:
    """Return a name for a new domain's metric: a name of the rule language, unlike any other domain's."""
    word = re.sub(r"\W", "_", domain, flags=re.ASCII)
    return f"{word if word[:1].isalpha() else f'domain_{word}'}_score"


def entry(wanted: Wanted) -> dict[str, Any]:
    """Return a complete entry of training_log that meets every criterion of the files written here."""
    words = [word for name in (wanted.experiment_type, wanted.domain) for word in _words(name)]
    run: dict[str, Any] = {
        "run_id": "_".join((*words, _DAY)),
        "domain": wanted.domain,
        "status": "completed",
        **({"experiment_type": wanted.experiment_type} if wanted.experiment_type else {}),
        "findings": "Beats chance by eleven points, with both classes learned about equally well.",
        "dataset_config": {
            "domain": wanted.domain, "split": "train",
            "total_size": 2858, "train_size": 2000, "val_size": 400,
            "label_balance_class_0": 0.5, "label_balance_class_1": 0.5, "is_balanced": True,
        },
        "hyperparameters": {
            "epochs": 10, "batch_size": 64, "learning_rate": 0.0001, "seed": 42, "cycle_loss_weight": 0.01,
            "patience": 20, "min_delta": 0.001, "pool_ratio": 0.5, "use_dual_pass": False,
            **{name: 1 for name in wanted.required if name not in _HYPERPARAMETERS},
        },
        "architecture": {"variant": "baseline_single_pass", "num_levels": 3, "passes": 1},
        "final_metrics": {
            "accuracy": 0.61, "accuracy_class_0": 0.58, "accuracy_class_1": 0.64,
            "class_balance_delta": 0.06, "task_loss": 0.65, "cycle_loss": 0.5,
        },
        **dict.fromkeys(wanted.metrics, 0.85),
        "training_time_seconds": 30.0,
        "start_time": "2025-01-15T10:00:00Z",
        "end_time": "2025-01-15T10:00:30Z",
    }  # fmt: skip
    return {"timestamp": "2025-01-15T10:00:31Z", "run_data": run}


_HYPERPARAMETERS = (
    "epochs", "batch_size", "learning_rate", "seed", "cycle_loss_weight", "patience", "min_delta",
    "pool_ratio", "use_dual_pass",
)  # fmt: skip


def type_file(name: str, wanted: Wanted) -> str:
    """Return the rules file of an experiment type."""
    asks = wanted.asks_metrics
    if not wanted.example:
        return _TYPE_BARE.format(name=_scalar(name), requires=_REQUIRES if asks else "", log=wanted.log)
    return "".join((
        _TYPE.format(name=_scalar(name), requires=_REQUIRES if asks else "", use=_USE if asks else ""),
        _first(wanted, "meets every criterion", _expected(wanted)),
        _TYPE_EXAMPLES,
        _TYPE_END.format(name=name),
    ))  # fmt: skip


def domain_file(name: str, wanted: Wanted) -> str:
    """Return the rules file of a domain."""
    metric = metric_of(name)
    if not wanted.example:
        return _DOMAIN.format(name=_scalar(name), metric=metric) + _BARE_EXAMPLES.format(log=wanted.log)
    unknown = _NOT_MEASURED if wanted.asks_metrics else _NOT_ASKED
    return "".join((
        _DOMAIN.format(name=_scalar(name), metric=metric),
        _EXAMPLES,
        _first(wanted, "reaches its target", {metric: "met"}),
        _DOMAIN_EXAMPLES.format(metric=metric),
        unknown.format(metric=metric),
        _DOMAIN_END.format(name=name, metric=metric),
    ))  # fmt: skip


def _expected(wanted: Wanted) -> dict[str, str]:
    criteria = ("accuracy", "balance_delta", "cycle_loss", *(wanted.metrics if wanted.asks_metrics else ()))
    return dict.fromkeys(criteria, "met")


def _words(name: str | None) -> list[str]:
    """Return the words of a name as run ids take them."""
    return re.findall(r"[A-Za-z0-9]+", name or "")


def _first(wanted: Wanted, name: str, expected: dict[str, str]) -> str:
    rows = [f"  - name: {name}", f"    log: {_scalar(wanted.log)}", "    entry:"]
    rows += _rows(entry(wanted), 6)
    rows.append(f"    expect: {_flow(expected)}")
    return "\n".join(rows) + "\n"


def _rows(value: dict[str, Json], indent: int) -> Iterator[str]:
    """Yield block YAML down to the objects of scalars, which are written in one row where they fit."""
    for key, inner in value.items():
        head = f"{' ' * indent}{_scalar(key)}:"
        flow = f"{head} {_flow(inner)}"
        if isinstance(inner, dict) and (indent < 8 or len(flow) > 110):
            yield head
            yield from _rows(inner, indent + 2)
        else:
            yield flow


def _flow(value: Json) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(key)}: {_flow(inner)}' for key, inner in value.items())}}}"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    """Return a text as YAML: plain where every reader of YAML takes it for a text."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text)


_REQUIRES = "requires: [domain_metrics]          # every run logs the metrics of its domain\n"
_USE = "  domain_metrics: {use: domain}       # and the criteria of the run's domain\n"

_HEAD = """\
# Written by `nsm-gate init`. It works as it is; its words and numbers are placeholders for yours.
# Something new takes five steps, and this file is where they are taken.
#
# Step 1, document the schema: what it is for, and what each of its runs must log.
"""

_EXAMPLES = """
# Step 3, provide examples: entries as they are logged, with the outcomes that they must have: met, missed,
# unknown, not-applicable. `nsm-gate rules test` runs them. An example may be `like` an earlier one, with
# members set or unset: their paths start at run_data.
examples:
"""

_TYPE = (
    _HEAD
    + """\
experiment_type: {name}
description: Say in one sentence what experiments of this type find out.
# Paths start at the run (run_data). A run that lacks one of these is refused. Others that you may want:
# requires: [architecture.variant, hyperparameters.use_dual_pass]
# A measure of your own needs no change of the schema: log it in final_metrics.
{requires}
# Step 2, define success criteria: what a completed run must show. A missed criterion is a verdict and not a
# fault: the run is logged all the same. Quote a test, because YAML takes an unquoted > for a block of text;
# `source` says where a number comes from. Other forms:
#   accuracy: "> best_baseline"
#   balance_delta: {{assert: balance_delta < single_pass.balance_delta, when: hyperparameters.use_dual_pass}}
#   convergence: {{series: metrics_history.val_loss, is: decreasing}}
criteria:
  accuracy: {{above: 0.50, source: "a placeholder: chance"}}
  balance_delta: "< 0.40"
  cycle_loss: "< 0.80"
{use}"""
    + _EXAMPLES
)

_TYPE_EXAMPLES = """\
  - name: no better than chance
    like: meets every criterion
    set: {final_metrics.accuracy: 0.475}
    expect: {accuracy: missed}
  - name: one class is learned better
    like: meets every criterion
    set:
      final_metrics.accuracy_class_0: 0.31
      final_metrics.accuracy_class_1: 0.91
      final_metrics.class_balance_delta: 0.6
    expect: {balance_delta: missed}
  - name: a poor reconstruction
    like: meets every criterion
    set: {final_metrics.cycle_loss: 1.2}
    expect: {cycle_loss: missed}
  - name: nothing but losses and class accuracies
    like: meets every criterion
    unset: [final_metrics.accuracy, final_metrics.class_balance_delta, final_metrics.cycle_loss]
    expect: {accuracy: unknown, balance_delta: unknown, cycle_loss: unknown}
"""

_TYPE_END = """
# Step 4, update analysis recipes: `nsm-gate runs` and `nsm-gate report` know these runs as they are. Their
# names and accuracies, for instance:
#   nsm-gate runs --type={name} --columns run,accuracy
#
# Step 5, add validation: there is no code to write. `nsm-gate rules test` runs the examples above,
# `nsm-gate new {name}` prints a skeleton entry, and `nsm-gate check` judges every run that names the type.
# Commit this file before the first run that it judges.
"""

_BARE_EXAMPLES = """
# Step 3, provide examples, for `nsm-gate rules test`: entries of {log} with the outcomes that they must have.
# examples:
#   - name: a good run
#     entry: {{}}                       # a whole entry, as it is logged
#     expect: {{score: met}}            # or missed, unknown, not-applicable
#
# Step 4, update analysis recipes: say here how to find these runs in the log.
#
# Step 5, add validation: there is no code to write. `nsm-gate rules test` runs the examples, `nsm-gate check`
# judges the runs. Commit this file before the first run that it judges.
"""

_TYPE_BARE = (
    _HEAD
    + """\
experiment_type: {name}
description: Say in one sentence what experiments of this type find out.
# Paths that a run must have:
# requires: [config.seed]
{requires}
# Step 2, define success criteria: what a completed run must show, by the names that the log kind gives to its
# measures. Quote a test, because YAML takes an unquoted > for a block of text.
# criteria:
#   score: {{above: 0.5, source: "where the number comes from"}}
"""
    + _BARE_EXAMPLES
)

_DOMAIN = (
    _HEAD
    + """\
domain: {name}
description: Say in one sentence what data this domain holds.
# Members of the run (run_data) that hold the domain's own numbers. They need no change of the log's schema.
metrics: [{metric}]

# Step 2, define success criteria: targets for these metrics. They are asked of types with
# `requires: [domain_metrics]`, and of other runs where the metric is present.
criteria:
  {metric}: {{at_least: 0.80, source: "a placeholder"}}
"""
)

_DOMAIN_EXAMPLES = """\
  - name: misses its target
    like: reaches its target
    set: {{{metric}: 0.5}}
    expect: {{{metric}: missed}}
"""

_NOT_MEASURED = """\
  - name: was not measured
    like: reaches its target
    unset: [{metric}]
    expect: {{{metric}: unknown}}
    findings: [missing-domain-metric]   # what a type that asks for the metrics reports besides
"""

_NOT_ASKED = """\
  - name: was not measured
    like: reaches its target
    unset: [{metric}]
    expect: {{{metric}: not-applicable}}     # unknown, in a type that asks for the metrics
"""

_DOMAIN_END = """
# Step 4, update analysis recipes: `nsm-gate runs` and `nsm-gate report` know these runs as they are. Their
# names and this metric, for instance:
#   nsm-gate runs --domain={name} --columns run,{metric}
#
# Step 5, add validation: there is no code to write. `nsm-gate rules test` runs the examples above, and
# `nsm-gate check` judges every run of the domain. Commit this file before the first run that it judges.
"""
