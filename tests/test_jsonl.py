"""Bytes become lines, entries or explained refusals; nothing that is not strict JSON gets through."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.jsonl import columns, decode, places, split, text
from nsm_gate.model import At, Entry, Line, Malformed
from nsm_gate.pointers import pointer
from nsm_gate.scanner import MAX_DEPTH, Place, Scanner
from tests.support import SHARED, Repo, a_run, check

SUITE = SHARED / "suites" / "JSONTestSuite" / "test_parsing"
GENERIC = "write one JSON object a line"
"""The hint of the fallback, which explains nothing: no refusal may need it."""
MISSING = "write null, and say in the findings why the value is missing"
REPR = "this is Python's repr, not JSON (use json.dumps)"
ONE_LINE = "write the whole object on one line (json.dumps without indent)"


def refusal(raw: bytes | str, terminated: bool = True, **limits: int) -> Malformed:
    line = Line(1, raw.encode() if isinstance(raw, str) else raw, terminated)
    decoded = decode(line, **limits)
    assert isinstance(decoded, Malformed), f"{line.raw[:80]!r} was accepted"
    assert decoded.line is line
    return decoded


def value_of(raw: bytes | str) -> dict[str, Any]:
    decoded = decode(Line(1, raw.encode() if isinstance(raw, str) else raw))
    assert isinstance(decoded, Entry), decoded
    return decoded.value


# --- lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, lines, terminated",
    [
        (b"", [], True),
        (b"\n", [b""], True),
        (b"a", [b"a"], False),
        (b"a\n", [b"a"], True),
        (b"a\n\nb", [b"a", b"", b"b"], False),
        (b"a\r\nb\r\n", [b"a\r", b"b\r"], True),
        (b"a\rb\n", [b"a\rb"], True),
        (b"a\0b\n\0", [b"a\0b", b"\0"], False),
        (b"a\x0bb\x0cc\x1cd\x1de\x1ef\n", [b"a\x0bb\x0cc\x1cd\x1de\x1ef"], True),
        ("a\u2028b\u2029c\u0085d\n".encode(), ["a\u2028b\u2029c\u0085d".encode()], True),
        ("\ufeffa\n".encode("utf-16-le"), [b"\xff\xfea\0", b"\0"], False),
    ],
)
def test_only_a_newline_ends_a_line(data: bytes, lines: list[bytes], terminated: bool) -> None:
    assert split(data) == (lines, terminated)


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"", "\u2028".encode(), b"\x85", b"\0"])).map(b"".join))
def test_the_lines_put_together_are_the_file(data: bytes) -> None:
    lines, terminated = split(data)
    assert all(b"\n" not in line for line in lines)
    assert terminated is (data == b"" or data.endswith(b"\n"))
    assert b"\n".join(lines) + b"\n" * (terminated and bool(lines)) == data


def test_separators_inside_a_line_do_not_move_later_lines(tmp_path: Path) -> None:
    def odd(run: dict[str, Any]) -> None:
        run["findings"] = "Beats the baseline\u2028by six\u2029points\u0085with balanced classes."

    first = json.dumps(a_run(change=odd), ensure_ascii=False).encode()
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", first.replace(b'"status"', b'\r"status"') + b"\n[]\n")
    result = repo.check("--all")
    assert result.rules() == [("invalid-json", 2)]
    assert result.json["logs"][0]["lines"] == 2


# --- refusals ---------------------------------------------------------------------------------

NINES = "9" * 300
LONE = "write the character itself, in UTF-8"
MERGE = "resolve the merge: keep the lines of both sides and remove the markers"
NAMES = "write member names in double quotes"
KEEP = "keep one of the two: readers disagree about which one counts"
EACH = "write one object a line, each ended by a newline"
AN_OBJECT = 'write one object a line: {"...": ...}'
DEEP = "flatten the entry, or keep the structure in a file of its own"
UTF8 = "write the log with encoding='utf-8'"
UTF16 = "the file looks like UTF-16: save it as UTF-8"
BACKSLASH = "write a backslash as \\\\"
OBJECT_END = "where a comma or the end of the object belongs"
ARRAY_END = "where a comma or the end of the array belongs"

REFUSED: list[tuple[bytes | str, tuple[int, int], str, str]] = [
    # Numbers that JSON does not have.
    ('{"a": NaN}', (7, 10), "'NaN' is not JSON", MISSING),
    ('{"a": -NaN}', (7, 11), "'-NaN' is not JSON", MISSING),
    ('{"a": nan}', (7, 10), "'nan' is not JSON", MISSING),
    ('{"é": [1, NaN]}', (11, 14), "'NaN' is not JSON", MISSING),
    ('{"a": Infinity}', (7, 15), "'Infinity' is not JSON", MISSING),
    ('{"a": -Infinity}', (7, 16), "'-Infinity' is not JSON", MISSING),
    ('{"a": +Infinity}', (7, 16), "'+Infinity' is not JSON", MISSING),
    ('{"a": inf}', (7, 10), "'inf' is not JSON", MISSING),
    # Numbers that no float holds.
    ('{"a": 1e999}', (7, 12), "1e999 is beyond what a float holds", MISSING),
    ('{"a": -1e999}', (7, 13), "-1e999 is beyond what a float holds", MISSING),
    ('{"a": 1E+999}', (7, 13), "1E+999 is beyond what a float holds", MISSING),
    ('{"a": 1e0999}', (7, 13), "1e0999 is beyond what a float holds", MISSING),
    ('{"a": 1.5e309}', (7, 14), "1.5e309 is beyond what a float holds", MISSING),
    ('{"a": {"b": [0, 1e400]}}', (17, 22), "1e400 is beyond what a float holds", MISSING),
    (f'{{"a": {NINES}e10}}', (7, 310), f"{NINES[:40]}… is beyond what a float holds", MISSING),
    (f'{{"a": {NINES}999999999.5}}', (7, 318), f"{NINES[:40]}… is beyond what a float holds", MISSING),
    (f'{{"a": 1e999, "b": 1e+999, "c": {NINES}}}', (7, 12), "1e999 is beyond what a float holds", MISSING),
    (f'{{"a": {NINES[:250]}e60}}', (7, 260), f"{NINES[:40]}… is beyond what a float holds", MISSING),
    (f'{{"a": {"9" * 5000}}}', (7, 5007), "number of 5,000 digits", "log a float"),
    # Numbers that are written otherwise elsewhere.
    ('{"a": 01}', (7, 9), "'01' is not a JSON number", ""),
    ('{"a": -01}', (7, 10), "'-01' is not a JSON number", ""),
    ('{"a": 00}', (7, 9), "'00' is not a JSON number", ""),
    ('{"a": .5}', (7, 9), "'.5' is not a JSON number", ""),
    ('{"a": 5.}', (7, 9), "'5.' is not a JSON number", ""),
    ('{"a": +1}', (7, 9), "'+1' is not a JSON number", ""),
    ('{"a": 0x10}', (7, 11), "'0x10' is not a JSON number", ""),
    ('{"a": 1_000}', (7, 12), "'1_000' is not a JSON number", ""),
    ('{"a": 1e}', (7, 9), "'1e' is not a JSON number", ""),
    ('{"a": --1}', (7, 10), "'--1' is not a JSON number", ""),
    ('{"a": -}', (7, 8), "'-' is not a JSON number", ""),
    ('{"a": １}', (7, 8), "'１' is not a JSON number", ""),
    # Encoding: columns count code points, although the bytes before are more.
    ("\ufeff{}", (1, 2), "line begins with a byte order mark",
     "save the file as UTF-8 without a byte order mark"),
    ("{}".encode("utf-16"), (1, 2), "byte 0xff is not UTF-8",
     UTF16),
    ("\ufeff{}".encode("utf-16-be"), (1, 2), "byte 0xfe is not UTF-8",
     UTF16),
    ('{"a": "\u00e9\u00e9"}'.encode("utf-16-le"), (15, 16), "byte 0xe9 is not UTF-8",
     UTF16),
    ("\ufeff日本".encode("utf-16-le"), (1, 2), "byte 0xff is not UTF-8", UTF16),
    ("\ufeff日本".encode("utf-16-be"), (1, 2), "byte 0xfe is not UTF-8", UTF16),
    # One NUL among other bytes is no sign of it.
    (b'{"a"\0\xff}', (6, 7), "byte 0xff is not UTF-8", UTF8),
    ('{"a"\0: 1}', (5, 6), "'\\x00' where a colon belongs", "write a colon between"),
    ('{"é😀日": "'.encode() + b'\xff"}', (10, 11), "byte 0xff is not UTF-8", UTF8),
    ('{"a": "é"}'.encode("latin-1"), (8, 9), "byte 0xe9 is not UTF-8", UTF8),
    (b'{"a": "\xed\xa0\x80"}', (8, 9), "byte 0xed is not UTF-8", UTF8),
    (b'{"a": "\xc0\xaf"}', (8, 9), "byte 0xc0 is not UTF-8", UTF8),
    # Surrogates.
    ('{"a": "\\ud800"}', (8, 14), "lone surrogate \\ud800", LONE),
    ('{"a": "\\uDC00"}', (8, 14), "lone surrogate \\uDC00", LONE),
    ('{"😀": "x\\udbff\\udbff"}', (9, 15), "lone surrogate \\udbff", LONE),
    ('{"a": "\\ud83d\\u0041"}', (8, 14), "lone surrogate \\ud83d", LONE),
    ('{"a": "\\ude00\\ud83d"}', (8, 14), "lone surrogate \\ude00", LONE),
    ('{"\\udfff": 1}', (3, 9), "lone surrogate \\udfff", LONE),
    # More than one object.
    ('{"a": 1}{"b": 2}', (9, 17), "a second object on the line", EACH),
    ('{"a": 1} {"b": 2}', (10, 18), "a second object on the line", EACH),
    ('{"a": 1},', (9, 10), "text after the object", EACH),
    ('{"a": 1} x', (10, 11), "text after the object", EACH),
    ('{"a": 1}}', (9, 10), "text after the object", EACH),
    # Merge conflicts.
    ("<<<<<<< HEAD", (1, 8), "merge conflict marker '<<<<<<<'", MERGE),
    ("||||||| 1a2b3c4", (1, 8), "merge conflict marker '|||||||'", MERGE),
    ("=======", (1, 8), "merge conflict marker '======='", MERGE),
    ("=======\r", (1, 8), "merge conflict marker '======='", MERGE),
    (">>>>>>> feature", (1, 8), "merge conflict marker '>>>>>>>'", MERGE),
    ("<<<<<<< HEAD\r", (1, 8), "merge conflict marker '<<<<<<<'", MERGE),
    # Not an object.
    ("[]", (1, 2), "line holds an array, not an object", AN_OBJECT),
    (' [{"a": 1}]', (2, 3), "line holds an array, not an object", AN_OBJECT),
    ('"a"', (1, 4), "line holds a bare value, not an object", AN_OBJECT),
    ("12", (1, 3), "line holds a bare value, not an object", AN_OBJECT),
    ("null", (1, 5), "line holds a bare value, not an object", AN_OBJECT),
    ("true\r", (1, 5), "line holds a bare value, not an object", AN_OBJECT),
    # Too deep.
    ('{"a":' * 65 + "1" + "}" * 65, (321, 322), "nested deeper than 64 levels", DEEP),
    ('{"a": ' + "[" * 64 + "]" * 64 + "}", (70, 71), "nested deeper than 64 levels", DEEP),
    ('{"a":' * 300 + "1" + "}" * 300, (321, 322), "nested deeper than 64 levels", DEEP),
    ('{"a": ' + "[" * 100_000, (70, 71), "nested deeper than 64 levels", DEEP),
    # Other languages' literals.
    ('{"a": None}', (7, 11), "'None' is not JSON", f"write null: {REPR}"),
    ('{"a": True}', (7, 11), "'True' is not JSON", f"write true: {REPR}"),
    ('{"a": [False]}', (8, 13), "'False' is not JSON", f"write false: {REPR}"),
    ('{"a": undefined}', (7, 16), "'undefined' is not JSON", "write null"),
    ('{"a": x}', (7, 8), "'x' is not JSON", ""),
    ('{"a": nul}', (7, 10), "'nul' is not JSON", ""),
    ('{"a": truefalse}', (7, 16), "'truefalse' is not JSON", ""),
    ("plain text", (1, 6), "'plain' is not JSON", ""),
    # Quotes and names.
    ("{'a': 1}", (2, 3), '"\'" where a member name belongs', NAMES),
    ("{\"a\": 'x'}", (7, 8), '"\'" where a value belongs', "write strings in double quotes"),
    ("{a: 1}", (2, 3), "'a' where a member name belongs", NAMES),
    ("{1: 2}", (2, 3), "'1' where a member name belongs", NAMES),
    # Comments.
    ('{"a": 1} // why', (10, 16), "text after the object", EACH),
    ('{"a": 1 // why', (9, 10), f"'/' {OBJECT_END}", ""),
    ('{/* why */ "a": 1}', (2, 3), "'/' where a member name belongs", NAMES),
    ("# why", (1, 2), "'#' is not JSON", ""),
    ("// why", (1, 3), "'//' is not JSON", ""),
    # Punctuation.
    ('{"a": 1,}', (9, 10), "comma before a closing bracket", "remove the comma"),
    ('{"a": [1, ]}', (11, 12), "comma before a closing bracket", "remove the comma"),
    ('{"a": [,1]}', (8, 9), "',' where a value belongs", ""),
    ("{,}", (2, 3), "',' where a member name belongs", NAMES),
    ('{"a" 1}', (6, 7), "'1' where a colon belongs", ""),
    ('{"a" = 1}', (6, 7), "'=' where a colon belongs", ""),
    ('{"a"}', (5, 6), "'}' where a colon belongs", ""),
    ('{"a":}', (6, 7), "'}' where a value belongs", ""),
    ('{"a": 1 "b": 2}', (9, 10), f"'\"' {OBJECT_END}", ""),
    ('{"a": [1 2]}', (10, 11), f"'2' {ARRAY_END}", ""),
    ('{"a": 1]', (8, 9), f"']' {OBJECT_END}", ""),
    ('{"a": [1}', (9, 10), f"'}}' {ARRAY_END}", ""),
    ('{"a":\u00a01}', (6, 7), "'\\xa0' where a value belongs", ""),
    ("}", (1, 2), "'}' where a value belongs", ""),
    # Strings.
    ('{"a": "x\ty"}', (9, 10), "control character U+0009 in a string", "write it as \\u0009"),
    ('{"a": "\0"}', (8, 9), "control character U+0000 in a string", "write it as \\u0000"),
    ('{"a": "\x1f"}', (8, 9), "control character U+001F in a string", "write it as \\u001f"),
    ('{"\r": 1}', (3, 4), "control character U+000D in a string", "write it as \\u000d"),
    ('{"a": "C:\\data"}', (10, 12), "escape '\\d' does not exist in JSON", BACKSLASH),
    ('{"a": "\\x41"}', (8, 10), "escape '\\x' does not exist in JSON", BACKSLASH),
    ('{"a": "\\\'"}', (8, 10), "escape '\\'' does not exist in JSON", BACKSLASH),
    ('{"a": "\\u12G4"}', (8, 10), "escape \\u without four hex digits", ""),
    ('{"a": "\\u123"}', (8, 10), "escape \\u without four hex digits", ""),
    # A whole line that ends too early: pretty-printed, not torn.
    ("{", (1, 2), "line ends inside an object", ONE_LINE),
    ('  "a": {', (3, 6), "line holds a bare value, not an object", AN_OBJECT),
    ('{"a": [1,', (9, 10), "line ends inside an array", ONE_LINE),
    ('{"a": "b}', (9, 10), "line ends inside a string", ONE_LINE),
    ('{"a": tru', (9, 10), "line ends inside a value", ONE_LINE),
]  # fmt: skip


@pytest.mark.parametrize(
    "raw, span, reason, hint", REFUSED, ids=[repr(case[0][:24]) + f"-{n}" for n, case in enumerate(REFUSED)]
)
def test_a_refusal_says_what_and_where(
    raw: bytes | str, span: tuple[int, int], reason: str, hint: str
) -> None:
    found = refusal(raw)
    assert found.reason == reason
    assert hint in found.hint
    assert found.hint, "a refusal without a remedy"
    assert (found.column, found.end_column) == span
    assert found.rule == "invalid-json"


@pytest.mark.parametrize(
    "raw, span, name",
    [
        ('{"a": 1, "a": 2}', (10, 13), "a"),
        ('{"a": 1, "a": 1}', (10, 13), "a"),
        ('{"a": 1, "\\u0061": 2}', (10, 18), "a"),
        ('{"\\ud83d\\ude00": 1, "😀": 2}', (21, 24), "😀"),
        ('{"é": 1, "b": {"a": 1, "c": 2, "a": 3}}', (32, 35), "a"),
        ('{"b": [0, {"a": {}, "a": {}}]}', (21, 24), "a"),
        ('{"": 1, "": 2}', (9, 11), ""),
        ('{"a\\n": 1, "a\\u000a": 2}', (12, 21), "a\n"),
    ],
)
def test_a_member_that_comes_twice_is_refused_where_it_comes_again(
    raw: str, span: tuple[int, int], name: str
) -> None:
    found = refusal(raw)
    assert found.rule == "duplicate-member"
    assert found.reason == f"member {name!r} appears twice"
    assert found.hint == KEEP
    assert (found.column, found.end_column) == span


def test_names_that_only_look_alike_are_two_members() -> None:
    composed, decomposed = "\u00e9", "e\u0301"
    line = json.dumps({composed: 1, decomposed: 2, "É": 3}, ensure_ascii=False)
    assert list(value_of(line)) == [composed, decomposed, "É"]


@pytest.mark.parametrize(
    "raw, end", [(b"", 2), (b" ", 2), (b"\r", 2), (b" \t\r", 4), (b"\x0b\x0c", 3), (b" " * 50, 51)]
)
def test_a_line_of_white_space_is_blank(raw: bytes, end: int) -> None:
    found = refusal(raw, max_bytes=10)
    assert (found.rule, found.reason, found.hint) == ("blank-line", "line is blank", "remove it")
    assert (found.column, found.end_column) == (1, end)


def test_the_limit_of_a_line_counts_bytes() -> None:
    raw = '{"é": 1}'.encode()
    assert isinstance(decode(Line(1, raw), max_bytes=9), Entry)
    found = refusal(raw, max_bytes=8)
    assert found.reason == "line is 9 bytes long, over the limit of 8"
    assert found.hint == "keep large arrays in a file of their own and log its path, or raise limits.line"
    assert (found.rule, found.column, found.end_column) == ("invalid-json", 1, 2)


def test_a_line_of_a_mebibyte_passes_and_one_byte_more_does_not() -> None:
    frame = len('{"a": ""}')
    assert len(value_of('{"a": "' + "x" * ((1 << 20) - frame) + '"}')["a"]) == (1 << 20) - frame
    found = refusal('{"a": "' + "x" * ((1 << 20) - frame + 1) + '"}')
    assert found.reason == "line is 1,048,577 bytes long, over the limit of 1,048,576"


@pytest.mark.parametrize(
    "raw, value",
    [
        ('{"a": 1}\r', {"a": 1}),
        ('\t {"a":\r1 }\t', {"a": 1}),
        ('{"a": "\x7f\u2028\u0085\ufeff"}', {"a": "\x7f\u2028\u0085\ufeff"}),
        ('{"a": "\\u0000\\/\\b\\ud83d\\uDE00"}', {"a": "\0/\b😀"}),
        ('{"": {"": [[], {}]}}', {"": {"": [[], {}]}}),
        ('{"a": "NaN", "Infinity": "<<<<<<< HEAD"}', {"a": "NaN", "Infinity": "<<<<<<< HEAD"}),
        ('{"a": 1e-999, "b": 0e999, "c": -0}', {"a": 0.0, "b": 0.0, "c": 0}),
        ('{"a": 1.7976931348623157e308}', {"a": 1.7976931348623157e308}),
        (f'{{"a": 0.{"0" * 300}1e400}}', {"a": 1e99}),
        (f'{{"a": {2**64}, "b": -{"9" * 310}}}', {"a": 2**64, "b": -int("9" * 310)}),
        ('{"a":' * 64 + "1" + "}" * 64, None),
        ('{"a": ' + "[" * 63 + "]" * 63 + "}", None),
        ('{"a": [[]' + ", []" * 99 + "]}", {"a": [[]] * 100}),
    ],
)
def test_unusual_but_legal_lines_pass_exactly(raw: str, value: dict[str, Any] | None) -> None:
    found = value_of(raw)
    wanted = json.loads(raw) if value is None else value
    assert found == wanted
    assert [type(inner) for inner in found.values()] == [type(inner) for inner in wanted.values()]


def test_every_line_of_a_utf16_file_is_named_for_what_it_is() -> None:
    # Only the first line has the mark; in later ones every second byte is NUL, which is legal UTF-8.
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        lines, _ = split('{"a": 1}\n{"a": 2}\n{"a": 3}'.encode(encoding))
        hints = [refusal(line).hint for line in lines]
        assert hints == [UTF16] * 3, encoding


def test_a_whole_number_of_many_digits_is_not_called_infinite() -> None:
    # It is accepted, exactly; so another fault of its line is the one to report.
    digits = "9" * 310
    assert value_of(f'{{"a": {digits}}}') == {"a": int(digits)}
    assert refusal(f'{{"a": {digits}, "a": 1}}').reason == "member 'a' appears twice"


def test_the_sign_of_a_number_is_no_digit() -> None:
    assert value_of(f'{{"a": -{"9" * 4300}}}') == {"a": -int("9" * 4300)}
    assert refusal(f'{{"a": -{"9" * 5000}}}').reason == "number of 5,000 digits"
    assert refusal(f'{{"a": -{"9" * 4300}, "a": 1}}').reason == "member 'a' appears twice"


@pytest.mark.parametrize(
    "raw, reason",
    [
        ("[]", "not an object"),
        ('{"a":' * 65 + "1" + "}" * 65, "too deep"),
        ('{"a": 1e999}', "a number is infinite"),
        ('{"a": x}', "expected value at line 1 column 7"),
    ],
)
def test_a_line_that_is_refused_stays_so_where_no_fault_is_found_in_it(
    raw: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No such line is known: what decides and what explains would have to disagree.
    monkeypatch.setattr(Scanner, "run", lambda self: iter(()))
    found = refusal(raw)
    assert (found.rule, found.reason, found.hint) == ("invalid-json", reason, GENERIC)
    assert (found.column, found.end_column) == (1, 2)


# --- torn lines -------------------------------------------------------------------------------

WHOLE = '{"é\\u00e9😀": [-12.5e+3, true, null, "\\ud83d\\ude00\\n日"], "b": {"c": false, "d": []}}'


def torn(raw: bytes, place: str) -> None:
    found = refusal(raw, terminated=False)
    assert found.reason == f"line is torn: it ends inside {place}"
    assert found.hint == "a writer was interrupted: remove the line, or log the run again"
    assert found.rule == "invalid-json"
    length = len(text(raw))
    assert (found.column, found.end_column) == (length, length + 1)


@pytest.mark.parametrize(
    "raw, place",
    [
        ("{", "an object"),
        ('{"', "a string"),
        ('{"a', "a string"),
        ('{"a"', "an object"),
        ('{"a": ', "an object"),
        ('{"a": "', "a string"),
        ('{"a": "é日', "a string"),
        ('{"a": "x\\', "a string"),
        ('{"a": "x\\u', "a string"),
        ('{"a": "x\\u00', "a string"),
        ('{"a": "x"', "an object"),
        ('{"a": "x",', "an object"),
        ('{"a": 1', "an object"),
        ('{"a": t', "a value"),
        ('{"a": fals', "a value"),
        ('{"a": nul', "a value"),
        ('{"a": -', "a value"),
        ('{"a": [', "an array"),
        ('{"a": [1', "an array"),
        ('{"a": [1,', "an array"),
        ('{"a": [{', "an object"),
        ('{"a": [{}', "an array"),
        ('{"a": {"b": []}', "an object"),
    ],
)
def test_a_last_line_without_its_end_is_torn(raw: str, place: str) -> None:
    torn(raw.encode(), place)
    assert refusal(raw).reason == f"line ends inside {place}"


@pytest.mark.parametrize("end", ["12.", "12e", "-0.", "1.5e", "1.5E-", "1.5e+"])
def test_a_last_line_cut_within_a_number_is_torn(end: str) -> None:
    torn(f'{{"a": {end}'.encode(), "a value")


@pytest.mark.parametrize("end", ["é", "日", "😀"])
def test_a_last_line_cut_within_a_character_is_torn(end: str) -> None:
    for size in range(1, len(end.encode())):
        raw = b'{"a": "' + end.encode()[:size]
        torn(raw, "a character")
        whole = refusal(raw)
        assert (whole.reason, whole.hint) == (f"byte 0x{raw[7]:02x} is not UTF-8", UTF8)


@pytest.mark.parametrize("end", ["\\ud83d", "\\ud83d\\", "\\ud83d\\u", "\\ud83d\\ude0"])
def test_a_last_line_cut_within_a_surrogate_pair_is_torn(end: str) -> None:
    found = refusal(f'{{"a": "{end}', terminated=False)
    assert found.reason.startswith("line is torn"), found.reason


def test_every_beginning_of_an_entry_is_torn() -> None:
    raw = WHOLE.encode()
    assert value_of(raw)
    reasons = {cut: refusal(raw[:cut], terminated=False).reason for cut in range(1, len(raw))}
    assert {cut: why for cut, why in reasons.items() if not why.startswith("line is torn")} == {}


def test_a_fault_before_the_tear_is_reported_first() -> None:
    assert refusal('{"a": NaN, "b": ', terminated=False).reason == "'NaN' is not JSON"
    assert refusal(b'{"a": "\xff', terminated=False).reason == "byte 0xff is not UTF-8"


# --- the same through the command -------------------------------------------------------------


def test_the_command_reports_columns_in_code_points(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    good = json.dumps(a_run()).encode()
    bad = '{"😀é": "日", "run_data": NaN}'.encode()
    repo.write("training_log.jsonl", good + b"\r\n" + bad + b"\n\n" + b'{"a": 1')
    findings = [(f["rule"], f["line"], f["column"], f["end_column"]) for f in repo.check("--all").findings]
    assert findings == [
        ("line-ending", 1, len(good) + 1, len(good) + 2),
        ("invalid-json", 2, 25, 28),
        ("blank-line", 3, 1, 2),
        ("invalid-json", 4, 7, 8),
    ]


# --- places -----------------------------------------------------------------------------------


def pointers(value: Any, where: str = "") -> Iterator[tuple[str, Any, str | None]]:
    """Yield (pointer, value, name of the member that holds it), by RFC 6901."""
    pending: list[tuple[str, Any, str | None]] = [(where, value, None)]
    while pending:
        place, inner, name = pending.pop()
        yield place, inner, name
        if isinstance(inner, dict):
            for key, member in inner.items():
                pending.append((place + "/" + key.replace("~", "~0").replace("/", "~1"), member, key))
        elif isinstance(inner, list):
            pending += [(f"{place}/{n}", item, None) for n, item in enumerate(inner)]


SPACES = st.text(" \t\r", max_size=2)
NAMES_OF = st.text(st.sampled_from('aé😀"\\/~0\n\0 '), max_size=3) | st.sampled_from(["a/b", "~1", "", "0"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.sampled_from('aé😀日\u2028"\\/\t\0{}[],:'), max_size=6)
    | st.text(max_size=4)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES_OF, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES_OF, VALUES, max_size=5)


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """Return an object and one of the ways to write it on a line."""
    value = draw(OBJECTS)

    def spaced(token: str) -> str:
        return draw(SPACES) + token + draw(SPACES)

    def show(inner: Any) -> str:
        if isinstance(inner, dict):
            members = [spaced(show(name)) + ":" + spaced(show(m)) for name, m in inner.items()]
            return "{" + (",".join(members) or draw(SPACES)) + "}"
        if isinstance(inner, list):
            return "[" + (",".join(spaced(show(item)) for item in inner) or draw(SPACES)) + "]"
        return json.dumps(inner, ensure_ascii=draw(st.booleans()))

    return value, spaced(show(value))


@settings(max_examples=150, deadline=None)
@given(written())
def test_every_value_is_found_at_its_columns(made: tuple[dict[str, Any], str]) -> None:
    value, line = made
    raw = line.encode()
    assert value_of(raw) == value
    found = places(raw)
    wanted = list(pointers(value))
    assert set(found) == {where for where, _, _ in wanted}
    for where, inner, name in wanted:
        start, end = found[where].value
        assert json.loads(line[start - 1 : end - 1]) == inner
        assert line[start - 1 : end - 1].strip() == line[start - 1 : end - 1]
        if name is None:
            assert found[where].name is None
        else:
            first, last = found[where].name or (0, 0)
            assert json.loads(line[first - 1 : last - 1]) == name
            assert last <= start


def test_a_whole_number_of_many_digits_has_a_place_and_so_has_what_follows() -> None:
    line = f'{{"a": {"9" * 310}, "b": 1}}'
    assert value_of(line)["b"] == 1
    assert set(places(line.encode())) == {"", "/a", "/b"}


def test_members_of_one_name_in_sister_objects_have_their_own_places() -> None:
    found = places(b'{"a": {"x": 1}, "b": [{"x": 2}, {"x": 3}]}')
    assert [found[where].value for where in ("/a/x", "/b/0/x", "/b/1/x")] == [(13, 14), (29, 30), (39, 40)]


@pytest.mark.parametrize(
    "where, at, span",
    [
        ("/a", At.VALUE, (7, 15)),
        ("/a", At.NAME, (2, 5)),
        ("/a/b", At.VALUE, (13, 14)),
        ("/a/b", At.NAME, (8, 11)),
        ("/a/none", At.VALUE, (2, 5)),
        ("/a/none/deeper", At.NAME, (2, 5)),
        ("/none", At.VALUE, (1, 2)),
        ("", At.VALUE, (1, 26)),
        ("", At.NAME, (1, 2)),
        ("/l/0", At.VALUE, (23, 24)),
        ("/l/0", At.NAME, (23, 24)),
        ("/l/7", At.VALUE, (17, 20)),
    ],
)
def test_what_is_absent_is_pointed_at_by_its_nearest_ancestor(
    where: str, at: At, span: tuple[int, int]
) -> None:
    found = places(b'{"a": {"b": 1}, "l": [2]}')
    assert found[""] == Place((1, 26), None)
    assert columns(found, where, at) == span


def test_a_line_that_breaks_off_has_the_places_before_the_break() -> None:
    found = places(b'{"a": 1, "b": ')
    assert found == {"/a": Place((7, 8), (2, 5))}
    assert [columns(found, where, At.VALUE) for where in ("/a", "/b", "")] == [(7, 8), (1, 2), (1, 2)]


# --- against a reference ----------------------------------------------------------------------


def unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in members}) != len(members):
        raise ValueError("duplicate member")
    return dict(members)


def refuse(word: str) -> Any:
    raise ValueError(word)


def finite(token: str) -> float:
    number = float(token)
    if math.isinf(number):
        raise ValueError(token)
    return number


def reference(raw: bytes) -> dict[str, Any] | None:
    """Decode by the standard library, held to the same law; None where the law refuses."""
    try:
        line = raw.decode("utf-8")
        if line.startswith("\ufeff"):
            return None
        value = json.loads(line, object_pairs_hook=unique, parse_constant=refuse, parse_float=finite)
        for where, inner, name in pointers(value):
            if where.count("/") >= MAX_DEPTH and isinstance(inner, (dict, list)):
                return None
            for word in (inner, name):
                if isinstance(word, str):
                    word.encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


FRAGMENTS = [
    b"{", b"}", b"[", b"]", b":", b",", b'"', b'"a"', b'"a":', b'{"a":1}', b'"\\u0061":2', b"1", b"-", b"0", b".5",
    b"1.5", b"e9", b"e999", b"E+400", b"null", b"true", b"nul", b"NaN", b"Infinity", b"\\", b'"\\n"', b"\\u", b"\\ud83d",
    b"\\ude00", b"\xff", b"\xc3", b"\xc3\xa9", b"\xef\xbb\xbf", b" ", b"\t", b"\r", b"\0", b"\x1f", b"/", b"#", b"'", b"<<<<<<< ",
    b'{"a":' * 64, b"}" * 64, b"[" * 64, b"]" * 64, b"9" * 308, b"9" * 400,
]  # fmt: skip
SOUP = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return an entry's line after up to two small edits."""
    raw = draw(written())[1].encode()
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 2))
        raw = raw[:at] + draw(st.sampled_from([b"", *FRAGMENTS])) + raw[at + cut :]
    return raw


