"""Code that reads the time stamps of an entry, and compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from nsm_gate.proofs.bits import BIT, TIME_BITS, Bits
from nsm_gate.proofs.frame import Frame
from nsm_gate.proofs.outline import Slot
from nsm_gate.timestamps import Instant, parse


class Clocks:
    """Writes the code of the checks that look at times."""

    def __init__(self, frame: Frame, bits: Bits) -> None:
        """Write nothing yet."""
        self._frame = frame
        self._bits = bits

    def slots(self) -> Iterator[tuple[Slot, str]]:
        """Yield the slots of times, and the variable that holds the time of each."""
        kind = self._frame.kind
        for path, name in ((kind.logged, "logged"), (kind.start, "start"), (kind.end, "end")):
            slot = self._frame.outline.find(path) if path else None
            if slot is not None:
                yield slot, name

    def times(self) -> Iterator[str]:
        """Yield the code that reads times, and compares them. Those of the schema are made first."""
        kind = self._frame.kind
        for path, name in ((kind.logged, "logged"), (kind.start, "start"), (kind.end, "end")):
            variable, kinds = self._frame.variable(path)
            if "string" not in kinds:
                yield f"{name} = None"
                continue
            indent = ""
            if kinds != {"string"}:
                yield f"{name} = None"
                yield f"if {variable}.__class__ is str:"
                indent = "    "
            reader = self._frame.constants.name(self._reader(), "R")
            late = f"bad |= {BIT['timestamp-future']}"
            # The interpreter's parser takes other forms too: the form comes first.
            yield f"{indent}if FORM({variable}):"
            yield f"{indent}    {name} = TIME({variable}[:-1])"
            yield f"{indent}    if {name} > LATEST: {late}"
            yield f"{indent}else:"
            yield f"{indent}    {name}, b = {reader}({variable}); bad |= b"
            yield f"{indent}    if {name} is not None and {name} > LATEST: {late}"
            # A time that was read has the form that the schema asks for; another one is tried.
            for of, pattern in self._frame.laws.left_out:
                if of == variable:
                    odd = f"{name} is None and not {pattern}({variable})"
                    yield f"{indent}    if {odd}: bad |= {BIT['schema']}"
        if kind.logged is not None:
            yield f"if logged is None or before is None or logged < before: bad |= {BIT['timestamp-order']}"
        if kind.start is not None and kind.end is not None:
            yield "if start is not None and end is not None:"
            yield f"    if end < start: bad |= {BIT['time-span']}"
            seconds, kinds = self._frame.variable(kind.seconds)
            if {"integer", "number"} & kinds:
                yield f"    elif {seconds}.__class__ in NUMBERS:"
                yield "        span = (end - start).total_seconds()"
                limit = "(1.0 if span < 20.0 else 0.05 * span) * 0.999999"
                yield f"        if abs({seconds} - span) > {limit}: bad |= {BIT['duration-mismatch']}"

    def _reader(self) -> Callable[[str], tuple[datetime | None, int]]:
        """Return what reads a time that is written without Z: the time, if it is one, and a check's bit."""
        naive, elsewhere = self._bits.one("timestamp-naive"), self._bits.one("timestamp-not-utc")

        def read(text: str) -> tuple[datetime | None, int]:
            instant = parse(text)
            if not isinstance(instant, Instant):
                return None, TIME_BITS
            bit = naive if instant.offset is None else 0 if instant.is_utc else elsewhere
            return instant.utc.replace(tzinfo=None), bit

        return read
