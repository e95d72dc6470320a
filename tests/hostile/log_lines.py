"""Log lines: bytes that are no strict JSON, values of the wrong type everywhere, and seeded damage to a good line."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import jsonschema

from tests.hostile.case import ANY, CLEAN, FOUND, NEVER_CLEAN, Case, through
from tests.hostile.stage import LOG, log_of
from tests.hostile.strict import entry_of
from tests.support import ROOT, a_run, edited, lines

NEW = a_run("planning_new_20251102", 5)
GOOD = lines(NEW)[:-1]
SCHEMA = json.loads((ROOT / "schemas" / "training_log.schema.json").read_bytes())


def line(name: str, raw: bytes, codes: tuple[int, ...] = FOUND, rule: str = "", **members: Any) -> Case:
    """Return a case: one line behind two good ones."""
    members = {"file": "" if 0 in codes else LOG, **members}
    return Case(name=name, files={LOG: log_of(raw)}, codes=codes, rule=rule, **members)


def swapped(before: str, after: bytes | str) -> bytes:
    """Return the good line with a part of its text replaced, and its newline."""
    old = before.encode()
    assert GOOD.count(old) == 1, before
    return GOOD.replace(old, after if isinstance(after, bytes) else after.encode()) + b"\n"


def _numbers() -> Iterator[Case]:
    """What stands for the accuracy: no number of JSON, or one that no float holds."""
    for text in (
        "NaN", "-NaN", "nan", "Infinity", "-Infinity", "+Infinity", "inf", "1e999", "-1e999", "1E+400", "9" * 400 + ".0",
        "1e0999", "01", "-01", ".5", "5.", "+0.6", "0x1", "0b1", "1_0", "1e", "1e+", "--1", "-", "１", "٠.٦",
        "0.6f", "1.2.3", "1,5", "None", "True", "undefined", "null null", "0.61 0.61", "Decimal('0.61')", "0.6\u00a0", "1e1e1",
        "#0.61", "0.61 // comment", "0.61 /* comment */", "'0.61'", "`0.61`", "(0.61)", "{}{}", "[0.61", "0.61]", "\\u0030",
    ):  # fmt: skip
        yield line(
            f"number {text[:24]}", swapped('"accuracy": 0.61,', f'"accuracy": {text},'), rule="invalid-json"
        )
    for text in (
        "1e308",
        "1.7976931348623157e308",
        "-1e308",
        "9" * 308,
        "-" + "9" * 308,
        "9" * 4300,
        "1e-999",
        "-0.0",
        "5e-324",
        "0e999",
    ):
        yield line(
            f"extreme number {text[:24]} of {len(text)}",
            swapped('"accuracy": 0.61,', f'"accuracy": {text},'),
            ANY,
        )
    yield line(
        "number of 5000 digits",
        swapped('"accuracy": 0.61,', f'"accuracy": {"9" * 5000},'),
        rule="invalid-json",
    )
    yield line(
        "number of 900000 digits",
        swapped('"accuracy": 0.61,', f'"accuracy": {"9" * 900_000},'),
        rule="invalid-json",
    )
    yield line(
        "fraction of 900000 digits", swapped('"accuracy": 0.61,', f'"accuracy": 0.{"6" * 900_000},'), ANY
    )


def _texts() -> Iterator[Case]:
    """What stands in the run id, as bytes between the quotes."""
    for name, raw in {
        "lone high surrogate": rb"\ud800", "lone low surrogate": rb"\udc00", "surrogates turned round": rb"\udc00\ud800",
        "surrogate before a letter": rb"\ud83dA", "raw surrogate": b"\xed\xa0\x80", "overlong slash": b"\xc0\xaf",
        "beyond unicode": b"\xf4\x90\x80\x80", "five byte sequence": b"\xf8\x88\x80\x80\x80", "cut sequence": b"\xe2\x82",
        "latin-1": b"caf\xe9", "lone continuation": b"\x80", "byte ff": b"\xff", "utf-16 letter": b"a\0",
        "raw NUL": b"\0", "raw tab": b"\t", "raw escape": b"\x1b[31m", "raw backspace": b"\b", "raw carriage return": b"\r",
        "raw unit separator": b"\x1f", "bad escape x": rb"\x41", "bad escape quote": rb"\'", "bad escape U": rb"\U0001F600",
        "bad escape zero": rb"\0", "short unicode escape": rb"\u12", "unicode escape with a sign": rb"\u+123",
        "unicode escape with a space": rb"\u 123", "escaped newline": b"\\\r", "backslash at the end": b"\\", "quote inside": b'"',
    }.items():  # fmt: skip
        yield line(f"text with {name}", swapped("planning_new_20251102", raw), rule="invalid-json")
    for name, text in {
        "escaped NUL": "\\u0000", "workflow command": "::error::forged", "old workflow command": "x ##[error]forged",
        "azure command": "##vso[task.setvariable variable=x]y", "escape sequence": "\\u001b]0;title\\u0007", "c1 control": "\\u009b31m",
        "right to left override": "\\u202egnp.exe", "zero width": "a\\u200bb", "line separator": "a\\u2028b", "bom inside": "a\\ufeffb",
        "html": "<img src=x onerror=alert(1)>", "markdown": "](http://x) | a | `b`", "template": "${{ secrets.TOKEN }}",
        "shell": "$(touch /tmp/x); `id`", "format string": "%s%n{0.__class__}", "path": "../../../../etc/passwd",
        "csv formula": "=cmd|' /C calc'!A0", "long": "x" * 100_000, "only marks": "\\u0301" * 500, "emoji family": "👨‍👩‍👧‍👦" * 200,
        "tag characters": "\\udb40\\udc41" * 50, "hangul filler": "\\u3164", "bidi isolate": "\\u2066x\\u2069", "crlf": "a\\r\\nb",
        "percent": "%0A::error::x", "end of group": "x\\n::endgroup::", "cdata end": "]]>", "xml entity": "&xxe;", "null word": "null",
        "quotes": "\\\"'`", "backslashes": "\\\\\\\\", "noncharacter": "\\uffff", "private use": "\\ue000", "unassigned": "\\u0378",
    }.items():  # fmt: skip
        yield line(f"run id with {name}", swapped("planning_new_20251102", text), (0, 1))


def _shapes() -> Iterator[Case]:
    """Whole lines that are no entry of this log."""
    good = GOOD
    for name, raw, rule in (
        ("byte order mark", b"\xef\xbb\xbf" + good, "invalid-json"), ("utf-16", good.decode().encode("utf-16"), "invalid-json"),
        ("utf-32", good.decode().encode("utf-32"), "invalid-json"), ("utf-7", b"+AHs-" + good[1:], "invalid-json"),
        ("two objects", good + good, "invalid-json"), ("two objects and a comma", good + b"," + good, "invalid-json"),
        ("comma behind", good + b",", "invalid-json"), ("brace behind", good + b"}", "invalid-json"), ("NUL behind", good + b"\0", "invalid-json"),
        ("NUL before", b"\0" + good, "invalid-json"), ("form feed before", b"\f" + good, "invalid-json"), ("no-break space behind", good + "\u00a0".encode(), "invalid-json"),
        ("record separator", b"\x1e" + good, "invalid-json"), ("comment line", b"// " + good, "invalid-json"), ("hash line", b"# " + good, "invalid-json"),
        ("array around", b"[" + good + b"]", "invalid-json"), ("string around", json.dumps(good.decode()).encode(), "invalid-json"),
        ("python repr", repr(NEW).encode(), "invalid-json"), ("yaml", b"timestamp: 2025-11-01", "invalid-json"), ("single quotes", good.replace(b'"', b"'"), "invalid-json"),
        ("html page", b"<!DOCTYPE html><html>", "invalid-json"), ("gzip", b"\x1f\x8b\x08\0\0\0\0\0", "invalid-json"), ("pickle", b"\x80\x04\x95c\0\0\0", "invalid-json"),
        ("conflict ours", b"<<<<<<< HEAD", "invalid-json"), ("conflict middle", b"=======", "invalid-json"), ("conflict theirs", b">>>>>>> theirs", "invalid-json"),
        ("null", b"null", "invalid-json"), ("true", b"true", "invalid-json"), ("zero", b"0", "invalid-json"), ("empty string", b'""', "invalid-json"), ("empty array", b"[]", "invalid-json"),
        ("empty object", b"{}", "schema"), ("other object", b'{"a": 1}', "schema"), ("run only", json.dumps(NEW["run_data"]).encode(), "schema"),
        ("run of null", b'{"timestamp": "2025-11-01T00:00:00Z", "run_data": null}', "schema"), ("run of list", b'{"timestamp": "2025-11-01T00:00:00Z", "run_data": []}', "schema"),
        ("run of text", b'{"timestamp": "2025-11-01T00:00:00Z", "run_data": "x"}', "schema"), ("run of a number", b'{"timestamp": "2025-11-01T00:00:00Z", "run_data": 1e5}', "schema"),
        ("copy of an old line", log_of().split(b"\n")[0], "duplicate-run"), ("old run changed", lines(edited(NEW, run_id="planning_one_20251101"))[:-1], "duplicate-run"),
        ("member twice", b'{"timestamp": "2024-01-01T00:00:00Z", ' + good[1:], "duplicate-member"), ("run twice", good[:-1] + b', "run_data": {}}', "duplicate-member"),
        ("member twice by an escape", good[:-1] + b', "run_dat\\u0061": {}}', "duplicate-member"), ("metric twice", good.replace(b'"accuracy": 0.61,', b'"accuracy": 0.61, "accuracy": 0.99,'), "duplicate-member"),
        ("status twice", good.replace(b'"status": "completed"', b'"status": "running", "status": "completed"'), "duplicate-member"),
        ("pretty printed", json.dumps(NEW, indent=1).encode(), "invalid-json"), ("carriage returns for newlines", good + b"\r" + good, "invalid-json"),
        ("cut in a string", good[:60], "invalid-json"), ("cut in an object", good[:-1], "invalid-json"), ("cut in a number", good.partition(b'"accuracy": 0.')[0] + b'"accuracy": 0.', "invalid-json"),
        ("braces only", b"{" * 100_000, "invalid-json"), ("brackets only", b"[" * 100_000, "invalid-json"), ("quotes only", b'"' * 100_000, "invalid-json"), ("backslashes only", b"\\" * 100_000, "invalid-json"),
        ("opened and closed", b"[" * 50_000 + b"]" * 50_000, "invalid-json"), ("65 objects deep", b'{"a":' * 65 + b"1" + b"}" * 65, "invalid-json"),
        ("deep behind a good start", good[:-1] + b', "x": ' + b"[" * 64 + b"]" * 64 + b"}", "invalid-json"), ("a million brackets in a run", good[:-1] + b', "x": ' + b"[" * 1_000_000, "invalid-json"),
        ("over the limit", good[:-1] + b', "x": "' + b"x" * (1 << 20) + b'"}', "invalid-json"), ("over the limit and no JSON", b"x" * (3 << 20), "invalid-json"), ("spaces over the limit", b"{" + b" " * (1 << 20) + b"}", "invalid-json"),
    ):  # fmt: skip
        yield line(name, raw + b"\n", rule=rule)
    yield line("NaN beside a byte that is no text", b'{"a": NaN, "b": "\xff"}\n', rule="invalid-json")
    yield line("no newline at the end", good, rule="line-ending")
    yield line("torn and no newline", good[:200], rule="invalid-json")
    yield line("NUL padding of a crashed disk", b"\0" * 4096, rule="invalid-json")
    yield line("lone newline", b"\n", CLEAN, says="blank-line")
    yield line("ten thousand blank lines", b"\n" * 10_000, CLEAN, says="blank-line")
    yield line("white space of unicode", "\u2003\u3000\n".encode(), rule="invalid-json")
    yield line("windows line ending", good + b"\r\n", CLEAN, says="line-ending")
    yield line("carriage return alone at the end", good + b"\r", rule="line-ending")
    yield line(
        "line separators between tokens", good.replace(b", ", ",\u2028".encode()) + b"\n", rule="invalid-json"
    )
    yield line("tabs between tokens", good.replace(b", ", b",\t\t") + b"\n", CLEAN)
    yield line("six hundred copies", (good + b"\n") * 600, rule="duplicate-run")
    yield line("a thousand torn lines", b'{"timestamp": "2025\n' * 1000, rule="invalid-json")
    yield line(
        "unknown members by thousands",
        lines(
            edited(
                NEW, final_metrics={**NEW["run_data"]["final_metrics"], **{f"m{i}": i for i in range(20_000)}}
            )
        ),
        (0, 1),
    )
    yield line("a list of a hundred thousand", lines(edited(NEW, metrics_history=[0.5] * 100_000)), (0, 1))
    yield line(
        "a history of thirty thousand",
        lines(edited(NEW, metrics_history=[{"epoch": i, "val_loss": 0.5} for i in range(30_000)])),
        (0, 1),
    )
    yield line(
        "member names that hash alike",
        lines(edited(NEW, final_metrics__x={str(i * (2**61 - 1)): 0 for i in range(2000)})),
        (0, 1),
    )
    yield line(
        "proto members",
        lines(edited(NEW, __proto__={}, constructor={}, final_metrics____class__={"a": 1})),
        (0, 1),
    )
    yield line(
        "empty member name",
        lines(edited(NEW, final_metrics={**NEW["run_data"]["final_metrics"], "": 1})),
        (0, 1),
    )
    yield line(
        "member names with slashes and tildes",
        lines(edited(NEW, final_metrics={**NEW["run_data"]["final_metrics"], "a/b~c~1": {"/": "~"}})),
        (0, 1),
    )
    yield line(
        "member names that differ by composition",
        lines(edited(NEW, final_metrics={**NEW["run_data"]["final_metrics"], "é": 1, "e\u0301": 2})),
        (0, 1),
    )
    yield line(
        "sixty-four deep in a metric", lines(edited(NEW, dataset_config__domain_params=_nested(58))), (0, 1)
    )


def _nested(depth: int) -> Any:
    return {"a": _nested(depth - 1)} if depth else 1


PLACES = (
    "entry__timestamp", "run_id", "domain", "status", "experiment_type", "dataset_config", "dataset_config__val_size", "hyperparameters",
    "hyperparameters__seed", "final_metrics", "final_metrics__accuracy", "final_metrics__accuracy_class_0", "training_time_seconds",
    "start_time", "error_message", "findings", "metrics_history", "architecture", "corrects",
)  # fmt: skip
ODD: dict[str, Any] = {
    "absent": ..., "null": None, "true": True, "list": [[[]]], "object": {}, "empty": "", "minus one": -1, "huge": 10**300,
}  # fmt: skip
LENIENT = {("experiment_type", "empty")}
"""What the schema refuses, and a rule of its own reports as a warning: a blank type is an absent one."""


def _wrong_types() -> Iterator[Case]:
    """Every value of every wrong type; the reference implementation says which the schema refuses."""
    judge = jsonschema.Draft202012Validator(SCHEMA)
    for place in PLACES:
        for name, value in ODD.items():
            entry = edited(NEW, **{place: value})
            if entry != NEW and not (value is ... and place not in ("entry__timestamp", *NEW["run_data"])):
                codes = ANY if judge.is_valid(entry) or (place, name) in LENIENT else NEVER_CLEAN
                yield line(f"{place.replace('__', '.')} is {name}", lines(entry), codes)


def _times() -> Iterator[Case]:
    """Times that other readers take, or that do not exist."""
    for text in (
        "2025-02-30T00:00:00Z", "2025-11-01T24:00:01Z", "2025-11-01T23:59:60Z", "2025-11-01T00:00:00+02:00", "2025-11-01T00:00:00-00:00", "2025-11-01T00:00:00z",
        "2025-11-01 00:00:00Z", "2025-W43-2", "20251101", "20251101T000000Z", "2025-11-01", "1761955200", "Sat, 01 Nov 2025 00:00:00 GMT", "now", "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "-2025-11-01T00:00:00Z", "２０２５-11-01T00:00:00Z", "2025-11-01T00:00:00.1234567890123Z", "2025-11-01T00:00:00,5Z",
        "2025-11-01T00:00Z", "2025-11-01T00Z", "2025-11-01T00:00:00ZZ", "2025-11-01T00:00:00Z\\n", " 2025-11-01T00:00:00Z", "2025-11-01T00:00:00+00:00:00", "2025-11-01T00:00:00+25:00",
        "2025-305T00:00:00Z", "2025-11-01T00:00:00UTC", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-11-00T00:00:00Z", "2025-11-01T00:60:00Z", "2025-1-1T0:0:0Z", "2025-11-01T00:00:00+00",
    ):  # fmt: skip
        yield line(
            f"start at {text}",
            swapped('"start_time": "2025-11-01T00:05:00Z"', f'"start_time": "{text}"'),
            ANY,
        )


def _damaged() -> Iterator[Case]:
    """Good lines with one to four bytes changed, by seed; the strict reading says which are bad."""
    for seed in range(60):
        chance = random.Random(seed)
        raw = bytearray(GOOD)
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(raw))
            act = chance.randrange(4)
            if act == 0:
                raw[at] = chance.choice(b'{}[]:,"\\0-eE.\x00\x1f\x7f\xc3\xff')
            elif act == 1:
                del raw[at : at + chance.randrange(1, 4)]
            elif act == 2:
                raw[at:at] = bytes(
                    chance.choice(b'{}[]:,"\\0-eE. nul\xe2\x80\xa8') for _ in range(chance.randrange(1, 4))
                )
            else:
                raw[at] ^= 1 << chance.randrange(8)
        made = bytes(raw).replace(b"\n", b" ")
        codes = ANY if entry_of(made) is not None else NEVER_CLEAN
        yield line(f"damage {seed}", made + b"\n", codes)


CASES = through("log lines", (*_numbers(), *_texts(), *_shapes(), *_wrong_types(), *_times(), *_damaged()))