def agrees(raw: bytes, terminated: bool) -> None:
    decoded = decode(Line(1, raw, terminated))
    wanted = reference(raw)
    if isinstance(decoded, Entry):
        assert repr(decoded.value) == repr(wanted)
        return
    assert wanted is None, f"refused: {decoded.reason}"
    assert decoded.hint != GENERIC, f"not explained: {decoded.reason}"
    assert 1 <= decoded.column < decoded.end_column <= max(len(text(raw)), 1) + 1


@settings(max_examples=400, deadline=None)
@given(damaged().filter(lambda raw: b"\n" not in raw), st.booleans())
def test_damaged_lines_are_judged_as_the_reference_judges_them(raw: bytes, terminated: bool) -> None:
    agrees(raw, terminated)


@settings(max_examples=400, deadline=None)
@given(SOUP | SOUP.map(lambda raw: b'{"v":' + raw + b"}"), st.booleans())
def test_tokens_in_any_order_are_judged_as_the_reference_judges_them(raw: bytes, terminated: bool) -> None:
    agrees(raw, terminated)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"")), st.booleans())
def test_any_bytes_are_judged_as_the_reference_judges_them(raw: bytes, terminated: bool) -> None:
    agrees(raw, terminated)


# --- the public suite -------------------------------------------------------------------------

