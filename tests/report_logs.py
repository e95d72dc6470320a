"""Logs for the tests of the report: ordinary runs, hostile ones, and very many."""

from __future__ import annotations

import copy
from typing import Any

from tests.support import a_baseline, a_run, edited

HOSTILE = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "{{7*7}}{% include 'x' %}${7*7}<%= 7*7 %>",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    "javascript:window.pwned=1",
    "</style><style>*{display:none}</style>",
    "<!--<script>",
    "]]>&lt;b&gt;&amp;",
    "a\u2028b\u2029c\u202ed\x00e\x1b[31mf",
    "__proto__",
    "constructor",
    "datum['x']; signal:alert(1)",
    '=HYPERLINK("http://example.org")',
    "| pipe | `tick` **bold** [link](http://example.org) www.example.org @someone",
)
"""Texts that act somewhere: in HTML, scripts, styles, templates, spreadsheets, terminals, Markdown, Vega."""


def hostile_runs() -> list[dict[str, Any]]:
    """Return runs in which each place of a log that takes a text holds each hostile text."""
    runs = []
    for number, text in enumerate(HOSTILE):
        run = a_run(f"{text}{number}", number)
        data = run["run_data"]
        data["findings"] = f"{text} is what this run found, in a whole sentence."
        data["experiment_type"] = text if number % 2 else "domain_exploration"
        data["domain"] = text if number % 3 == 0 else "planning"
        data["error_message"] = text
        data["hyperparameters"][text] = text
        data["hyperparameters"]["use_dual_pass"] = True
        data["hyperparameters"]["fusion_mode"] = HOSTILE[number % 8]  # few enough to compare by
        data["final_metrics"][text] = 0.5
        data["architecture"] = {"variant": text, text: [text]}
        data["metrics_history"] = [{"epoch": e, text: 1 / e, "val_loss": 1 / e} for e in (1, 2, 3)]
        data[text] = {text: text}
        runs.append(run)
    return runs


def lab() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return (training runs, baselines) of which every part of a report has something to show."""
    history = [
        {"epoch": e, "val_loss": round(0.8 - 0.03 * e, 4), "val_accuracy": 0.5 + e / 100} for e in range(1, 9)
    ]
    single = edited(
        a_run("baseline_single_pass_20251101"),
        experiment_type="dual_pass_validation",
        architecture={"variant": "single_pass", "num_levels": 3, "passes": 1},
        hyperparameters__use_dual_pass=False,
        hyperparameters__fusion_mode=None,
        final_metrics__accuracy_class_0=0.11,
        final_metrics__accuracy_class_1=1.0,
        final_metrics__class_balance_delta=0.89,
        metrics_history=history,
    )
    runs = [single]
    for number, (mode, accuracy) in enumerate((("equal", 0.52), ("learned", 0.58), ("attention", 0.44)), 1):
        runs.append(
            edited(
                copy.deepcopy(single),
                run_id=f"dual_pass_{mode}_2025110{number + 1}",
                entry__timestamp=f"2025-11-0{number + 1}T10:00:31Z",
                start_time=f"2025-11-0{number + 1}T10:00:00Z",
                end_time=f"2025-11-0{number + 1}T10:00:30Z",
                architecture={"variant": f"dual_pass_{mode}", "num_levels": 3, "passes": 2},
                hyperparameters__use_dual_pass=True,
                hyperparameters__fusion_mode=mode,
                hyperparameters__seed=42 + number,
                best_val_accuracy=accuracy,
                final_metrics__accuracy=accuracy,
                final_metrics__accuracy_class_0=0.5,
                final_metrics__accuracy_class_1=0.5 + 0.2 * number,
                final_metrics__class_balance_delta=round(0.2 * number, 4),
            )
        )
    explored = edited(
        a_run("planning_plain_20251105"),
        entry__timestamp="2025-11-05T10:00:31Z",
        start_time="2025-11-05T10:00:00Z",
        end_time="2025-11-05T10:00:30Z",
        final_metrics__task_loss=0.4321,
    )
    failed = edited(
        a_run("planning_failed_20251106"),
        entry__timestamp="2025-11-06T10:00:31Z",
        start_time="2025-11-06T10:00:00Z",
        end_time=None,
        status="failed",
        error_message="CUDA out of memory at epoch 7, batch 42",
        final_metrics=None,
        best_val_accuracy=None,
        goal_achievement_rate=None,
        temporal_ordering_acc=None,
    )
    return [*runs, explored, failed], [
        a_baseline(),
        a_baseline("3level_attention", 25, metrics__accuracy=0.61),
    ]


def many(count: int) -> list[dict[str, Any]]:
    """Return so many runs that differ in name, time, type and results."""
    types = ("domain_exploration", "dual_pass_validation", "hyperparam_search")
    made = []
    for number in range(count):
        low, high = 0.3 + number % 37 / 100, 0.4 + number % 53 / 100
        day, second = divmod(number * 600, 86400)
        time = f"2025-{1 + day // 28:02d}-{1 + day % 28:02d}T{second // 3600:02d}:{second % 3600 // 60:02d}"
        made.append(
            edited(
                a_run(f"run_{number:05d}_20250101", number),
                entry__timestamp=f"{time}:31Z",
                start_time=f"{time}:00Z",
                end_time=f"{time}:30Z",
                experiment_type=types[number % 3],
                final_metrics__accuracy=round((low + high) / 2, 4),
                final_metrics__accuracy_class_0=round(low, 4),
                final_metrics__accuracy_class_1=round(high, 4),
                final_metrics__class_balance_delta=round(high - low, 4),
                metrics_history=[
                    {"epoch": e, "val_loss": round(1 / e + number / 9000, 4)} for e in range(1, 9)
                ],
            )
        )
    return made
