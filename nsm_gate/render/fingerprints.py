"""What makes a finding the same one tomorrow: everything about it but the number of its line."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator

from nsm_gate.model import Finding


def fingerprints(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a name for each finding, of 32 hexadecimal digits and a count, in their order.

    It stands for rule, path, run, pointer and criterion: two values of one line are two findings, and a
    line that moves keeps its own. The count tells true repeats apart; waived findings take part in it, so
    that a waiver renames no other finding.
    """
    seen: Counter[str] = Counter()
    for found in findings:
        # As ASCII: a file name that is not UTF-8 has lone surrogates, which have no bytes.
        said = json.dumps([found.rule, found.path, found.run, found.pointer, found.criterion])
        name = hashlib.sha256(said.encode()).hexdigest()[:32]
        seen[name] += 1
        yield f"{name}:{seen[name]}"
