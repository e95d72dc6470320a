"""What a proof says of each check: silent, found for sure, or left open; a bit each."""

from __future__ import annotations

from nsm_gate.policy import Assertion, LogKind
from nsm_gate.proofs.outline import Slot

TIMES = ("timestamp-invalid", "timestamp-not-utc", "timestamp-naive", "timestamp-future", "timestamp-order",
         "time-span", "duration-mismatch")  # fmt: skip
CHECKED = (
    *TIMES, "schema", "missing-findings", "run-id-format", "missing-hyperparameter", "missing-architecture",
    "missing-error-message", "missing-domain-metric", "foreign-domain-metric", "missing-experiment-type",
    "unknown-experiment-type", "class-collapse", "zero-task-loss", "impossible-metric",
)  # fmt: skip
"""Checks of which a proof says, one by one, whether they are silent. `unknown-field` always is where there
is a proof, and `schema` but for the form of times; what earlier lines decide is not the proof's."""

_MOST_FLAWS = 8
"""Refused values that are counted: of many the schema lists some, and says that there are more."""
SURE = ("missing-findings", "missing-error-message", "missing-experiment-type", "unknown-experiment-type")
"""Checks that report one problem or none, of which a proof says where it is one. So it does of assertions."""

BIT = {check: 1 << number for number, check in enumerate(CHECKED)}
TIME_BITS = sum(BIT[check] for check in TIMES)
_REMEMBERED = 4096


class Bits:
    """The bits of one log kind: of what is left open, and of what is surely found, once or several times."""

    def __init__(self, kind: LogKind) -> None:
        """Give out none yet."""
        self._kind = kind
        self._count = len(CHECKED) + len(kind.assertions)
        self._single: list[str] = []
        self._open: dict[int, tuple[frozenset[str], tuple[Assertion, ...]]] = {}
        self._sure: dict[tuple[int, bool], tuple[tuple[str, ...], int]] = {}

    def law(self, number: int, *, sure: bool = False) -> int:
        """Return the bit of an assertion that is broken, or may be."""
        return 1 << len(CHECKED) + number << (self._count if sure else 0)

    def certain(self, check: str) -> int:
        """Return the bit of a check that has surely found its one problem."""
        return BIT[check] << self._count

    def found(self, check: str, slot: Slot | None) -> int:
        """Return the bit of a check that has found something: for sure, where only texts stand there."""
        return self.certain(check) if slot is None or slot.kinds <= {"null", "string"} else BIT[check]

    def one(self, check: str) -> int:
        """Return a bit for one problem of a check that may have several, each at its place."""
        self._single.append(check)
        return 1 << 2 * self._count + len(self._single) - 1

    def sure(self, bad: int, *, alone: bool) -> tuple[tuple[str, ...], int]:
        """Return the rules of the problems that a proof is sure of, and what it leaves open.

        It is sure of them where it leaves no check open, and they stand `alone`: else one may silence
        another, and all are open.
        """
        known = self._sure.get((bad, alone))
        if known is None:
            low = (1 << self._count) - 1
            rest, told = bad & low, bad >> self._count & low
            rules = [check for check in SURE if told & BIT[check]]
            laws = [law for n, law in enumerate(self._kind.assertions) if told >> len(CHECKED) + n & 1]
            rules += ["assertion"] * len({law.at for law in laws})
            for number, check in enumerate(self._single):
                if bad >> 2 * self._count + number & 1:
                    rules.append(check)
                    told |= BIT[check]
            cut = rules.count("schema") > _MOST_FLAWS
            known = (tuple(rules), 0) if alone and not rest and not cut else ((), rest | told)
            if len(self._sure) < _REMEMBERED:
                self._sure[bad, alone] = known
        return known

    def asserts(self, bad: int) -> bool:
        """Return whether a proof says that assertions are, or may be, broken."""
        return bool((bad | bad >> self._count) >> len(CHECKED) & (1 << len(self._kind.assertions)) - 1)

    def open(self, bad: int) -> tuple[frozenset[str], tuple[Assertion, ...]]:
        """Return the checks that a proof leaves open, and of the assertions those that may be broken."""
        known = self._open.get(bad)
        if known is None:
            laws = bad >> len(CHECKED)
            broken = tuple(law for n, law in enumerate(self._kind.assertions) if laws >> n & 1)
            checks = frozenset(check for check, bit in BIT.items() if bad & bit)
            known = (checks | {"assertion"} if broken else checks, broken)
            if len(self._open) < _REMEMBERED:
                self._open[bad] = known
        return known
