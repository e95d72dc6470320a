"""A time stamp is strict ISO 8601 that exists on a calendar, and nothing that only looks like one."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.timestamps import Instant, parse, written

UTC = timezone.utc
NOT_ISO = "not a date-time of the form that logs use"
NO_SUCH = "no such date or time"
LEAP = "24:00 and leap seconds are times that most readers refuse"


@pytest.mark.parametrize(
    "text, instant, offset",
    [
        ("2025-10-21T09:08:07Z", datetime(2025, 10, 21, 9, 8, 7), "Z"),
        ("2025-10-21T09:08:07+00:00", datetime(2025, 10, 21, 9, 8, 7), "+00:00"),
        ("2025-10-21T09:08:07-00:00", datetime(2025, 10, 21, 9, 8, 7), "-00:00"),
        ("2025-10-21T09:08:07", datetime(2025, 10, 21, 9, 8, 7), None),
        ("2025-10-21T00:00:00.000000", datetime(2025, 10, 21), None),
        ("2025-10-21T09:08:07.5Z", datetime(2025, 10, 21, 9, 8, 7, 500000), "Z"),
        ("2025-10-21T09:08:07.000001Z", datetime(2025, 10, 21, 9, 8, 7, 1), "Z"),
        ("2025-10-21T09:08:07.123456789Z", datetime(2025, 10, 21, 9, 8, 7, 123456), "Z"),
        ("2025-11-03T12:15:00+02:00", datetime(2025, 11, 3, 10, 15), "+02:00"),
        ("2025-11-03T23:15:00-05:30", datetime(2025, 11, 4, 4, 45), "-05:30"),
        ("2025-01-01T00:00:00+23:59", datetime(2024, 12, 31, 0, 1), "+23:59"),
        ("2024-02-29T23:59:59Z", datetime(2024, 2, 29, 23, 59, 59), "Z"),
        ("2000-02-29T00:00:00Z", datetime(2000, 2, 29), "Z"),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1), "Z"),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999), "Z"),
    ],
)
def test_a_time_is_an_instant_in_utc(text: str, instant: datetime, offset: str | None) -> None:
    found = parse(text)
    assert isinstance(found, Instant)
    assert (found.utc, found.offset) == (instant.replace(tzinfo=UTC), offset)


@pytest.mark.parametrize(
    "offset, is_utc", [("Z", True), ("+00:00", True), ("-00:00", False), ("+01:00", False), ("", False)]
)
def test_only_z_and_plus_zero_say_utc(offset: str, is_utc: bool) -> None:
    # RFC 3339, 4.3: -00:00 says that the local offset is not known.
    found = parse(f"2025-10-21T09:08:07{offset}")
    assert isinstance(found, Instant)
    assert found.is_utc is is_utc


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "2025", "2025-10-21", "20251021", "20251021T090807Z", "2025-W43-2", "2025-294", "2025-10-21T",
        "2025-10-21 09:08:07", "2025-10-21T09:08:07 Z", " 2025-10-21T09:08:07Z", "2025-10-21T09:08:07Z ",
        "2025-10-21T09:08:07Z\n", "2025-10-21t09:08:07Z", "2025-10-21T09:08:07z", "2025-10-21T09:08Z", "2025-10-21T09Z",
        "2025-10-21T9:08:07Z", "25-10-21T09:08:07Z", "12025-10-21T09:08:07Z", "-2025-10-21T09:08:07Z",
        "2025-10-21T09:08:07.Z", "2025-10-21T09:08:07,5Z", "2025-10-21T09:08:07.1234567890Z", "2025-10-21T09:08:07+0200",
        "2025-10-21T09:08:07+02", "2025-10-21T09:08:07+02:00:00", "2025-10-21T09:08:07 UTC", "2025-10-21T09:08:07ZZ",
        "2025-10-21T09:08:07+2:00", "2025-10-21T09:08:07−02:00", "２０２５-10-21T09:08:07Z", "٢٠٢٥-10-21T09:08:07Z",
        "2025/10/21T09:08:07Z", "21.10.2025 09:08:07", "Tue Oct 21 09:08:07 2025", "1761037687", "2025-10-21T09:08:07\0Z",
    ],
)  # fmt: skip
def test_another_notation_is_refused(text: str) -> None:
    assert parse(text) == NOT_ISO


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-30T10:00:00Z", "2025-02-29T10:00:00Z", "1900-02-29T10:00:00Z", "2025-04-31T10:00:00Z",
        "2025-13-01T10:00:00Z", "2025-00-01T10:00:00Z", "2025-01-00T10:00:00Z", "2025-01-32T10:00:00Z",
        "0000-01-01T10:00:00Z", "2025-01-01T25:00:00Z", "2025-01-01T10:60:00Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    ],
)  # fmt: skip
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    assert parse(text) == NO_SUCH


@pytest.mark.parametrize("time", ["2025-01-01T24:00:00Z", "2016-12-31T23:59:60Z", "2025-01-01T10:00:60"])
def test_midnight_as_24_and_leap_seconds_are_refused_for_what_they_are(time: str) -> None:
    # Both are ISO 8601, but datetime and most other readers refuse them.
    assert parse(time) == LEAP


@pytest.mark.parametrize("offset", ["+24:00", "-24:00", "+99:00", "+02:60", "-00:99"])
def test_an_offset_that_does_not_exist_is_refused(offset: str) -> None:
    assert parse(f"2025-10-21T09:08:07{offset}") == f"no such offset from UTC as {offset}"


TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31))
OFFSETS = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    lambda shift: timedelta(minutes=shift // timedelta(minutes=1))
)


@settings(deadline=None)
@given(TIMES, OFFSETS)
def test_what_python_writes_is_read_as_the_same_instant(moment: datetime, shift: timedelta) -> None:
    local = moment.replace(tzinfo=timezone(shift))
    found = parse(local.isoformat())
    assert isinstance(found, Instant)
    assert found.utc == local
    assert found.is_utc is (shift == timedelta(0))


@settings(deadline=None)
@given(TIMES, OFFSETS)
def test_an_instant_is_written_in_utc_and_read_back(moment: datetime, shift: timedelta) -> None:
    local = moment.replace(tzinfo=timezone(shift))
    text = written(local)
    assert text.endswith("Z")
    found = parse(text)
    assert isinstance(found, Instant)
    assert (found.utc, found.offset) == (local.astimezone(UTC), "Z")


def test_an_instant_is_written_as_the_guide_writes_it() -> None:
    assert (
        written(datetime(2025, 11, 3, 12, 15, tzinfo=timezone(timedelta(hours=2)))) == "2025-11-03T10:15:00Z"
    )
    assert written(datetime(2025, 11, 3, 1, 2, 3, 40, tzinfo=UTC)) == "2025-11-03T01:02:03.000040Z"


SHAPE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?"


@pytest.mark.parametrize("digits", ["5", "500", "000000", "123456789"])
def test_the_digits_of_a_second_are_kept_as_they_are_written(digits: str) -> None:
    found = parse(f"2025-11-03T12:15:00.{digits}+02:00")
    assert isinstance(found, Instant)
    assert found.fraction == digits
    assert written(found.utc, found.fraction) == f"2025-11-03T10:15:00.{digits}Z"


def naive(text: str) -> tuple[datetime, str | None] | str:
    """Read a time digit by digit; an oracle that shares no code with the product."""
    if not re.fullmatch(SHAPE, text):
        return NOT_ISO
    numbers = [int(text[a:b]) for a, b in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
    rest = text[19:]
    if text[11:13] == "24" or text[17:19] == "60":
        return LEAP
    micro = 0
    if rest.startswith("."):
        digits = rest[1:].rstrip("Z").partition("+")[0].partition("-")[0]
        micro, rest = int(f"{digits:0<9}"[:6]), rest[1 + len(digits) :]
    try:
        moment = datetime(*numbers, micro, tzinfo=UTC)  # type: ignore[misc]
    except ValueError:
        return NO_SUCH
    if len(rest) < 2:
        return moment, rest or None
    hours, minutes = int(rest[1:3]), int(rest[4:6])
    if hours >= 24 or minutes >= 60:
        return f"no such offset from UTC as {rest}"
    try:
        return moment - (1 if rest[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes), rest
    except OverflowError:
        return NO_SUCH


ALMOST = st.from_regex(
    r"(0001|[0-9]{4}|9999)-(0[1-9]|1[0-2]|[0-9]{2})-([0-2][0-9]|31|[0-9]{2})T([01][0-9]|[0-9]{2}):[0-5][0-9]:([0-5][0-9]|6[01])"
    r"(\.[0-9]{1,10})?(Z|[+-][0-9]{2}:[0-9]{2}|)",
    fullmatch=True,
)  # fmt: skip


@settings(deadline=None)
@given(ALMOST | st.text("0123456789-:.TZ+ ", max_size=26))
def test_it_agrees_with_a_naive_reader(text: str) -> None:
    found = parse(text)
    assert (found if isinstance(found, str) else (found.utc, found.offset)) == naive(text)
