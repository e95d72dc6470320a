"""What is fuzzed: how inputs are made, and what must hold of each. A check raises where it does not hold."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import strategies as st

from nsm_gate.expressions import Node
from nsm_gate.parser import ExpressionError, parse
from nsm_gate.strict_yaml import load
from nsm_gate.values import UNKNOWN
from tests.fuzzing import python_reading as python
from tests.hostile.strict import entry_of
from tests.support import ROOT, Result, a_run, environment, gate, lines

SEEDS = Path(__file__).resolve().parent / "seeds"


@dataclass(frozen=True)
class Target:
    """A kind of input.

    Attributes:
        inputs: Makes inputs out of seeds.
        check: Raises where the gate breaks its law on an input.
        batch: How many inputs are made at a time: about a second's worth.
    """

    name: str
    inputs: Callable[[list[bytes]], st.SearchStrategy[bytes]]
    check: Callable[[bytes], None]
    batch: int


@cache
def _folder() -> Path:
    """Return a folder that lasts as long as this process: each target has one of its own in it."""
    made = tempfile.TemporaryDirectory(prefix="nsm-gate-fuzz-")
    _folder_of_process.append(made)
    return Path(made.name)


_folder_of_process: list[Any] = []


@cache
def _schema(name: str) -> Any:
    return jsonschema.Draft202012Validator(
        json.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    )


def _ran(target: str, *args: str, stdin: bytes = b"", **files: bytes) -> Result:
    """Run the gate in the target's folder; hold what must hold of every run."""
    folder = _folder() / target
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    folder.mkdir(exist_ok=True)
    env = {**environment(folder), "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    result = gate(*args, cwd=folder, env=env, stdin=stdin)
    assert result.code in (0, 1, 2), f"exit code {result.code}"
    both = result.out + result.err
    assert "Traceback" not in both, both
    assert "internal error" not in both, both
    return result


def _one_in_four(data: bytes) -> bool:
    return zlib.crc32(data) % 4 == 0


# --- making inputs --------------------------------------------------------------------------------


def _edited(bases: list[bytes], fragments: list[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy of seeds with a few places cut, put in or swapped for others'."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(bases))
        for _ in range(draw(st.integers(0, 5))):
            at = draw(st.integers(0, len(data)))
            cut = draw(st.integers(0, 6))
            act = draw(st.integers(0, 2))
            if act == 0:
                data = data[:at] + draw(st.sampled_from(fragments)) + data[at + cut :]
            elif act == 1:
                data = data[:at] + draw(st.binary(max_size=3)) + data[at + cut :]
            else:
                other = draw(st.sampled_from(bases))
                start = draw(st.integers(0, len(other)))
                data = data[:at] + other[start : start + draw(st.integers(0, 60))] + data[at + cut :]
        return data

    return made()


def _soup(fragments: list[bytes], size: int = 14) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(fragments), max_size=size).map(b"".join)


# --- log lines ------------------------------------------------------------------------------------

_BLANK = b" \t\r\f\v"
_JSON = [
    b"{", b"}", b"[", b"]", b":", b",", b'"', b'"a"', b'"run_data":', b'{"a":1}', b'"\\u0061":2', b"1", b"-", b"0", b".5", b"1.5", b"e9", b"e999", b"E+400", b"null", b"true", b"nul", b"NaN", b"Infinity",
    b"\\", b"\\n", b"\\u", b"\\ud83d", b"\\ude00", b"\xff", b"\xc3", b"\xc3\xa9", b"\xef\xbb\xbf", b" ", b"\t", b"\r", b"\n", b"\0", b"\x1f", b"/", b"#", b"'", b"<<<<<<< ", b"9" * 308, b"9" * 5000, b"[" * 70, b'{"a":' * 64, b"}" * 64, b"\xe2\x80\xa8",
]  # fmt: skip


def _lines(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    one = (
        _edited(seeds, _JSON)
        | _soup(_JSON)
        | _soup(_JSON).map(lambda raw: b'{"run_data":' + raw + b"}")
        | st.binary(max_size=40)
    )
    return st.tuples(
        st.lists(one, min_size=1, max_size=8).map(b"\n".join), st.sampled_from([b"\n", b"\n", b"", b"\r\n"])
    ).map(b"".join)


def check_lines(data: bytes) -> None:
    """Hold the findings of a log against a strict reading of each line by the standard library, and by jsonschema."""
    args = ("check", "-", "--stdin-log", "training_log", "--output-format", "json")
    result = _ran("lines", *args, stdin=data)
    assert result.code != 2, result.err
    if _one_in_four(data):
        assert _ran("lines", *args, stdin=data) == result, "two runs differ"
    document = result.json
    rules: dict[int, set[str]] = {}
    errors: dict[int, set[str]] = {}
    for found in document["findings"]:
        rules.setdefault(found["line"], set()).add(found["rule"])
        if found["severity"] == "error":
            errors.setdefault(found["line"], set()).add(found["rule"])
    raws = data.split(b"\n")
    raws = raws if raws[-1] else raws[:-1]
    assert document["logs"][0]["lines"] == len(raws)
    entries = [entry_of(raw) for raw in raws]
    if any("not-a-log" in found for found in errors.values()):
        # Not a line has a member that the log kind knows, and they are not gone into.
        assert not any(entry and {"timestamp", "run_data"} & entry.keys() for entry in entries)
        return
    for number, (raw, entry) in enumerate(zip(raws, entries, strict=True), 1):
        if not raw.strip(_BLANK):
            assert "blank-line" in rules[number], number
        elif entry is None:
            assert errors.get(number, set()) & {"invalid-json", "duplicate-member"}, (
                f"line {number} is no strict JSON"
            )
        else:
            assert not rules.get(number, set()) & {"invalid-json", "duplicate-member"}, (
                f"line {number} is strict JSON"
            )
            if not _schema("training_log").is_valid(entry):
                assert rules.get(number), f"line {number} breaks the schema"
            else:
                assert "schema" not in rules.get(number, ()), f"line {number} satisfies the schema"
    # The next append lands behind a blank one, too, but is read all the same.
    if raws and raws[-1].strip(_BLANK) and not data.endswith(b"\n"):
        assert errors.get(len(raws)), "the last line has no newline"


# --- YAML -----------------------------------------------------------------------------------------

_YAML = [
    b"\n", b"\n  ", b"\n    ", b": ", b"- ", b"? ", b"{", b"}", b"[", b"]", b", ", b"'", b'"', b"|", b">", b"> 0.5", b"&a ", b"*a", b"!!python/object:os.x ", b"!x ", b"<<: ", b"#", b"%YAML 1.1\n", b"---\n", b"...\n", b"~", b"null", b"true", b"off", b"1e999", b".inf", b".nan", b"0x1F", b"1_000", b"1:30", b"2025-01-01", b"\t", b"\r", b"\0", b"\xff", b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"\\x", b"\\ud800", b"{a: " * 40,
    b"experiment_type: x\n", b"domain: x\n", b"log: training_log\n", b"criteria: ", b"accuracy: ", b"above: ", b"assert: ", b"when: ", b"first: ", b"references: ", b"requires: ", b"replace: true\n", b"severity: ", b"waivers: ", b"limits: ", b"extends: ", b"rules: ", b"error", b"ignore", b"9" * 30,
]  # fmt: skip


def _texts(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    return _edited(seeds, _YAML) | _soup(_YAML)


def _plainly_wrong(data: bytes) -> bool:
    """Return whether PyYAML refuses a text, or whether it holds what the gate says that it never takes."""
    try:
        text = data.decode("utf-8")
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
    except (ValueError, yaml.YAMLError, RecursionError):
        return True
    starts = sum(isinstance(event, yaml.DocumentStartEvent) for event in events)
    odd = any(getattr(event, name, None) is not None for event in events for name in ("anchor", "tag"))
    return starts > 1 or odd or any(isinstance(event, yaml.AliasEvent) for event in events)


def _breaks(data: bytes, schema: str) -> bool:
    """Return whether jsonschema refuses the value of a file of ours; a file of nothing has none."""
    root, mistakes = load(data, "x")
    if root is None or mistakes or root.value is None:
        return False
    return not _schema(schema).is_valid(root.plain())


_LOG = lines(a_run(change=lambda run: run.update(experiment_type="odd")))


def check_rules(data: bytes) -> None:
    """Hold the gate's word on a rules file against PyYAML and jsonschema."""
    config = b"rules: [rules]\n"
    files = {"nsm-gate.yaml": config, "rules/odd.yaml": data, "training_log.jsonl": _LOG}
    result = _ran("rules", "check", "--all", "--output-format", "json", **files)
    # Of a file of nothing, nothing says what it defines.
    bad = _plainly_wrong(data) or _breaks(data, "rules") or not data.strip()
    assert not bad or result.code == 2, "a rules file that is none was taken"
    if result.code == 2:
        assert set(result.json) == {"error"}
        # A file that makes an empty policy is the configuration's fault.
        assert "rules/odd.yaml" in result.err or "nsm-gate.yaml" in result.err, result.err
    if _one_in_four(data):
        assert _ran("rules", "check", "--all", "--output-format", "json") == result, "two runs differ"


def check_configuration(data: bytes) -> None:
    """Hold the gate's word on a configuration against PyYAML and jsonschema."""
    files = {"nsm-gate.yaml": data, "training_log.jsonl": lines(a_run()) + b"torn"}
    result = _ran("configuration", "check", "--all", "--output-format", "json", **files)
    bad = _plainly_wrong(data) or _breaks(data, "config")
    assert not bad or result.code == 2, "a configuration that is none was taken"
    if result.code == 2:
        assert set(result.json) == {"error"}
        assert "nsm-gate.yaml" in result.err or "training_log.jsonl" in result.err, result.err
    elif result.code == 0:
        # The log is torn: somebody must have said that it does not matter.
        assert any(word in data for word in (b"exclude", b"severity", b"waivers")), "torn, and clean"
    if _one_in_four(data):
        assert _ran("configuration", "check", "--all", "--output-format", "json") == result, "two runs differ"


# --- expressions ----------------------------------------------------------------------------------

_WORDS = [
    b" and ", b" or ", b"not ", b" in ", b" not in ", b" < ", b" <= ", b" > ", b" >= ", b" == ", b" != ", b" + ", b" - ", b" * ", b" / ", b"(", b")", b"[", b"]", b", ", b".", b"a", b"b", b"c", b"d.e", b'd["e"]', b"1", b"0", b"2.5", b".5", b"1e3", b"1e999", b"9" * 40, b"'x'", b'"a"', b"true", b"false", b"True", b"null", b"known(", b"first(", b"abs(", b"min(", b"max(", b"len(", b"mean(", b"last(", b"close(", b", tolerance=", b"decreasing(", b"achieved(", b"lookup(", b"count(", b"=", b"-", b"- -", b"not not ", b"#", b"\n", b"\\", b"'", b'"', b"\xc2\xa0", b"**", b"//", b"lambda: ", b"if ",
]  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.1, 0.2, 0.3, 1e308, 5e-324, 1.0]) | st.text("ax ", max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


def _grammar() -> st.SearchStrategy[bytes]:
    """Return a strategy of texts that mostly parse."""
    leaves = st.sampled_from(
        [
            b"a",
            b"b",
            b"c",
            b"d.e",
            b'd["e"]',
            b"1",
            b"0.55",
            b"1e3",
            b"-2",
            b"true",
            b"'x'",
            b"[]",
            b"missing",
        ]
    )
    infix = st.sampled_from(
        [
            b" and ",
            b" or ",
            b" < ",
            b" <= ",
            b" > ",
            b" >= ",
            b" == ",
            b" != ",
            b" + ",
            b" - ",
            b" * ",
            b" / ",
            b" in ",
            b" not in ",
        ]
    )
    calls = st.sampled_from(
        [b"known(", b"abs(", b"len(", b"mean(", b"last(", b"achieved(", b"min(", b"max(", b"first("]
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, infix, inner).map(b"".join) | inner.map(lambda text: b"(" + text + b")") | inner.map(lambda text: b"not " + text)
            | st.tuples(calls, inner).map(lambda parts: b"".join(parts) + b")") | st.tuples(inner, inner).map(lambda parts: b"[" + b", ".join(parts) + b"]")
            | st.tuples(inner, inner, inner).map(lambda parts: b"close(" + parts[0] + b", " + parts[1] + b", tolerance=" + parts[2] + b")")
        ),
        max_leaves=12,
    )  # fmt: skip


def _expressions(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    texts = [seed.rpartition(b"\n")[0] or seed for seed in seeds]
    run = st.fixed_dictionaries(dict.fromkeys(("a", "b", "c", "d.e"), _VALUES))
    text = _grammar() | _edited(texts, _WORDS) | _soup(_WORDS, 20)
    return st.tuples(text, run).map(lambda pair: pair[0] + b"\n" + json.dumps(pair[1]).encode())


def _parsed(text: str) -> Node | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error


def check_expression(data: bytes) -> None:
    """Hold an expression and its value against Python's reading; the last line of the input is the run, as JSON."""
    raw, _, run = data.rpartition(b"\n")
    try:
        text, values = raw.decode("utf-8"), json.loads(run)
    except ValueError:
        return  # no input of this target
    parsed = _parsed(text)
    if isinstance(parsed, ExpressionError):
        assert str(parsed)
        assert 1 <= parsed.column <= len(text) + 1
        return
    try:
        tree = python.tree(text)
    except python.Beyond:
        tree = None
    else:
        assert tree is not None, "Python reads no expression"

    def lookup(path: tuple[str, ...], gaps: bool = False, /) -> Any:
        found = values.get(".".join(path))
        return UNKNOWN if found is None else found

    found = parsed.value(lookup)
    assert repr(found) == repr(parsed.value(lookup)), "two evaluations differ"
    parsed.margin(lookup)
    if tree is None:
        return
    try:
        wanted = python.value(tree, lambda path: values.get(".".join(path)))
    except (python.Beyond, RecursionError):
        return
    if wanted is python.UNKNOWN:
        assert found is UNKNOWN, f"{found!r} where Python's reading is unknown"
    elif isinstance(wanted, (bool, str, list)):
        assert found == wanted, f"{found!r} where Python's reading is {wanted!r}"
        assert type(found) is type(wanted)
    else:
        assert found is not UNKNOWN, f"unknown where Python's reading is {wanted!r}"
        assert _exact(found) == _exact(wanted), f"{found!r} where Python's reading is {wanted!r}"


def _exact(number: Any) -> Decimal:
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


TARGETS = {
    target.name: target
    for target in (
        Target("lines", _lines, check_lines, 24),
        Target("rules", _texts, check_rules, 20),
        Target("configuration", _texts, check_configuration, 24),
        Target("expressions", _expressions, check_expression, 120),
    )
}


def seeds_of(name: str, folder: Path = SEEDS) -> dict[str, bytes]:
    """Return the saved inputs of a target by file name, in order."""
    return {path.name: path.read_bytes() for path in sorted((folder / name).glob("*")) if path.is_file()}
