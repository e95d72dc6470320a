"""What is said of a physical line, of a verdict, and of a line that a bug is found on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nsm_gate.checks import CHECKS
from nsm_gate.checks.check import Judged, LineCheck, Registration, VerdictCheck
from nsm_gate.defects import Defects
from nsm_gate.errors import GateError
from nsm_gate.model import Entry, Line, Malformed, Outcome, Problem, Verdict
from nsm_gate.timestamps import Instant

_LINE_CHECKS = [check for check in CHECKS if isinstance(check, LineCheck)]
_VERDICT_CHECKS = [check for check in CHECKS if isinstance(check, VerdictCheck)]


@contextmanager
def naming(path: str, line: int) -> Iterator[None]:
    """Have a bug name the line that it was found on: a GateError, and never a pass."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        fact = f"internal error: {type(error).__name__}: {error}"
        raise GateError(fact, "report it with this line", path, line) from error


def of_line(line: Line, decoded: Entry | Malformed) -> Iterator[Problem]:
    """Yield the problems of a line, decoded or not."""
    for check in _LINE_CHECKS:
        yield from check.run(line, decoded)


def of_verdict(
    verdict: Verdict,
    found: Defects,
    started: Instant | None,
    registered: Callable[[str], Registration] | None,
) -> Iterator[Problem]:
    """Yield what a verdict gives.

    Args:
        verdict: Of one criterion.
        found: What is wrong with the entry.
        started: When the run began, where that counts.
        registered: Looks up when a criterion was; None where nobody asks.
    """
    # A value that is reported already is not reported once more as unknown.
    if verdict.outcome is Outcome.UNKNOWN and verdict.lacks and all(map(found.speak_of, verdict.lacks)):
        return
    for check in _VERDICT_CHECKS:
        yield from check.run(Judged(verdict, started, registered))
