"""Python values -> JSON values; what JSON cannot hold is named by its place.

Values of NumPy, PyTorch and their like are known by what they offer (`item`, `tolist`, `shape`), so that
none of these is imported here. A value that is refused becomes NaN in the result: written down, it is no
JSON at exactly that place.
"""

from __future__ import annotations

import enum
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime, timedelta, timezone

from nsm_gate.model import Json
from nsm_gate.nouns import Any, NamedTuple
from nsm_gate.pointers import pointer
from nsm_gate.timestamps import written

MOST_FAULTS = 20
"""How many faults of one entry are told."""

_DEPTH = 64  # as deep as an entry may be
_ITEMS = 500_000  # more than a line of 1 MiB holds
_BITS = 14_000  # a whole number of 4,300 digits, beyond which readers refuse it
_NULL = "write null, and say in the findings why the value is missing"
_UTC = "give it an offset: datetime.now(timezone.utc)"
_CONVERT = "convert it first, for instance with str() or float()"
_NAMESPACES = (("argparse", "Namespace"), ("types", "SimpleNamespace"))


class Fault(NamedTuple):
    """A value that JSON cannot hold.

    Attributes:
        pointer: Where it stands: a JSON pointer from the entry's root.
        message: The fact.
        hint: The remedy.
    """

    pointer: str
    message: str
    hint: str


def jsonable(value: object, *, naive_is_utc: bool = False) -> tuple[Json, list[Fault]]:
    """Return a value as JSON has it, and what of it JSON cannot hold.

    Args:
        value: Anything.
        naive_is_utc: Whether a time without an offset is UTC, as some log kinds say; else it is refused.
    """
    conversion = _Conversion(naive_is_utc)
    made = conversion.of(value, ())
    return made, conversion.faults[:MOST_FAULTS]


def dumped(value: Json) -> bytes:
    """Return a JSON value as one line of a log, without its newline."""
    text = json.dumps(value, ensure_ascii=False)
    # Legal in a JSON string, but many readers take them for the end of a line.
    for char in "\u0085\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("utf-8", "backslashreplace")