PINNED = {
    # Tiny is zero, as everywhere; huge is refused, as infinity is no result.
    "number_double_huge_neg_exp": "",
    "number_real_underflow": "",
    "number_huge_exp": "is beyond what a float holds",
    "number_neg_int_huge_exp": "is beyond what a float holds",
    "number_pos_double_huge_exp": "is beyond what a float holds",
    "number_real_neg_overflow": "is beyond what a float holds",
    "number_real_pos_overflow": "is beyond what a float holds",
    # Whole numbers beyond 64 bits are kept exactly.
    "number_too_big_neg_int": "",
    "number_too_big_pos_int": "",
    "number_very_big_negative_int": "",
    # A surrogate without its other half is no character.
    "object_key_lone_2nd_surrogate": "lone surrogate \\uDFAA",
    "string_1st_surrogate_but_2nd_missing": "lone surrogate \\uDADA",
    "string_1st_valid_surrogate_2nd_invalid": "lone surrogate \\uD888",
    "string_incomplete_surrogate_and_escape_valid": "lone surrogate \\uD800",
    "string_incomplete_surrogate_pair": "lone surrogate \\uDd1e",
    "string_incomplete_surrogates_escape_valid": "lone surrogate \\uD800",
    "string_invalid_lonely_surrogate": "lone surrogate \\ud800",
    "string_invalid_surrogate": "lone surrogate \\ud800",
    "string_inverted_surrogates_U+1D11E": "lone surrogate \\uDd1e",
    "string_lone_second_surrogate": "lone surrogate \\uDFAA",
    # Bytes that are not UTF-8: the first bad one is named.
    "string_UTF-16LE_with_BOM": "byte 0xff is not UTF-8",
    "string_UTF-8_invalid_sequence": "byte 0xfa is not UTF-8",
    "string_UTF8_surrogate_U+D800": "byte 0xed is not UTF-8",
    "string_invalid_utf-8": "byte 0xff is not UTF-8",
    "string_iso_latin_1": "byte 0xe9 is not UTF-8",
    "string_lone_utf8_continuation_byte": "byte 0x81 is not UTF-8",
    "string_not_in_unicode_range": "byte 0xf4 is not UTF-8",
    "string_overlong_sequence_2_bytes": "byte 0xc0 is not UTF-8",
    "string_overlong_sequence_6_bytes": "byte 0xfc is not UTF-8",
    "string_overlong_sequence_6_bytes_null": "byte 0xfc is not UTF-8",
    "string_truncated-utf-8": "byte 0xe0 is not UTF-8",
    "string_utf16BE_no_BOM": "byte 0xe9 is not UTF-8",
    "string_utf16LE_no_BOM": "byte 0xe9 is not UTF-8",
    # A mark inside a line is no white space; at its start it has a message of its own (above).
    "structure_UTF-8_BOM_empty_object": "'\\ufeff' is not JSON",
    "structure_500_nested_arrays": "nested deeper than 64 levels",
}
"""What the standard leaves open -> our answer: nothing where it is accepted, else words of the reason."""

