"""ISO 8601 date-times, strictly: an ASCII pattern and a calendar check.

Not `fromisoformat`: it takes `2025-W43-2`, `20251021` and a space for the T.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from nsm_gate.nouns import NamedTuple

_PATTERN = re.compile(
    r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)

_LONGEST = len("2025-11-03T10:15:00.123456789+00:00")
_OF_NO_FORM = "not a date-time of the form that logs use"


class Instant(NamedTuple):
    """A point in time.

    Attributes:
        utc: The instant, in UTC; a time without an offset is taken as UTC.
        offset: `Z`, `+02:00`, or None where none is written.
        fraction: Digits of the second as they are written, where there are any.
    """

    utc: datetime
    offset: str | None
    fraction: str | None = None

    @property
    def is_utc(self) -> bool:
        """Return whether the offset says UTC. `-00:00` does not: RFC 3339 makes it unknown."""
        return self.offset in ("Z", "+00:00")


def parse(text: str) -> Instant | str:
    """Return the instant, or what is wrong with the text."""
    # What is longer has not the form, and would only fill the memory.
    return _parsed(text) if len(text) <= _LONGEST else _OF_NO_FORM


@lru_cache(maxsize=64)  # several checks ask for the few times of one line
def _parsed(text: str) -> Instant | str:
    found = _PATTERN.fullmatch(text)
    if found is None:
        return _OF_NO_FORM
    date, time, fraction, offset = found.groups()
    if time.startswith("24:") or time.endswith(":60"):
        return "24:00 and leap seconds are times that most readers refuse"
    try:
        local = datetime.fromisoformat(f"{date}T{time}.{(fraction or '0')[:6]:0<6}")
    except ValueError:
        return "no such date or time"
    if offset is None or offset == "Z":
        return Instant(local.replace(tzinfo=timezone.utc), offset, fraction)
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 23 or minutes > 59:
        return f"no such offset from UTC as {offset}"
    shift = timedelta(hours=hours, minutes=minutes)
    try:
        utc = local - shift if offset[0] == "+" else local + shift
    except OverflowError:
        return "no such date or time"
    return Instant(utc.replace(tzinfo=timezone.utc), offset, fraction)


def written(instant: datetime, fraction: str | None = None) -> str:
    """Return the instant as a log should hold it: `2025-11-03T10:15:00Z`.

    Args:
        instant: The time, with any offset.
        fraction: Digits of the second to write instead of the instant's own, to lose none.
    """
    utc = instant.astimezone(timezone.utc).replace(tzinfo=None)
    if fraction is None:
        return f"{utc.isoformat()}Z"
    return f"{utc.replace(microsecond=0).isoformat()}.{fraction}Z"
