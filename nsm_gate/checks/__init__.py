"""The registry: every check, in the order in which rules are documented and findings are listed."""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.checks import (
    assertion,
    blank_line,
    class_collapse,
    criterion_missed,
    criterion_unknown,
    duplicate_member,
    duplicate_record,
    duplicate_run,
    duration_mismatch,
    foreign_domain_metric,
    history_rewritten,
    impossible_metric,
    inserted_line,
    invalid_json,
    line_ending,
    missing_architecture,
    missing_domain_metric,
    missing_error_message,
    missing_experiment_type,
    missing_findings,
    missing_hyperparameter,
    not_a_log,
    not_preregistered,
    rules_changed,
    run_id_format,
    schema,
    schema_evolution,
    time_span,
    timestamp_future,
    timestamp_invalid,
    timestamp_naive,
    timestamp_not_utc,
    timestamp_order,
    unknown_experiment_type,
    unknown_field,
    waiver_expired,
    waiver_unused,
    zero_task_loss,
)
from nsm_gate.checks.check import Check
from nsm_gate.model import Severity

CHECKS: tuple[Check, ...] = (
    history_rewritten.CHECK,
    inserted_line.CHECK,
    not_a_log.CHECK,
    invalid_json.CHECK,
    duplicate_member.CHECK,
    blank_line.CHECK,
    line_ending.CHECK,
    schema.CHECK,
    unknown_field.CHECK,
    duplicate_run.CHECK,
    duplicate_record.CHECK,
    timestamp_invalid.CHECK,
    timestamp_not_utc.CHECK,
    timestamp_naive.CHECK,
    timestamp_future.CHECK,
    timestamp_order.CHECK,
    time_span.CHECK,
    duration_mismatch.CHECK,
    missing_findings.CHECK,
    run_id_format.CHECK,
    missing_hyperparameter.CHECK,
    missing_architecture.CHECK,
    missing_error_message.CHECK,
    missing_domain_metric.CHECK,
    foreign_domain_metric.CHECK,
    missing_experiment_type.CHECK,
    unknown_experiment_type.CHECK,
    assertion.CHECK,
    class_collapse.CHECK,
    zero_task_loss.CHECK,
    impossible_metric.CHECK,
    criterion_missed.CHECK,
    criterion_unknown.CHECK,
    rules_changed.CHECK,
    schema_evolution.CHECK,
    waiver_expired.CHECK,
    waiver_unused.CHECK,
    not_preregistered.CHECK,
)

DEFAULTS: Mapping[str, Severity] = {check.id: check.severity for check in CHECKS}
"""The severity of each rule where nobody sets one."""

BY_ID: Mapping[str, Check] = {check.id: check for check in CHECKS}