needs_suite = pytest.mark.skipif(not SUITE.is_dir(), reason="JSONTestSuite is not at hand")


def suite(prefix: str) -> dict[str, bytes]:
    # A newline would end the line; to JSON a carriage return is the same white space.
    files = sorted(SUITE.glob(f"{prefix}_*.json"))
    return {file.stem[2:]: file.read_bytes().replace(b"\n", b"\r") for file in files}


@needs_suite
def test_what_the_suite_refuses_is_refused_and_explained() -> None:
    cases = suite("n")
    assert len(cases) == 188
    for name, raw in cases.items():
        for form in (raw, b'{"v":' + raw + b"}"):
            for terminated in (True, False):
                decoded = decode(Line(1, form, terminated))
                assert isinstance(decoded, Malformed), name
                assert decoded.hint != GENERIC, f"{name}: {decoded.reason}"


@needs_suite
def test_what_the_suite_accepts_is_accepted_inside_an_object() -> None:
    cases = suite("y")
    assert len(cases) == 95
    refused = {}
    for name, raw in cases.items():
        decoded = decode(Line(1, b'{"v":' + raw + b"}"))
        if isinstance(decoded, Entry):
            assert decoded.value == {"v": json.loads(raw)}, name
        else:
            refused[name] = decoded.rule
    twice = ("object_duplicated_key", "object_duplicated_key_and_value")
    assert refused == dict.fromkeys(twice, "duplicate-member")


