"""A log kind's proof: one function that decodes a line and says what of it is proven."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import astuple

from nsm_gate.books import summed
from nsm_gate.checks.timestamp_future import SKEW
from nsm_gate.policy import LogKind, Policy
from nsm_gate.proofs.bits import Bits
from nsm_gate.proofs.checks import Checks
from nsm_gate.proofs.clocks import Clocks
from nsm_gate.proofs.code import FALSE
from nsm_gate.proofs.evaluating import lookup
from nsm_gate.proofs.frame import Frame
from nsm_gate.proofs.outline import Outline, Unsupported
from nsm_gate.proofs.special import Shapes
from nsm_gate.proofs.texts import FORM, is_dated_name, says_something
from nsm_gate.proofs.unpacking import Memo, Unpacking, absent
from nsm_gate.proofs.verdicts import Groups, Verdicts


class Compiled:
    """A compiled proof.

    Attributes:
        prove: (line, time of the line before it) -> what is proven; None where nothing is. Raises what the
            decoder raises.
        shape: Line -> the key of its shape, by which its code is found; None where nothing is proven.
        bits: What the first number that is proven says of each check.
        verdicts: The criteria that it judges, and the references that may pick a run.
        groups: What must agree in two runs -> a number.
        shapes: The code for frequent shapes of lines.
    """

    def __init__(self, kind: LogKind, policy: Policy, outline: Outline, now: Any, groups: Groups) -> None:
        """Compile; Unsupported where that cannot be done."""
        self._frame = frame = Frame(kind, policy, outline)
        self.bits = Bits(kind)
        self.verdicts = Verdicts(frame)
        self.groups = groups
        unpacking = Unpacking(frame)
        rows = list(self._rows(unpacking))
        space: dict[str, Any] = {
            **frame.constants.values,
            "U": UNSET, "NUMBERS": frozenset({int, float}), "T": astuple, "FORM": FORM,
            "TIME": datetime.fromisoformat, "D": math.fsum, "decode": frame.types.decode, "GE": operator.ge,
            "LE": operator.le, "LOOKUP": lookup, "FINDINGS": says_something(), "NAMED": is_dated_name,
            "LATEST": (now + SKEW).replace(tzinfo=None), "GROUPS": groups,
            "LIMIT": policy.limits.line, "COLON": b"\\u003", "F": (), "ABSENT": absent,
        }  # fmt: skip
        exec(compile("\n".join(unpacking.functions), f"<proof of {kind.name}>", "exec"), space)  # noqa: S102
        told = [frame.variable(path)[0] for path in (kind.status, kind.experiment_type, kind.domain) if path]
        params = ", ".join(["raw", "before", *unpacking.tuples])
        self.shapes = Shapes(rows, params, unpacking.tuples, told, space)
        space |= {"MADE": self.shapes.made.get, "OTHER": self.shapes.other}
        head = [*(f"    {row}" for row in unpacking.head), f"    key = {self.shapes.key}"]
        code = ["def shape(raw):", *head, "    return key"]
        code += ["def prove(raw, before):", *head, f"    return (MADE(key) or OTHER(key))({params})"]
        exec(compile("\n".join(code), f"<proof of {kind.name}>", "exec"), space)  # noqa: S102
        self.prove, self.shape = space["prove"], space["shape"]

    def _rows(self, unpacking: Unpacking) -> Iterator[str]:
        """Yield the code for a line of any shape, and have the functions written that it calls."""
        frame, kind = self._frame, self._frame.kind
        clocks = Clocks(frame, self.bits)
        checks = Checks(frame, self.bits, clocks)
        rows = [*checks.code(), *self.verdicts.code()]
        status = frame.variable(kind.status)[0] if kind.status else "'completed'"
        type_, name = (frame.variable(path)[0] for path in (kind.experiment_type, kind.run_id))
        facts = (
            f"{self._key()}, digest, logged, needs, candidates, {status}, {self._corrects()}, {type_}, {name}"
        )
        ends = [*self._digest(), f"return bad, open_, missed, met, {facts}"]
        times = list(clocks.times())
        assigned = [f"{name} = {code}" for name, code in frame.names.prelude.items()]
        memos = [Memo(slot) for slot in unpacking.recurring(frame.outline.root)]
        rest: list[str] = []
        for row in rows:
            memo = next((memo for memo in memos if memo.takes(row)), None)
            (memo.rows if memo is not None else rest).append(row)
        yield from unpacking.code(memos, "\n".join([*assigned, *times, *ends, *rest]))
        yield from (*assigned, *times, *rest, *ends)

    # --- what later lines are held against ----------------------------------------------------

    def _key(self) -> str:
        parts = []
        for path in self._frame.kind.key:
            slot = self._frame.outline.find(path)
            if slot is None or slot.kinds != {"string"} or slot.optional:
                raise Unsupported("a key that is no text")
            parts.append(slot.name)
        if not parts:
            raise Unsupported("a log kind without a key")
        return f"({', '.join(parts)},)"

    def _digest(self) -> Iterator[str]:
        slot = self._frame.outline.find(self._frame.kind.results) if self._frame.kind.results else None
        if slot is None or slot.object is None:
            yield "digest = None"
            return
        names = set(summed(self._frame.kind))
        numbers = [s.name for s in slot.object.slots if s.path[-1] in names]
        struct = self._frame.constants.name(self._frame.types.structs[slot.object.number], "S")
        values = f"filter(None, ({', '.join(numbers)},))" if numbers else "()"
        yield f"digest = D({values}) if {slot.name}.__class__ is {struct} else None"
        # Results that add up to nothing are compared as text.
        yield "if digest == 0.0: return None"

    def _corrects(self) -> str:
        """Return code that holds where a line corrects an earlier one as it should."""
        kind = self._frame.kind
        named, reason = (
            self._frame.outline.find(path) if path else None for path in (kind.corrects, kind.reason)
        )
        run_id = self._frame.outline.find(kind.run_id) if kind.run_id else None
        if named is None or reason is None or run_id is None:
            return FALSE
        said = f"{reason.name}.__class__ is str and {reason.name}.strip()"
        return f"({named.name}.__class__ is str and {named.name} == {run_id.name} and {said} and True)"
