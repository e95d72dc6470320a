"""What an experiment type asks for, as the checks of missing members share it."""

from __future__ import annotations

from nsm_gate.checks.check import Subject
from nsm_gate.model import Path


def required(subject: Subject, folder: Path) -> list[str]:
    """Return the members directly under a path that the run's experiment type requires."""
    if subject.experiment_type is None:
        return []
    run = subject.record.kind.run
    names = []
    for text in subject.experiment_type.requires:
        path = run + tuple(text.split("."))
        if path[:-1] == folder:
            names.append(path[-1])
    return names
