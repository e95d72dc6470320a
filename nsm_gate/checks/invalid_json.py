"""Every line is one JSON object, strictly.

Why: Python's json writes NaN and Infinity and reads them back, jq and most other readers stop there;
a torn or glued line takes its neighbour with it. Refused are NaN, Infinity, numbers that no float holds,
a byte order mark, bytes that are not UTF-8, lone surrogates, text after the object, merge conflict
markers, anything but an object, nesting deeper than 64 levels, and lines over the size limit.
Fix: write null for a value that does not exist and say why in the findings; write lines with one
`f.write(json.dumps(entry, allow_nan=False) + "\\n")`.
Example: `{"loss": NaN}`.
"""

from __future__ import annotations

from nsm_gate.checks.check import LineCheck, refusal
from nsm_gate.model import Severity

CHECK = LineCheck("invalid-json", __doc__, Severity.ERROR, refusal("invalid-json"))
