"""The public JSON Schema suite: the engine as the gate sets it up, and the reference, with remotes from memory.

Where one of them answers otherwise than the suite, `schema_suite_differences.txt` says so and why. It was
read by a person: a difference that appears fails a test, and so does one that is gone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7, DRAFT201909, DRAFT202012

from nsm_gate.errors import GateError
from nsm_gate.native import engine
from nsm_gate.schema import Validator
from tests.support import SHARED

SUITE = SHARED / "suites" / "JSON-Schema-Test-Suite"
REVIEWED = Path(__file__).parent / "schema_suite_differences.txt"
DRAFTS: dict[str, tuple[Any, Any]] = {
    "draft2020-12": (jsonschema.Draft202012Validator, DRAFT202012),
    "draft2019-09": (jsonschema.Draft201909Validator, DRAFT201909),
    "draft7": (jsonschema.Draft7Validator, DRAFT7),
}
TESTS = {"draft2020-12": 2225, "draft2019-09": 2174, "draft7": 1721}
ELSEWHERE = {
    # Cases whose schema lies elsewhere: the gate fetches nothing, so it refuses the schema.
    "draft2020-12": {"dynamicRef.json": 5, "refRemote.json": 15, "vocabulary.json": 2, "optional/cross-draft.json": 1,
                     "optional/format-assertion.json": 2},
    "draft2019-09": {"refRemote.json": 15, "vocabulary.json": 2, "optional/cross-draft.json": 2},
    "draft7": {"refRemote.json": 11, "optional/cross-draft.json": 1},
}  # fmt: skip

Difference = tuple[str, str, str]
"""File, case and test."""

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="JSON-Schema-Test-Suite is not at hand")


def cases(draft: str) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = SUITE / "tests" / draft
    for path in sorted(folder.rglob("*.json")):
        for case in json.loads(path.read_bytes()):
            yield path.relative_to(folder).as_posix(), case


def remotes(draft: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the suite's remote schemas with their addresses; one that names no draft is of the tested one."""
    folder = SUITE / "remotes"
    found = []
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        contents = json.loads(path.read_bytes())
        of = name.partition("/")[0]
        if of == "v1" or (of.startswith("draft") and of != draft and "$schema" not in contents):
            continue  # another version's, for its own tests
        made = {"$schema": DRAFTS[draft][0].META_SCHEMA["$schema"], **contents}
        found.append((f"http://localhost:1234/{name}", made))
    return found


def differences(draft: str, accepts: Callable[[str, Any], Callable[[Any], bool]]) -> set[Difference]:
    """Return where an engine answers otherwise than the suite; an engine that raises has no answer."""
    found: set[Difference] = set()
    count = 0
    for file, case in cases(draft):
        judge = accepts(file, case["schema"])
        for test in case["tests"]:
            count += 1
            try:
                answer = judge(test["data"])
            except Exception:  # the reference raises several unrelated types
                answer = None
            if answer is not test["valid"]:
                found.add((file, case["description"], test["description"]))
    assert count == TESTS[draft]
    return found


def reviewed(engine: str, draft: str) -> set[Difference]:
    """Return the reviewed differences of an engine in one draft; each stands below the reason for it."""
    found: set[Difference] = set()
    reason = ""
    for row in REVIEWED.read_text(encoding="utf-8").splitlines():
        if row.startswith("#"):
            reason = row
        elif row:
            drafts, who, file, case, test = row.split(" :: ")
            assert reason, f"no reason stands above {row!r}"
            if who == engine and draft in drafts.split(","):
                assert (file, case, test) not in found
                found.add((file, case, test))
        else:
            reason = ""
    return found


@pytest.mark.parametrize("draft", DRAFTS)
def test_our_engine_passes_the_suite(draft: str, monkeypatch: pytest.MonkeyPatch) -> None:
    native = engine()
    compile_ = native.validator_for
    registry = jsonschema_rs.Registry(remotes(draft))
    # The gate's own options, and beside them the remotes, which the gate never has.
    monkeypatch.setattr(
        native,
        "validator_for",
        lambda schema, **options: compile_(schema, registry=registry, **options),
    )

    def accepts(file: str, schema: Any) -> Callable[[Any], bool]:
        members = schema if isinstance(schema, dict) else {"allOf": [schema]}
        validator = Validator({"$schema": DRAFTS[draft][0].META_SCHEMA["$schema"], **members}, file)

        def judge(value: Any) -> bool:
            accepted = validator.accepts(value)
            assert bool(list(validator.flaws(value))) is not accepted
            return accepted

        return judge

    assert differences(draft, accepts) == reviewed("gate", draft)


@pytest.mark.parametrize("draft", DRAFTS)
def test_the_reference_passes_the_suite(draft: str) -> None:
    registry: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(contents)) for address, contents in remotes(draft)
    )

    def accepts(file: str, schema: Any) -> Callable[[Any], bool]:
        if file.startswith("optional/format/"):
            return lambda _value: True  # which formats it knows depends on what else is installed
        judge: Callable[[Any], bool] = DRAFTS[draft][0](schema, registry=registry).is_valid
        return judge

    found = differences(draft, accepts)
    found = {difference for difference in found if not difference[0].startswith("optional/format/")}
    assert found == reviewed("reference", draft)


@pytest.mark.parametrize("draft", DRAFTS)
def test_a_schema_that_lies_elsewhere_is_refused_and_not_fetched(draft: str) -> None:
    refused: list[tuple[str, GateError]] = []
    for file, case in cases(draft):
        schema = case["schema"] if isinstance(case["schema"], dict) else {"allOf": [case["schema"]]}
        try:
            Validator({"$schema": DRAFTS[draft][0].META_SCHEMA["$schema"], **schema}, file)
        except GateError as error:
            refused.append((file, error))
    assert all("localhost:1234" in error.message and error.path == file for file, error in refused)
    assert Counter(file for file, _ in refused) == ELSEWHERE[draft]
