"""Every case of the corpus. An entrance is one module of this folder, and one line here."""

from __future__ import annotations

from tests.hostile import (
    commands,
    config,
    environment,
    events,
    expressions,
    git_states,
    log_lines,
    names,
    outputs,
    refs,
    rules_files,
    schemas,
    settings,
    writers,
)

CASES = (
    *log_lines.CASES,
    *rules_files.CASES,
    *expressions.CASES,
    *schemas.CASES,
    *config.CASES,
    *refs.CASES,
    *names.CASES,
    *events.CASES,
    *git_states.CASES,
    *settings.CASES,
    *outputs.CASES,
    *environment.CASES,
    *commands.CASES,
    *writers.CASES,
)
