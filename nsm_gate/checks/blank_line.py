"""A log has no blank lines.

Why: readers that call a JSON parser on every line stop at a blank one.
Fix: remove it.
Example: an editor left an empty line at the end.
"""

from __future__ import annotations

from nsm_gate.checks.check import LineCheck, refusal
from nsm_gate.model import Severity

CHECK = LineCheck("blank-line", __doc__, Severity.WARNING, refusal("blank-line"))