class _Conversion:
    def __init__(self, naive_is_utc: bool) -> None:
        self.naive_is_utc = naive_is_utc
        self.faults: list[Fault] = []

    def refuse(self, where: tuple[str | int, ...], fact: str, hint: str = _CONVERT) -> float:
        place = pointer(*where)
        self.faults.append(Fault(place, f"{place or 'the entry'} {fact}", hint))
        return math.nan

    def of(self, value: Any, where: tuple[str | int, ...]) -> Json:
        if len(self.faults) > MOST_FAULTS:
            return math.nan
        if len(where) > _DEPTH:
            hint = "flatten the entry, or keep the structure in a file of its own"
            return self.refuse(where[:8], f"is nested deeper than {_DEPTH} levels", hint)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, enum.Enum):
            return self.of(value.value, where)
        if isinstance(value, str):
            return self.text(value, where)
        if isinstance(value, int):
            if value.bit_length() > _BITS:
                return self.refuse(where, "is a number of over 4,300 digits", "log a float")
            return int(value)
        if isinstance(value, float):
            return self.number(float(value), where)
        if isinstance(value, (date, timedelta)):
            return self.time(value, where)
        if isinstance(value, os.PathLike):
            path = os.fspath(value)
            return self.text(path if isinstance(path, str) else os.fsdecode(path), where)
        return self.container(value, where)

    def text(self, value: str, where: tuple[str | int, ...]) -> Json:
        plain = str.__str__(value)
        try:
            plain.encode("utf-8")
        except UnicodeEncodeError:
            hint = "write it with value.encode('utf-8', 'backslashreplace').decode()"
            return self.refuse(where, "holds a lone surrogate, which UTF-8 cannot write", hint)
        return plain

    def number(self, value: float, where: tuple[str | int, ...]) -> Json:
        if math.isfinite(value):
            return value
        return self.refuse(
            where, f"is {'NaN' if math.isnan(value) else 'infinite'}, which is not JSON", _NULL
        )

    def time(self, value: date | timedelta, where: tuple[str | int, ...]) -> Json:
        if value != value:  # pandas.NaT is an instance of datetime
            return self.refuse(where, "is no time (NaT)", _NULL)
        if isinstance(value, timedelta):
            return self.refuse(where, "is a timedelta", "log seconds: value.total_seconds()")
        if not isinstance(value, datetime):
            return value.isoformat()
        if value.utcoffset() is None:
            if not self.naive_is_utc:
                return self.refuse(where, "is a datetime without an offset from UTC", _UTC)
            value = value.replace(tzinfo=timezone.utc)
        try:
            return written(value)
        except (OverflowError, ValueError):
            return self.refuse(where, "is a datetime beyond the calendar", _UTC)

    def container(self, value: Any, where: tuple[str | int, ...]) -> Json:
        if isinstance(value, Mapping):
            return self.members(value.items(), where)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self.refuse(where, "is bytes", "decode them: value.decode()")
        if hasattr(type(value), "__dataclass_fields__"):
            from dataclasses import fields  # noqa: TID251 - the value's own module has it already

            names = [field.name for field in fields(value)]
            return self.members([(name, getattr(value, name)) for name in names], where)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self.members(zip(value._fields, value, strict=False), where)
        if isinstance(value, Sequence):
            return [self.of(item, (*where, index)) for index, item in enumerate(value)]
        if isinstance(value, Set):
            return self.ordered(value, where)
        known = not isinstance(value, type) and callable(getattr(value, "item", None))
        if known and callable(getattr(value, "tolist", None)):
            return self.array(value, where)
        return self.other(value, where)

    def members(self, items: Any, where: tuple[str | int, ...]) -> Json:
        made: dict[str, Json] = {}
        for key, value in items:
            name = key.value if isinstance(key, enum.Enum) else key
            # As json.dumps does, for one metric a class: {0: 0.58, 1: 0.64}.
            name = str(int(name)) if isinstance(name, int) and not isinstance(name, bool) else name
            if not isinstance(name, str):
                fact = f"has a member that is named by {_sort(key)}"
                made[ascii(key)[:40]] = self.refuse(where, fact, "name members by text")
                continue
            name = str.__str__(name)
            if self.text(name, where) is not name:
                made[name.encode("utf-8", "backslashreplace").decode()] = math.nan
            elif name in made:
                fact = "stands there twice, named by a number and by text"
                made[name] = self.refuse((*where, name), fact, "keep one of the two")
            else:
                made[name] = self.of(value, (*where, name))
        return made

    def ordered(self, value: Set[Any], where: tuple[str | int, ...]) -> Json:
        """Return a set as a list, in an order that is the same each time."""
        items = [self.of(item, (*where, index)) for index, item in enumerate(value)]
        try:
            return sorted(items)
        except TypeError:
            return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))

    def array(self, value: Any, where: tuple[str | int, ...]) -> Json:
        """Return an array, a tensor, or one number of them."""
        try:
            if str(getattr(value, "dtype", "")).startswith(("datetime64", "timedelta64")):
                return self.refuse(
                    where, f"is {_sort(value)} of {value.dtype}", "log text in UTC, or seconds"
                )
            shape = tuple(getattr(value, "shape", ()))
            count = math.prod(shape)
            if count > _ITEMS:
                hint = "keep large arrays in a file of their own and log its path"
                return self.refuse(where, f"is {_sort(value)} of {count:,} numbers", hint)
            plain = value.tolist() if shape else value.item()
        except Exception as error:  # whatever a library raises for a value that it cannot hand out
            return self.refuse(where, f"is {_sort(value)} that cannot be read: {error}")
        if type(plain) is list or type(plain) in (bool, int, float, str, type(None)):
            return self.of(plain, where)
        if type(plain) is type(value) and float(value) == value:  # numpy.longdouble
            return self.number(float(value), where)
        return self.unknown(plain, where)

    def other(self, value: Any, where: tuple[str | int, ...]) -> Json:
        sort = type(value)
        place = (sort.__module__, sort.__name__)
        if place in _NAMESPACES:
            return self.members(vars(value).items(), where)
        if place == ("uuid", "UUID"):
            return str(value)
        if place == ("decimal", "Decimal"):
            if value.is_finite() and sort(repr(float(value))) != value:
                return self.refuse(
                    where, "is a Decimal of more digits than a float holds", "log text, or a float"
                )
            return self.number(float(value), where)
        if not isinstance(value, type):
            if callable(getattr(value, "model_dump", None)):  # pydantic
                return self.of(value.model_dump(), where)
            if hasattr(sort, "__attrs_attrs__"):
                names = [attribute.name for attribute in sort.__attrs_attrs__]
                return self.members([(name, getattr(value, name)) for name in names], where)
        if isinstance(value, Iterator):
            return self.refuse(
                where, f"is {_sort(value)}, which can be read once", "make a list of it: list(value)"
            )
        return self.unknown(value, where)

    def unknown(self, value: Any, where: tuple[str | int, ...]) -> float:
        return self.refuse(where, f"is {_sort(value)}, which JSON cannot hold")


def _sort(value: object) -> str:
    """Return what sort of value it is, as people say it: `a torch.Tensor`."""
    sort = type(value)
    name = sort.__name__ if sort.__module__ == "builtins" else f"{sort.__module__}.{sort.__qualname__}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
