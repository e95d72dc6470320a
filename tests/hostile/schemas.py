"""Schemas of a log kind: what is none, what leads elsewhere, and what explodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import ANY, CLEAN, FOUND, REFUSED, Case, through
from tests.hostile.rules_files import KIND
from tests.hostile.stage import LOG, log_of

FILE = "rules/probe.schema.json"
PROBES = "probes.jsonl"


def schema(
    name: str, content: Any, codes: tuple[int, ...] = REFUSED, line: Any = None, **members: Any
) -> Case:
    """Return a case: the schema of a log kind, and a log of one line that it judges."""
    text = content if isinstance(content, (bytes, str)) else json.dumps(content)
    entry = line if isinstance(line, bytes) else json.dumps(line or {"id": "a", "x": 1}).encode() + b"\n"
    files = {
        "nsm-gate.yaml": "rules: [rules]\nlimits: {seconds: 2}\n",
        "rules/probe.yaml": json.dumps(KIND),
        FILE: text,
        PROBES: entry,
        LOG: log_of(),
    }
    file = FILE if codes == REFUSED else PROBES if codes == FOUND else ""
    return Case(**{"name": name, "codes": codes, "file": file, "files": files, **members})


def _none() -> Iterator[Case]:
    for name, text in {
        "nothing": b"", "blank": b" \n", "not JSON": b"{", "yaml": b"type: object\n", "trailing comma": b'{"type": "object",}', "comment": b'{} // x', "array": b"[]", "text": b'"object"', "number": b"1", "null": b"null", "true": b"true", "member twice": b'{"type": "object", "type": "array"}',
        "NaN": b'{"minimum": NaN}', "infinite": b'{"minimum": 1e999}', "lone surrogate": b'{"title": "\\ud800"}', "not UTF-8": b'{"title": "\xff"}', "utf-16": '{"type": "object"}'.encode("utf-16"), "bom": b'\xef\xbb\xbf{"type": "object"}', "brackets": b"[" * 200_000, "braces": b'{"a":' * 100_000, "two": b"{}{}", "NUL": b"{}\0",
    }.items():  # fmt: skip
        yield schema(f"no JSON: {name}", text, REFUSED)
    for number, made in enumerate((
        {"type": 5}, {"type": "nope"}, {"type": []}, {"type": ["string", "string"]}, {"$id": 5}, {"$id": "#x"}, {"required": "id"}, {"required": ["id", "id"]}, {"properties": []}, {"properties": {"a": 1}}, {"minimum": "1"}, {"multipleOf": 0}, {"multipleOf": -1}, {"minLength": -1}, {"minLength": 1.5}, {"maxItems": "2"},
        {"enum": {}}, {"pattern": "("}, {"pattern": "(?=a)b"}, {"pattern": r"(a)\1"}, {"pattern": "(a{1000}){1000}{1000}"}, {"pattern": "a{99999999}"}, {"pattern": 5}, {"patternProperties": {"[": {}}}, {"allOf": []}, {"anyOf": {}}, {"not": 1}, {"if": "x"}, {"$defs": []}, {"$anchor": "a b"}, {"$schema": 1},
        {"$schema": "http://example.org/mine"}, {"$schema": "http://json-schema.org/draft-03/schema#"}, {"$schema": "x" * 100_000}, {"dependentRequired": {"a": "b"}}, {"additionalProperties": 1}, {"uniqueItems": "yes"}, {"contains": 1}, {"prefixItems": {}}, {"propertyNames": []}, {"$vocabulary": 1}, {"const": 1, "enum": 1}, {"format": 1},
    )):  # fmt: skip
        yield schema(f"no schema {number}: {json.dumps(made)[:40]}", made)


def _elsewhere() -> Iterator[Case]:
    for ref in (
        "http://127.0.0.1:9/x.json", "https://example.org/a.json", "file:///etc/passwd", "file:other.json", "other.json", "../nsm-gate.yaml", "//evil/x", "ftp://127.0.0.1/x", "data:application/json,{}", "urn:x:y", "jar:file:/x!/y", "\\\\evil\\share", "#/$defs/none", "#nowhere", "#/properties/0/x", "#/%", "#/~2", "#/~", "http://[::1", "x" * 10_000, "\x00", " ",
    ):  # fmt: skip
        yield schema(f"ref to {ref[:40]!r}", {"properties": {"x": {"$ref": ref}}}, REFUSED, hides="root:")
    yield schema("dynamic ref to nowhere", {"$dynamicRef": "#none"})
    yield schema(
        "ref below an id elsewhere", {"$id": "http://127.0.0.1:9/", "properties": {"x": {"$ref": "y.json"}}}
    )
    yield schema("meta-schema elsewhere", {"$schema": "http://127.0.0.1:9/meta.json"})
    yield schema("ref of a number", {"$ref": 1})


def _explosive() -> Iterator[Case]:
    nest: dict[str, Any] = {"a0": {"const": 0}}
    for number in range(1, 61):
        nest[f"a{number}"] = {"anyOf": [{"$ref": f"#/$defs/a{number - 1}"}] * 2}
    yield schema(
        "2^60 ways", {"$defs": nest, "properties": {"x": {"$ref": "#/$defs/a60"}}}, process=True, file=PROBES
    )
    sums = {
        f"a{n}": {"oneOf": [{"$ref": f"#/$defs/a{n - 1}"}, {"not": {"$ref": f"#/$defs/a{n - 1}"}}]}
        for n in range(1, 41)
    }
    yield schema(
        "2^40 ways of oneOf",
        {"$defs": {"a0": {"const": 0}, **sums}, "properties": {"x": {"$ref": "#/$defs/a40"}}},
        (0, 1, 2),
        process=True,
    )
    yield schema("ref to itself", {"$ref": "#"}, ANY, process=True)
    yield schema(
        "refs to each other",
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        ANY,
        process=True,
    )
    yield schema("not itself", {"not": {"$ref": "#"}}, ANY, process=True)
    yield schema("all of itself", {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, ANY, process=True)
    yield schema("dynamic ref to itself", {"$dynamicAnchor": "n", "$dynamicRef": "#n"}, ANY, process=True)
    deep: Any = {"type": "integer"}
    for _ in range(60):
        deep = {"properties": {"x": deep}}
    yield schema("sixty deep", deep, CLEAN)
    yield schema("a hundred thousand deep", '{"not":' * 100_000 + "{}" + "}" * 100_000, process=True)
    yield schema("ten thousand all-of", {"allOf": [{"minimum": n} for n in range(10_000)]}, CLEAN)
    yield schema(
        "twenty thousand properties",
        {"properties": {"id": {}, **{f"p{n}": {"type": "string"} for n in range(20_000)}}},
        CLEAN,
    )
    yield schema(
        "an enum of a hundred thousand",
        {"properties": {"x": {"enum": list(range(2, 100_000))}}},
        FOUND,
        rule="schema",
    )
    yield schema(
        "a thousand patterns", {"patternProperties": {f"^{n}(a+)+$": {} for n in range(1000)}}, CLEAN
    )
    for name, pattern in {"nested plus": "^(a+)+$", "nested star": "^(a*)*b$", "alternatives": "^(a|a)*$", "overlap": "^(a|ab|abc)*c$", "dots": "(.*)(.*)(.*)(.*)(.*)x$", "counted": "^(a?){200}a{200}$", "words": r"^(\w+\s?)*$"}.items():  # fmt: skip
        yield schema(
            f"pattern bomb: {name}",
            {"properties": {"id": {"pattern": pattern}}},
            (0, 1),
            line={"id": "a" * 30_000 + "!"},
        )
    yield schema("a pattern of a megabyte", {"properties": {"id": {"pattern": "a" * 1_000_000}}}, ANY)
    yield schema("a pattern of classes", {"properties": {"id": {"pattern": r"[\w\W\d]{0,500}" * 20}}}, ANY)
    yield schema(
        "pattern of unicode classes", {"properties": {"id": {"pattern": r"\p{L}{0,300}\p{N}{0,300}"}}}, ANY
    )
    yield schema(
        "unique items of ten thousand",
        {"properties": {"x": {"uniqueItems": True}}},
        FOUND,
        line={"id": "a", "x": [{"n": n} for n in range(10_000)] + [{"n": 1}]},
        rule="schema",
    )
    yield schema(
        "unevaluated of many",
        {"allOf": [{"properties": {f"p{n}": {}}} for n in range(500)], "unevaluatedProperties": False},
        FOUND,
        says="unknown-field",
        line={f"q{n}": 1 for n in range(5000)},
    )
    yield schema(
        "a flaw in each of ten thousand items",
        {"properties": {"x": {"items": {"type": "string"}}}},
        FOUND,
        line={"id": "a", "x": [1] * 10_000},
        rule="schema",
    )
    for name, form in {"email": "email", "uri": "uri", "hostname": "hostname", "idn": "idn-hostname", "regex": "regex", "duration": "duration", "template": "uri-template", "pointer": "json-pointer", "date": "date-time", "ipv6": "ipv6"}.items():  # fmt: skip
        yield schema(
            f"format bomb: {name}",
            {"properties": {"id": {"format": form}}},
            ANY,
            line={"id": ("a@" * 20_000) + "xn--" * 5000 + "(" * 5000 + "{" * 5000},
        )
    yield schema("unknown format", {"properties": {"id": {"format": "evil"}}}, CLEAN)
    yield schema(
        "remainder of a tiny number",
        {"properties": {"x": {"multipleOf": 1e-300}}},
        ANY,
        line={"id": "a", "x": 1e300},
    )
    yield schema(
        "remainder of a huge number",
        {"properties": {"x": {"multipleOf": 3}}},
        ANY,
        line=b'{"id": "a", "x": ' + b"9" * 4000 + b"}\n",
    )
    yield schema(
        "remainder of a fraction",
        {"properties": {"x": {"multipleOf": 0.0001}}},
        ANY,
        line={"id": "a", "x": 1e308},
    )
    yield schema(
        "bounds beyond floats",
        b'{"properties": {"x": {"maximum": ' + b"9" * 400 + b', "minimum": -' + b"9" * 400 + b"}}}",
        ANY,
    )
    yield schema("lengths beyond everything", {"properties": {"id": {"minLength": 2**64}}}, ANY)
    yield schema(
        "lengths beyond an integer", b'{"properties": {"id": {"minLength": ' + b"9" * 100 + b"}}}", ANY
    )
    yield schema("false", {"not": {}}, FOUND, rule="schema")
    yield schema("false and every member unknown", {"additionalProperties": False}, ANY)
    yield schema(
        "a description that acts",
        {
            "description": "::error::x ##[error]y \x1b[31m",
            "properties": {"x": {"type": "string", "description": "::error::x\n##[error]y"}},
        },
        FOUND,
        rule="schema",
    )
    yield schema(
        "an enum that acts",
        {"properties": {"x": {"enum": ["::error::x\n##[error]y", "\u202e"]}}},
        FOUND,
        rule="schema",
    )
    yield schema(
        "a required member that acts", {"required": ["::error::x\r\n##vso[task.x]y"]}, FOUND, rule="schema"
    )


CASES = through("schemas", (*_none(), *_elsewhere(), *_explosive()))
