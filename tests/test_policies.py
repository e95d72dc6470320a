"""The short ways to a policy give what the YAML gives, and the long one is taken where they cannot."""

from __future__ import annotations

import pytest

from nsm_gate.checks import BY_ID
from nsm_gate.edge import packs
from nsm_gate.edge.policies import read_policy
from nsm_gate.edge.policy_files import read_rules
from nsm_gate.edge.trees import Files
from nsm_gate.errors import GateError, GateErrors
from nsm_gate.policy import Policy
from tests import compiled_pack
from tests.support import ROOT

CONFIGS = {
    "nothing": {},
    "empty": {"nsm-gate.yaml": ""},
    "comment": {"nsm-gate.yaml": "# nothing yet\n"},
    "another tool's": {"pyproject.toml": "[tool.black]\nline-length = 90\n"},
    "a word in a comment": {"pyproject.toml": "# nsm-gate reads nsm-gate.yaml\n[tool.black]\n"},
    "pyproject": {"pyproject.toml": "[tool.nsm-gate]\nexclude = ['old/']\n"},
    "severities": {
        "nsm-gate.yaml": "severity:\n  criterion-missed: error\n"
        "  missing-architecture: {training_log: {hyperparam_search: ignore}}\n"
    },
    "limits": {"nsm-gate.yaml": "extends: nsm\nlimits: {line: 2MiB, seconds: 5}\nexclude: [old/, '*.x']\n"},
    "waivers": {
        "nsm-gate.yaml": "waivers:\n  - {rule: schema, run: x_20251020, owner: me, reason: old, expires: 2027-01-01}\n"
    },
    "pinned": {"nsm-gate.yaml": "pack: 68b56bb744dc\n"},
    "own rules": {
        "nsm-gate.yaml": "rules: [rules/]\n",
        "rules/a.yaml": 'experiment_type: a\ncriteria: {accuracy: "> 0.5"}\n',
    },
}
WRONG = {
    "unknown rule": "severity: {criterion-mised: error}\n",
    "unknown member": "severities: {}\n",
    "not YAML": "severity: [\n",
    "a list": "- one\n",
    "a date": "waivers:\n  - {rule: schema, run: x, owner: me, reason: old, expires: soon}\n",
    "a folder": "rules: [nowhere/]\n",
    "a pack": "extends: no_such_pack\n",
}


def tree(files: dict[str, str]) -> Files:
    return Files({path: text.encode() for path, text in files.items()})


def long_way(files: dict[str, str]) -> Policy:
    return read_rules(tree(files), None, BY_ID)[0]


def test_the_pack_is_compiled_as_its_rules_are_today():
    assert (ROOT / compiled_pack.PATH).read_text("utf-8") == compiled_pack.source()
    made = packs.compiled()
    assert made == compiled_pack.built()
    assert repr(made) == repr(compiled_pack.built())


@pytest.mark.parametrize("files", CONFIGS.values(), ids=CONFIGS)
def test_the_short_ways_give_what_the_yaml_gives(files):
    short, long = read_policy(tree(files), None, BY_ID), long_way(files)
    assert short == long
    assert repr(short) == repr(long)


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_mistake_is_reported_as_the_long_way_reports_it(text):
    files = {"nsm-gate.yaml": text}
    with pytest.raises((GateError, GateErrors)) as short:
        read_policy(tree(files), None, BY_ID)
    with pytest.raises((GateError, GateErrors)) as long:
        long_way(files)
    assert short.value == long.value


def test_a_pack_that_was_changed_is_read_anew(tmp_path, monkeypatch):
    for folder in ("rules", "schemas"):
        for file in (ROOT / folder).rglob("*.*"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(packs, "_PLACES", (str(tmp_path),))
    assert packs.compiled() is not None
    changed = tmp_path / "rules/experiment_types/dual_pass_validation.yaml"
    text = changed.read_text("utf-8")
    assert text.count("accuracy: {above: 0.50,") == 1
    changed.write_text(text.replace("accuracy: {above: 0.50,", "accuracy: {above: 0.51,"), "utf-8")
    assert packs.compiled() is None
    criteria = read_policy(Files({}), None, BY_ID).experiment_types["dual_pass_validation"].criteria
    assert next(c for c in criteria if c.name == "accuracy").branches[0].expected == "> 0.51"


def test_a_schema_that_was_changed_is_read_anew(tmp_path, monkeypatch):
    content = dict(packs.files())
    monkeypatch.setattr(packs, "files", lambda: [*content.items()])
    assert packs.compiled() is not None
    content["nsm:schemas/training_log.schema.json"] += b"\n"
    assert packs.compiled() is None
