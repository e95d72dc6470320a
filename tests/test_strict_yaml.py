"""YAML of strangers: plain data with places, or a mistake with a place; no surprise, no bomb."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsm_gate.strict_yaml import MAX_BYTES, MAX_DEPTH, MAX_EVENTS, MAX_SCALAR, Node, load
from tests.support import ROOT, Repo, a_run, gate_process

QUOTE = 'put the test in quotes, "> 0.55", or write {above: 0.55}'


def short(value: object) -> str:
    """Name a case by the beginning of its values: some are long."""
    return repr(value)[:24]


def plain(source: str | bytes) -> Any:
    root, errors = load(source.encode() if isinstance(source, str) else source, "f.yaml")
    assert errors == []
    assert root is not None
    return root.plain()


def root_of(source: str) -> Node:
    root, errors = load(source.encode(), "f.yaml")
    assert errors == []
    assert root is not None
    return root


def mistakes(source: str | bytes) -> list[tuple[int | None, int | None, str]]:
    _, errors = load(source.encode() if isinstance(source, str) else source, "f.yaml")
    assert errors, "it was accepted"
    assert {error.path for error in errors} == {"f.yaml"}
    return [(error.line, error.column, error.message) for error in errors]


# --- scalars ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written, value",
    [
        ("1e-3", 0.001), ("1E+5", 1e5), ("1e5", 1e5), ("-2.5e-1", -0.25), ("0.40", 0.4), (".5", 0.5), ("5.", 5.0),
        ("0", 0), ("-5", -5), ("+5", 5), ("012", 12), ("123456789012345678", 123456789012345678), ("-0.0", 0.0),
        ("true", True), ("True", True), ("false", False), ("False", False),
        ("null", None), ("Null", None), ("~", None), ("", None),
    ],
)  # fmt: skip
def test_a_plain_scalar_that_is_a_value(written: str, value: Any) -> None:
    found = plain(f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "written",
    [
        "yes", "no", "on", "off", "y", "n", "Yes", "NO", "ON", "TRUE", "FALSE", "NULL", "nil", "none", "None",
        "0x10", "0o7", "0b1", "1_000", "1,000", ".inf", "-.inf", "+.Inf", ".nan", ".NaN", "inf", "nan", "Infinity",
        "12:30", "1:2:3", "190:20:30", "2026-12-31", "2026-12-31T10:00:00Z", "2001-12-14 21:59:43.10 -5",
        "1.2.3", "1e", "e5", "+", ".", "1e1000", "--1", "=", "١٢", "1 2", "<", "< 0.55", "<= 1", "a > 1",
    ],
)  # fmt: skip
def test_a_plain_scalar_that_other_readers_would_convert_is_text(written: str) -> None:
    assert plain(f"a: {written}") == {"a": written}


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("written", ["1", "1e-3", "true", "null", "~", "", "> 0.55", "yes", "2026-12-31"])
def test_what_is_quoted_is_text(quote: str, written: str) -> None:
    node = root_of(f"a: {quote}{written}{quote}").value["a"]
    assert (node.value, node.text, node.block) == (written, written, False)


@pytest.mark.parametrize("written", ["1e309", "1e999", "-1e400", "1" * 40 + "e300"])
def test_no_number_is_infinite(written: str) -> None:
    assert plain(f"a: {written}") == {"a": written}


@pytest.mark.parametrize("written", ["1234567890123456789", "-123456789012345678901234567890"])
def test_a_whole_number_stays_whole(written: str) -> None:
    assert plain(f"a: {written}") == {"a": int(written)}


def test_a_number_keeps_the_text_that_it_was_written_as() -> None:
    node = root_of("a: 0.40").value["a"]
    assert (node.value, node.text) == (0.4, "0.40")


def test_block_scalars_are_text_and_known_as_blocks() -> None:
    root = root_of("a: |\n  1\nb: >-\n  x\n  y\nc: 1\n")
    assert root.plain() == {"a": "1\n", "b": "x y", "c": 1}
    assert [root.value[name].block for name in "abc"] == [True, True, False]


@pytest.mark.parametrize("source", ["", "\n\n", "# nothing\n", "\ufeff", "  \n# x\n\n"])
def test_an_empty_file_is_an_empty_mapping(source: str) -> None:
    assert plain(source) == {}


@pytest.mark.parametrize(
    "source, value", [("---\n", None), ("[]", []), ("- 1\n- a", [1, "a"]), ("text", "text"), ("7", 7)]
)
def test_a_document_may_be_any_value(source: str, value: Any) -> None:
    assert plain(source) == value


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert plain("\ufeffa: 1\r\nb:\r\n  - é\r\n") == {"a": 1, "b": ["é"]}


# --- what is refused ----------------------------------------------------------------------------

ALIASES = "anchors and aliases are not allowed"
TAGS = "tags are not allowed"


@pytest.mark.parametrize(
    "source, line, column, message",
    [
        ("a: &x 1", 1, 4, ALIASES),
        ("b: 1\na: *x", 2, 4, ALIASES),
        ("&x a: 1", 1, 1, ALIASES),
        ("a: [1, &x {}]", 1, 8, ALIASES),
        ("a: &x [*x]", 1, 4, ALIASES),
        ("a: !!int '1'", 1, 4, TAGS),
        ("a: ! 1", 1, 4, TAGS),
        ("!!map {}", 1, 1, TAGS),
        ("a: !!python/object/apply:os.system ['true']", 1, 4, TAGS),
        ("é: [1, !x 2]", 1, 8, TAGS),
        ("%TAG ! tag:example.org,2000:\n---\na: !x 1", 3, 4, TAGS),
        ("<<: {a: 1}", 1, 1, "merge keys are not allowed"),
        ("b:\n  <<: [{a: 1}]\n", 2, 3, "merge keys are not allowed"),
        ("a: 1\na: 2", 2, 1, "key 'a' is already set on line 1"),
        ("{a: 1, é: 2, a: 3}", 1, 14, "key 'a' is already set on line 1"),
        ("x:\n- a: 1\n  b: 2\n  'a': 3", 4, 3, "key 'a' is already set on line 2"),
        ("1: x", 1, 1, "a key is not text"),
        ("a:\n  true: x", 2, 3, "a key is not text"),
        ("null: x", 1, 1, "a key is not text"),
        ("~: x", 1, 1, "a key is not text"),
        ("1.5: x", 1, 1, "a key is not text"),
        ("[a]: x", 1, 1, "a key is not text"),
        ("? {a: 1}\n: x", 1, 3, "a key is not text"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
        ("---\n---\na: 1", 2, 1, "a second document"),
        ("---\na: 1\n...\n---\n", 4, 1, "a second document"),
        (f"a: {'x' * (MAX_SCALAR + 1)}", 1, 4, "text over 10,000 characters"),
        (f"{'x' * (MAX_SCALAR + 1)}", 1, 1, "text over 10,000 characters"),
        (f"a: '{'x' * (MAX_SCALAR + 1)}'", 1, 4, "text over 10,000 characters"),
        (f"a: {'[' * MAX_DEPTH}", 1, 3 + MAX_DEPTH, "nested deeper than 32"),
        (f"{'{a: ' * 40}", 1, 4 * MAX_DEPTH + 1, "nested deeper than 32"),
        (f"{'- ' * 40}x", 1, 2 * MAX_DEPTH + 1, "nested deeper than 32"),
        (f"{'? ' * 40}x", 1, 2 * MAX_DEPTH + 1, "nested deeper than 32"),
        ("\n".join(" " * n + "a:" for n in range(40)), 33, 33, "nested deeper than 32"),
        (f"a: [{'1,' * MAX_EVENTS}]", 1, 39995, "over 20,000 values"),
    ],
    ids=short,
)  # fmt: skip
def test_what_can_surprise_or_explode_is_refused_at_its_place(
    source: str, line: int, column: int, message: str
) -> None:
    assert mistakes(source)[0] == (line, column, message)


@pytest.mark.parametrize(
    "source, line, column, message",
    [
        ("a: [", 2, 1, "not YAML: did not find expected node content"),
        ("a: b: c", 1, 5, "not YAML: mapping values are not allowed in this context"),
        ("\ta: 1", 1, 1, "not YAML: found character that cannot start any token"),
        ("a:\n\tb: 1", 2, 1, "not YAML: found character that cannot start any token"),
        ("a: @b", 1, 4, "not YAML: found character that cannot start any token"),
        ("é: 'x' y", 1, 8, "not YAML: did not find expected key"),
        ("- a\nb: 1", 2, 1, "not YAML: did not find expected '-' indicator"),
        ('a: "\\ud800"', 1, 7, "not YAML: found invalid Unicode character escape code"),
        ("%YAML 3.0\n---\na: 1", 1, 1, "not YAML: found incompatible YAML document"),
    ],
)
def test_what_is_not_yaml_is_a_mistake_with_a_place(
    source: str, line: int, column: int, message: str
) -> None:
    assert mistakes(source) == [(line, column, message)]


@pytest.mark.parametrize(
    "source, words",
    [
        (b"a: \xff", "file is not UTF-8"),
        (b"a: \xed\xa0\x80", "file is not UTF-8"),
        ("a: 1".encode("utf-16"), "file is not UTF-8"),
        (b"a: \0", "not YAML: unacceptable character #x0000"),
        (b"\0", "not YAML: unacceptable character #x0000"),
        (b"a: 1\n\0\0\0", "not YAML: unacceptable character #x0000"),
        (b"a: \x1b[31m", "not YAML: unacceptable character #x001b"),
        (b"#" * (MAX_BYTES + 1), "file is over 256 KiB"),
    ],
    ids=short,
)
def test_bytes_that_are_no_text_are_a_mistake(source: bytes, words: str) -> None:
    found = mistakes(source)
    assert len(found) == 1
    assert found[0][2].startswith(words)


def test_all_mistakes_of_members_are_reported_at_once() -> None:
    found = mistakes("a: 1\na: 2\n1: x\n<<: {}\nb: {c: 1, c: 2, ~: 3}\n")
    assert [(line, column) for line, column, _ in found] == [(2, 1), (3, 1), (4, 1), (5, 11), (5, 17)]


def test_what_was_found_before_a_fatal_mistake_is_reported_too() -> None:
    assert [message for _, _, message in mistakes("a: 1\na: 2\nb: &x 1\n")] == [
        "key 'a' is already set on line 1",
        ALIASES,
    ]


def test_each_limit_lets_through_what_is_just_below_it() -> None:
    assert plain("#" * MAX_BYTES) == {}
    assert plain(f"a: {'x' * MAX_SCALAR}") == {"a": "x" * MAX_SCALAR}
    assert plain(f"{'[' * MAX_DEPTH}{']' * MAX_DEPTH}") is not None
    # A mapping's start and end, its key, the list's start and end, stream and document make 8 events.
    assert len(plain(f"a: [{'1,' * (MAX_EVENTS - 9)}]")["a"]) == MAX_EVENTS - 9


# --- an unquoted > ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        "  accuracy: > 0.55",
        "  accuracy: >0.55",
        "  accuracy: >= 0.55",
        "  accuracy: >=0.55",
        "  accuracy: > .5",
        "  accuracy:    > 1",
        "  accuracy: {assert: > 0.55}",
        "  accuracy: > best_baseline",
        "  accuracy: > -0.5",
        "  accuracy: > abs(x)",
        '  "accuracy": > 0.55',
        '  accuracy: {source: "guide", assert: > 0.55}',
    ],
)
def test_an_unquoted_test_is_named_for_what_it_is(row: str) -> None:
    _, errors = load(f"criteria:\n{row}\n  b: 1\n".encode(), "f.yaml")
    assert [(e.line, e.message, e.hint) for e in errors] == [
        (2, "YAML takes an unquoted > for a block of text", QUOTE)
    ]


@pytest.mark.parametrize("row", ["  accuracy: > 0.55", "  é: >0.55", "  a: {assert: > 0.55}"])
def test_an_unquoted_test_is_pointed_at(row: str) -> None:
    _, errors = load(f"criteria:\n{row}\n  b: 1\n".encode(), "f.yaml")
    assert [error.column for error in errors] == [row.index(">") + 1]


@pytest.mark.parametrize("written", [">1", ">9", ">-1", ">1\n", ">-", ">+1"])
def test_a_test_that_yaml_swallows_is_an_empty_block(written: str) -> None:
    # The loader of rules refuses it: see the tests of the configuration.
    node = root_of(f"criteria:\n  accuracy: {written}\n  b: 1\n").value["criteria"].value["accuracy"]
    assert (node.value, node.block, node.line, node.column) == ("", True, 2, 13)


def test_other_faults_of_a_row_with_a_greater_sign_keep_their_message() -> None:
    assert mistakes("a: 'x > 1' y")[0][2] == "not YAML: did not find expected key"
    assert mistakes("a: # > 1\n  b: [\n")[0][2] == "not YAML: did not find expected node content"


# --- readers that disagree --------------------------------------------------------------------


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"], ids=["LS", "PS", "NEL"])
def test_a_comment_ends_only_where_every_reader_ends_it(separator: str) -> None:
    # libyaml takes U+2028, U+2029 and U+0085 for line breaks; editors, diffs and YAML 1.2 do not, so that
    # what looks like a comment would set a key.
    root, errors = load(f"a: 1 # harmless{separator}b: 2\n".encode(), "f.yaml")
    assert errors or (root is not None and root.plain() == {"a": 1})


# --- places -----------------------------------------------------------------------------------


def test_every_node_knows_its_place_in_code_points() -> None:
    root = root_of("# é\né: [1, 😀, {日: x}]\n\nb:\n  - c: |\n      t\n  - 'd'\n")
    where = {
        "": root, "é": root.at("é"), "1": root.at("é", 0), "😀": root.at("é", 1), "{": root.at("é", 2),
        "x": root.at("é", 2, "日"), "b": root.at("b"), "t": root.at("b", 0, "c"), "d": root.at("b", 1),
    }  # fmt: skip
    assert {name: (node.line, node.column) for name, node in where.items()} == {
        "": (2, 1), "é": (2, 4), "1": (2, 5), "😀": (2, 8), "{": (2, 11),
        "x": (2, 15), "b": (5, 3), "t": (5, 8), "d": (7, 5),
    }  # fmt: skip
    assert root.keys == {"é": (2, 1), "b": (4, 1)}
    assert root.at("é", 2).keys == {"日": (2, 12)}
    assert {node.path for node in where.values()} == {"f.yaml"}


def test_a_path_that_goes_nowhere_ends_at_the_deepest_node_there_is() -> None:
    root = root_of("a: {b: [x]}\n")
    assert root.at("a", "b", 7) is root.value["a"].value["b"]
    assert root.at("a", "none", "b") is root.value["a"]
    assert root.at("a", "b", 0, "c").value == "x"
    assert root.at() is root
    assert root.get("none") is None
    assert root.at("a", "b").get("x") is None
    assert [name for name, _ in root.items()] == ["a"]
    assert list(root.at("a", "b").items()) == []


def test_a_mistake_at_a_node_says_where() -> None:
    error = root_of("a:\n  b: 'x y'\n").at("a", "b").error("odd", "mend it", 3)
    assert str(error) == "f.yaml:2:9: odd"
    assert error.hint == "mend it"


TEXT = st.text(st.sampled_from("aé😀 \"\\'#:{}[],&*!|>%@`-?\n\t0.1"), max_size=6)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT.filter(lambda t: t != "<<"), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("abcé"), DATA, max_size=3), st.sampled_from([None, 1, 3]))
def test_json_loads_as_itself_with_every_value_at_its_place(
    value: dict[str, Any], indent: int | None
) -> None:
    source = json.dumps(value, ensure_ascii=False, indent=indent)
    root = root_of(source)
    assert root.plain() == value
    rows = source.split("\n")
    pending: list[tuple[Node, Any]] = [(root, value)]
    while pending:
        node, inner = pending.pop()
        begins = rows[node.line - 1][node.column - 1 :]
        if isinstance(inner, dict):
            assert begins.startswith("{")
            for name, (line, column) in node.keys.items():
                assert rows[line - 1][column - 1 :].startswith(json.dumps(name, ensure_ascii=False) + ":")
            pending += [(node.value[name], member) for name, member in inner.items()]
        elif isinstance(inner, list):
            assert begins.startswith("[")
            pending += list(zip(node.value, inner, strict=True))
        else:
            assert begins.startswith(json.dumps(inner, ensure_ascii=False))
            assert type(node.value) is type(inner)


PIECES = ["a", "b", ": ", ":", "- ", "\n", "\n  ", "  ", "{", "}", "[", "]", ",", "&x ", "*x", "!!str ", "<<: ", "? ", "'", '"', "|", ">",
          "> 1", "#", "---\n", "...\n", "%TAG", "1", "1e999", "~", "é", "\u2028", "\t", "\0", "\r", "\\", "\x85", "@", "`"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=10))
def test_any_text_is_loaded_or_refused(source: str) -> None:
    root, errors = load(source.encode("utf-8"), "f.yaml")
    assert root is not None or errors
    for error in errors:
        assert error.message
        assert (error.line is None) == (error.column is None)
        assert error.line is None or (error.line >= 1 and (error.column or 0) >= 1)
    if root is not None and not errors:
        json.dumps(root.plain())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=30))
def test_any_bytes_are_loaded_or_refused(source: bytes) -> None:
    root, errors = load(source, "f.yaml")
    assert root is not None or errors


# --- bombs ------------------------------------------------------------------------------------


def _laughs(rows: int) -> str:
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, rows)]
    return "\n".join(bomb)


def _merges(rows: int) -> str:
    bomb = ["a0: &a0 {x: 1}"]
    bomb += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, rows)]
    return "\n".join(bomb)


BOMBS = {
    "laughs": (_laughs(10), ALIASES),
    "merges": (_merges(40), ALIASES),
    "merges without anchors": ("<<: {<<: {<<: {}}}\n", "merge keys are not allowed"),
    "sexagesimal": ("a: " + ":".join(["59"] * 85_000), "text over 10,000 characters"),
    "brackets": ("[" * 200_000, "nested deeper than 32"),
    "closed brackets": ("[" * 100_000 + "]" * 100_000, "nested deeper than 32"),
    "braces": ("{a: " * 60_000, "nested deeper than 32"),
    "open braces": ("{" * 200_000, "nested deeper than 32"),
    "dashes": ("- " * 100_000, "nested deeper than 32"),
    "questions": ("? " * 100_000, "nested deeper than 32"),
    "indents": ("\n".join(" " * n + "a:" for n in range(500)), "nested deeper than 32"),
    "brackets as a key": ("? " + "[" * 200_000, "nested deeper than 32"),
    "anchors": ("a: &" + "x" * 200_000 + " 1", ALIASES),
    "tag": ("a: !" + "x" * 200_000 + " 1", TAGS),
    "commas": ("[" + "," * 200_000, "not YAML: did not find expected node content"),
    "colons": (":" * 200_000, "text over 10,000 characters"),
    "quotes": ("a: '" + "''" * 100_000, "not YAML: found unexpected end of stream"),
    "documents": ("--- 1\n" * 40_000, "a second document"),
    "digits": ("a: " + "1" * 200_000, "text over 10,000 characters"),
    "keys": ("\n".join(f"k{n}:" for n in range(30_000)), "over 20,000 values"),
    "too large": ("#" * 600_000, "file is over 256 KiB"),
}  # fmt: skip

LOADER = """
import json, sys
from nsm_gate.strict_yaml import load
for name, source in json.load(sys.stdin).items():
    root, errors = load(source.encode(), name)
    print(json.dumps([name, errors[-1].message if errors else None]), flush=True)
"""


def test_no_bomb_goes_off() -> None:
    # In a process of its own: a stack that overflows in C takes the interpreter with it.
    done = subprocess.run(
        [sys.executable, "-c", LOADER], input=json.dumps({name: bomb for name, (bomb, _) in BOMBS.items()}),
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
    )  # fmt: skip
    found = dict(json.loads(row) for row in done.stdout.splitlines())
    assert found == {name: message for name, (_, message) in BOMBS.items()}
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["brackets", "merges", "sexagesimal"])
@pytest.mark.parametrize("place", ["nsm-gate.yaml", "rules/a.yaml"])
def test_a_bomb_in_the_repository_ends_the_command_with_its_place(
    tmp_path: Path, name: str, place: str
) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [a_run()])
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.write(place, BOMBS[name][0])
    result = gate_process("check", "--all", "--output-format", "json", cwd=repo.path)
    assert result.code == 2
    error = result.json["error"]
    assert (error["message"], error["path"], error["line"]) == (BOMBS[name][1], place, 1)
    assert result.err.startswith(f"nsm-gate: error: {place}:1:")
    assert "Traceback" not in result.err
