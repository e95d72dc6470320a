"""The steps that a mapping may convert a value by: a closed table. None of them guesses."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo

from nsm_gate.model import Json
from nsm_gate.names import suggestion
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.pointers import show
from nsm_gate.timestamps import Instant, parse, written


class Unconvertible(ValueError):
    """A value that a step cannot convert.

    Attributes:
        hint: The remedy.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the fact and the remedy."""
        super().__init__(message)
        self.hint = hint


class Step(NamedTuple):
    """A step of the table with what a mapping says of it.

    Attributes:
        name: Its word.
        argument: What stands behind the word, where the step takes something.
    """

    name: str
    argument: Any = None

    def __call__(self, value: Json) -> Json:
        """Return the converted value; Unconvertible where that cannot be."""
        return STEPS[self.name].convert(value, self.argument)


class Sort(NamedTuple):
    """A sort of step.

    Attributes:
        convert: A value, which is never null, and the argument -> the converted value.
        takes: What the argument is, in words; empty where the step takes none.
        summary: What it does, in a sentence.
    """

    convert: Callable[[Any, Any], Json]
    takes: str
    summary: str


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _number(value: Any, _argument: None) -> Json:
    if type(value) in (int, float):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    hint = "list it in nulls:, if it stands for a missing value" if isinstance(value, str) else ""
    raise Unconvertible(f"{show(value)} is not a number", hint)


def _integer(value: Any, _argument: None) -> Json:
    number = _number(value, None)
    if number != int(number):
        raise Unconvertible(f"{show(value)} is not a whole number")
    return int(number)


def _boolean(value: Any, _argument: None) -> Json:
    found = _TRUTHS.get(_string(value, None).strip().lower()) if isinstance(value, (str, int)) else None
    if found is None:
        raise Unconvertible(f"{show(value)} is neither true nor false", "use lookup for other words")
    return found


def _string(value: Any, _argument: None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list)):
        raise Unconvertible(f"{show(value)} is not a single value")
    return json.dumps(value)


def _text(value: Any, step: str) -> str:
    if not isinstance(value, str):
        raise Unconvertible(f"{show(value)} is not a string, which {step} takes", "put string before it")
    return value


def _lower(value: Any, _argument: None) -> Json:
    return _text(value, "lower").lower()


def _strip(value: Any, _argument: None) -> Json:
    return _text(value, "strip").strip()


def _split(value: Any, separator: str) -> Json:
    return [part.strip() for part in _text(value, "split").split(separator)]


def _join(value: Any, separator: str) -> Json:
    if not isinstance(value, list):
        raise Unconvertible(f"{show(value)} is not a list, which join takes")
    for number, item in enumerate(value, 1):
        if item is None:
            raise Unconvertible(f"part {number} of what is joined is missing", "give it a default")
    return separator.join(_string(item, None) for item in value)


def _item(value: Any, index: int) -> Json:
    if not isinstance(value, list) or not -len(value) <= index < len(value):
        raise Unconvertible(f"{show(value)} has no item {index}")
    return value[index]


def _lookup(value: Any, table: Mapping[str, Json]) -> Json:
    word = _string(value, None)
    if word not in table:
        hint = suggestion(word, table) or f"it has {', '.join(list(table)[:20])}"
        raise Unconvertible(f"{show(value)} is not in the lookup table", hint)
    return table[word]


# --- times --------------------------------------------------------------------------------------------

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"(?: ?(Z|UTC|[+-]\d{2}:?\d{2}))?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})", re.ASCII)
_LATEST = 4_102_444_800  # the year 2100, in seconds since 1970: more are no seconds


class Clock(NamedTuple):
    """How times without an offset are to be read.

    Attributes:
        zone: Whose time they are.
        format: How they are written, for strptime; empty for ISO 8601.
    """

    zone: tzinfo
    format: str = ""


def zone(name: str) -> tzinfo | None:
    """Return a time zone by its offset (`+02:00`), as `UTC`, or by its IANA name; None where none is."""
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    found = _OFFSET.fullmatch(name)
    if found is not None:
        shift = timedelta(hours=int(found[2]), minutes=int(found[3]))
        whole = shift < timedelta(hours=24) and int(found[3]) < 60
        return timezone(-shift if found[1] == "-" else shift) if whole else None
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _time(value: Any, clock: Clock) -> Json:
    """Return the instant in UTC, with every digit of its seconds."""
    if type(value) in (int, float):
        if not 0 <= value < _LATEST:
            raise Unconvertible(
                f"{show(value)} is no time in seconds since 1970", "divide milliseconds by 1000"
            )
        return written(datetime.fromtimestamp(value, timezone.utc))
    text = _text(value, "time")
    if clock.format:
        return _formatted(text, clock)
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise Unconvertible(f"{show(text)} is no time of ISO 8601", "say how it is written in format:")
    day, minutes, seconds, fraction, offset = found.groups()
    made = f"{day}T{minutes or '00:00'}:{seconds or '00'}" + (f".{fraction}" if fraction else "")
    if offset is not None:
        utc = offset.upper() in ("Z", "UTC")
        made += "Z" if utc else offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    instant = parse(made)
    if not isinstance(instant, Instant):
        raise Unconvertible(f"{show(text)}: {instant}")
    if instant.offset is not None:
        return written(instant.utc, instant.fraction)
    return written(_placed(instant.utc.replace(tzinfo=None), clock.zone, text), instant.fraction)


def _formatted(text: str, clock: Clock) -> str:
    try:
        found = datetime.strptime(text.strip(), clock.format)
    except (ValueError, re.error):
        raise Unconvertible(f"{show(text)} is not written like {clock.format}") from None
    if found.tzinfo is None:
        found = _placed(found, clock.zone, text)
    try:
        return written(found)
    except OverflowError:
        raise Unconvertible(f"{show(text)}: no such date or time") from None


def _placed(local: datetime, zone: tzinfo, text: str) -> datetime:
    """Return the one instant at which a zone's clocks show a time."""
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    except OverflowError:
        raise Unconvertible(f"{show(text)}: no such date or time") from None
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise Unconvertible(f"{show(text)} was skipped when the clocks of {zone} were put forward")
    if first != second:
        raise Unconvertible(
            f"{show(text)} came twice when the clocks of {zone} were put back", "write its offset"
        )
    return first