@needs_suite
def test_only_objects_of_the_suite_are_entries() -> None:
    for name, raw in suite("y").items():
        decoded = decode(Line(1, raw))
        if isinstance(json.loads(raw), dict):
            assert isinstance(decoded, Entry) or decoded.rule == "duplicate-member", name
        else:
            assert isinstance(decoded, Malformed), name
            assert decoded.reason.startswith("line holds "), name


@needs_suite
def test_what_the_suite_leaves_open_is_pinned() -> None:
    cases = suite("i")
    assert set(cases) == set(PINNED)
    for name, raw in cases.items():
        decoded = decode(Line(1, b'{"v":' + raw + b"}"))
        if PINNED[name]:
            assert isinstance(decoded, Malformed), name
            assert PINNED[name] in decoded.reason, name
        else:
            assert isinstance(decoded, Entry), name
            assert decoded.value == {"v": json.loads(raw)}, name


@needs_suite
def test_the_command_reports_every_line_that_the_suite_refuses(tmp_path: Path) -> None:
    cases = suite("n")
    log = b"".join(raw + b"\n" for raw in cases.values())
    result = check("-", "--stdin-log", "training_log", cwd=tmp_path, stdin=log)
    assert result.code == 1
    errors = {found["line"] for found in result.findings if found["severity"] == "error"}
    lenient = {name: raw for number, (name, raw) in enumerate(cases.items(), 1) if number not in errors}
    # A line without anything is no JSON text either; it is called blank, and holds nothing to be wrong about.
    assert lenient == {"single_space": b" ", "structure_no_data": b""}
    assert {found["rule"] for found in result.findings} <= {"invalid-json", "duplicate-member", "blank-line"}


def test_pointers_escape_as_the_standard_says() -> None:
    assert pointer("a/b", "m~n", "~1", 0, "") == "/a~1b/m~0n/~01/0/"
