"""A training_log of any length that looks like a real one, and the baselines beside it.

    python -m benchmarks.generate FOLDER [--lines 70000] [--kind clean|failing|mixed] [--seed 20251021]

writes FOLDER/training_log.jsonl and FOLDER/baselines.jsonl. The same seed gives the same bytes, and a longer
log begins with the shorter ones. Nothing is held in memory but the runs that are still going on.

- clean: no finding at all under the bundled pack. All four experiment types on all three domains; most runs
  completed, some failed, some logged twice (`running`, then its end), a few corrected by a later line. A
  dual-pass run is compared with the single-pass runs on its data, a search with the best baseline, and both win.
- failing: the same runs, each line with one or two mistakes that people make.
- mixed: the same lab, but one run of ten misses a criterion: negative results, which are warnings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

from benchmarks.lab import EPOCH, SINGLE, Entry, Lab
from benchmarks.mistakes import spoil

KINDS = ("clean", "failing", "mixed")
SEED = 20251021
LINES = 70_000


def baselines() -> Iterator[Entry]:
    """Yield the baselines: two before the first run, then a better one now and then, each of which runs beat."""
    best = [0.5525, 0.5575, 0.5625, 0.5675, 0.57, 0.5725]
    for number, accuracy in enumerate(best):
        variant = SINGLE[number % 4][0]
        when = EPOCH + timedelta(days=-9 + 8 * number, minutes=47 * number)
        yield {
            "branch": "main" if number % 2 else "phase1.5-3level",
            "commit": f"{0x0CECBB7 + 0x1F3A5D * number:07x}",
            "timestamp": f"{when.isoformat()}Z",
            "experiment": f"{variant}_{number + 1}",
            "metrics": {
                "accuracy": accuracy, "balance_delta": 0.31 - 0.01 * number, "cycle_loss": 0.19 - 0.01 * number,
                "cycle_loss_upper": None, "cycle_loss_lower": None, "cycle_loss_cross": None, "q_neural": None,
                "temperature_gradient": None, "lawson_criterion": None, "beta_limit": None,
            },
            "config": {
                "variant": variant, "epochs": 10, "batch_size": 64, "learning_rate": 0.0001, "cycle_weight": 0.05,
                "diversity_weight": 0.0, "pool_ratio": 0.5, "dropout": 0.1, "node_features": 64,
                "num_relations": 16, "num_classes": 2,
            },
            "notes": f"Baseline {number + 1} ({variant}): above 55 percent with a reconstruction under its target.",
        }  # fmt: skip


def entries(count: int, kind: str = "clean", seed: int = SEED) -> Iterator[Entry]:
    """Yield so many entries of a training_log, in the order of time."""
    random = Random(seed)
    faults = Random(seed + 1)  # its own: the failing log has the runs of the clean one
    lab = Lab(random, faults if kind == "mixed" else None)
    for _ in range(count):
        entry = lab.next()
        yield spoil(entry, faults) if kind == "failing" else entry


def encode(entry: Entry) -> bytes:
    """Return a line, as the guide's own script writes it."""
    return (json.dumps(entry, ensure_ascii=False) + "\n").encode()


def write(folder: Path, count: int = LINES, kind: str = "clean", seed: int = SEED) -> Path:
    """Write both logs into a folder, and return the path of the training_log."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "baselines.jsonl").open("wb") as file:
        file.writelines(map(encode, baselines()))
    log = folder / "training_log.jsonl"
    with log.open("wb") as file:
        file.writelines(map(encode, entries(count, kind, seed)))
    return log


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description="generate a training_log and its baselines")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--kind", choices=KINDS, default="clean")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    log = write(given.folder, given.lines, given.kind, given.seed)
    size = log.stat().st_size
    print(f"{log}: {given.lines} lines, {size / 1e6:.1f} MB, {size / max(given.lines, 1):.0f} bytes a line")


if __name__ == "__main__":
    main()