def _day(value: Any, _argument: None) -> Json:
    text = _text(value, "day")
    found = _TIME.fullmatch(text.strip())
    if found is None or not isinstance(parse(f"{found[1]}T00:00:00Z"), Instant):
        raise Unconvertible(f"{show(text)} is no date of ISO 8601")
    return found[1].replace("-", "")


STEPS: Mapping[str, Sort] = {
    "number": Sort(_number, "", "a number, from text too"),
    "integer": Sort(_integer, "", "a whole number, from `10.0` and text too"),
    "boolean": Sort(_boolean, "", "true or false, from `true`, `yes`, `1`, `false`, `no`, `0` too"),
    "string": Sort(_string, "", "text, from a number or a truth value"),
    "lower": Sort(_lower, "", "text in small letters"),
    "strip": Sort(_strip, "", "text without white space around it"),
    "split": Sort(_split, "text", "a list of the parts between a separator, without white space around them"),
    "join": Sort(_join, "text", "the items of a list as one text, with a separator between them"),
    "item": Sort(_item, "whole number", "an item of a list: 0 is the first, -1 the last"),
    "lookup": Sort(_lookup, "mapping", "what a table has for the text of the value"),
    "time": Sort(_time, "time zone", "an instant in UTC, from ISO 8601, a `format`, or seconds since 1970"),
    "day": Sort(_day, "", "the day of a time as run ids end in it: `20251101`"),
}
"""Word -> step."""
