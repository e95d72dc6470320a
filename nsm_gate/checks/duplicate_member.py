"""A member name appears once in its object.

Why: JSON leaves open which of two counts; Python takes the last, other readers the first. A run with
two accuracies has none.
Fix: keep the right one.
Example: `{"accuracy": 0.5, "accuracy": 0.9}`.
"""

from __future__ import annotations

from nsm_gate.checks.check import LineCheck, refusal
from nsm_gate.model import Severity

CHECK = LineCheck("duplicate-member", __doc__, Severity.ERROR, refusal("duplicate-member"))
