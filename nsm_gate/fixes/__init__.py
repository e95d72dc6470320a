"""The registry: which findings a machine can mend, and how."""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.fixes import lines, names, numbers, times
from nsm_gate.fixes.site import Mend

FIXES: Mapping[str, Mend] = {
    "invalid-json": numbers.null,
    "blank-line": lines.blank,
    "line-ending": lines.ending,
    "duplicate-run": names.suffix,
    "timestamp-not-utc": times.offset,
    "timestamp-naive": times.naive,
}
"""Rule id -> how its findings are mended."""
