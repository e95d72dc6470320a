"""Proves lines of one log kind clean, learning from the lines themselves what they look like."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from msgspec import MsgspecError

from nsm_gate.jsonl import decode
from nsm_gate.model import Entry, Line
from nsm_gate.policy import LogKind, Policy, Reference
from nsm_gate.proofs.compiled import Compiled
from nsm_gate.proofs.learned import Learned
from nsm_gate.proofs.outline import Outline, Unsupported
from nsm_gate.proofs.places import computed
from nsm_gate.proofs.verdicts import Groups

_SAMPLE = 240
_REHEARSED = 1500
_REBUILDS = 4
_ENOUGH = 24
"""Lines with something new in them, after which the proof is compiled again."""
_MANY, _ONE_IN = 200, 8
"""Lines of which nothing could be proven, after which one in so many is looked at: most teach nothing new."""


class Prover:
    """The proof of one log kind.

    Attributes:
        compiled: None where the kind, or what its lines look like, is beyond what can be compiled.
        sources: References that may pick runs of the log, by number: those of the proof that was made
            beforehand, if one was, whatever becomes of it.
        why_not: Why it is None.
    """

    def __init__(self, kind: LogKind, policy: Policy, now: datetime) -> None:
        """Know nothing of the lines yet."""
        self._kind = kind
        self._policy = policy
        self._now = now
        self._learned = Learned()
        self._rebuilds = 0
        # One numbering for all: numbers that were given out stay what they are when a proof is made again.
        self._groups = Groups()
        self._news = self._unproven = 0
        self.compiled: Compiled | None = None
        self.sources: Sequence[Reference] = ()
        self.why_not = "no line was seen"

    def learn(self, lines: Sequence[bytes], indices: Sequence[int]) -> None:
        """Look at some of the lines, and compile."""
        step = max(1, len(indices) // _SAMPLE)
        for index in indices[::step]:
            decoded = decode(Line(index + 1, lines[index]), self._policy.limits.line)
            if isinstance(decoded, Entry):
                self._take(decoded)
        self._compile()
        if self.compiled is not None:
            self.sources = tuple(self.compiled.verdicts.sources)
            self._rehearse(self.compiled, lines, indices)

    @staticmethod
    def _rehearse(compiled: Compiled, lines: Sequence[bytes], indices: Sequence[int]) -> None:
        """Make the code for frequent shapes now: before processes are forked, which would each make it."""
        step = max(1, len(indices) // _REHEARSED)
        compiled.shapes.begin(step)
        for index in indices[::step]:
            with contextlib.suppress(*REFUSALS):
                compiled.shapes.count(compiled.shape(lines[index]))
        compiled.shapes.go_on()

    def unproven(self, entry: Entry) -> None:
        """Take in a line of which nothing could be proven."""
        self._unproven += 1
        if self._rebuilds >= _REBUILDS or (self._unproven > _MANY and self._unproven % _ONE_IN):
            return
        if not self._take(entry):
            return
        self._news += 1
        if self._news >= _ENOUGH << self._rebuilds:
            self._news = self._unproven = 0
            self._rebuilds += 1
            self._compile()

    def _take(self, entry: Entry) -> bool:
        return self._learned.take(entry.value)

    def _compile(self) -> None:
        try:
            kind = self._kind
            holder = kind.hyperparameters
            asked = (
                {(*holder, name) for name in kind.required_hyperparameters} if holder is not None else set()
            )
            outline = Outline(kind.schema, self._learned, asked, computed(kind, self._policy))
            self.compiled = Compiled(kind, self._policy, outline, self._now, self._groups)
        except Unsupported as reason:
            self.compiled = None
            self.why_not = str(reason)


REFUSALS = (MsgspecError, ArithmeticError, LookupError, TypeError, ValueError)
"""What the compiled code raises on a line that it cannot prove anything of."""
