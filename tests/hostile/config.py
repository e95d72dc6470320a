"""The configuration: nsm-gate.yaml, [tool.nsm-gate], --config, and the waivers in them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import jsonschema

from tests.hostile.case import ANY, CLEAN, FOUND, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG, log_of
from tests.support import ROOT, a_run, edited

YAML, TOML = "nsm-gate.yaml", "pyproject.toml"
SHAPE = json.loads((ROOT / "schemas" / "config.schema.json").read_bytes())
WRONG = edited(a_run("planning_new_20251102", 5), findings="TODO")


def config(name: str, text: str | bytes, codes: tuple[int, ...] = REFUSED, **members: Any) -> Case:
    """Return a case: a configuration beside a log with one finding."""
    return Case(**{
        "name": name, "codes": codes, "file": YAML if codes == REFUSED else "",
        "files": {YAML: text, LOG: log_of(WRONG)}, **members,
    })  # fmt: skip


def _members() -> Iterator[Case]:
    """Every member with values of every wrong type; the reference judges the shape."""
    judge = jsonschema.Draft202012Validator(SHAPE)
    odd = {"null": None, "number": 1, "true": True, "text": "x", "list": [1], "map": {"x": {"y": {"z": 1}}}}
    for member in ("extends", "pack", "rules", "exclude", "severity", "waivers", "limits", "unknown"):
        for name, value in odd.items():
            made = {member: value}
            yield config(f"{member} is {name}", json.dumps(made), ANY if judge.is_valid(made) else REFUSED)
    for name, text in {
        "no mapping": "- a\n", "scalar": "nsm\n", "anchor": "rules: &a []\n", "alias": "rules: *a\n", "merge key": "<<: {rules: []}\n", "tag": "extends: !!python/object/apply:os.system [id]\n", "two documents": "extends: nsm\n---\nextends: none\n", "duplicate": "extends: nsm\nextends: none\n", "tab": "limits:\n\tline: 1\n",
        "utf-16": "extends: nsm\n".encode("utf-16"), "binary": b"\x00\xff", "line separator": "# x\u2028severity: {schema: ignore}\n", "too deep": "severity: " + "{a: " * 40 + "1" + "}" * 40, "too large": "# " + "x" * 300_000, "number as key": "1: x\n",
        "severity off": "severity: {schema: off}\n", "severity fatal": "severity: {schema: fatal}\n", "severity of no rule": "severity: {no-such-rule: error}\n", "severity in no log": "severity: {schema: {no_log: ignore}}\n", "severity of no type": "severity: {schema: {training_log: {no_type: ignore}}}\n", "severity of everything": "severity: {'*': ignore}\n", "severity too deep": "severity: {schema: {training_log: {domain_exploration: {x: error}}}}\n",
        "line limit of zero": "limits: {line: 0}\n", "line limit below zero": "limits: {line: -1}\n", "line limit of half": "limits: {line: 0.5}\n", "line limit of ages": "limits: {line: 1e300}\n", "line limit of a wish": "limits: {line: lots}\n", "line limit of a unit": "limits: {line: MiB}\n", "line limit of petabytes": "limits: {line: 999999999GiB}\n", "file limit of digits": f"limits: {{file: {'9' * 40}}}\n",
        "seconds of zero": "limits: {seconds: 0}\n", "seconds below zero": "limits: {seconds: -5}\n", "seconds of nan": "limits: {seconds: .nan}\n", "seconds of infinity": "limits: {seconds: .inf}\n", "seconds of text": "limits: {seconds: '5'}\n", "seconds of ages": "limits: {seconds: 1e300}\n", "unknown limit": "limits: {lines: 5}\n",
        "extends a path": "extends: ./evil\n", "extends up": "extends: ../evil\n", "extends dots": "extends: os.path\n", "extends an address": "extends: http://x/y\n", "extends nobody": "extends: nobody_ships_this\n", "extends the standard library": "extends: os\n", "extends what acts on import": "extends: antigravity\n", "extends a builtin": "extends: sys\n", "extends a frozen module": "extends: zipimport\n", "extends a dunder": "extends: __main__\n", "extends what lies beside": "extends: evil\n",
        "extends nothing and no kind": "extends: none\n", "pack of no digits": "pack: zzzz\n", "pack of a number": "pack: 000000000000\n", "rules nowhere": "rules: [nowhere]\n", "rules up": "rules: [../..]\n", "rules of the root": "rules: [/]\n", "rules of etc": "rules: [/etc]\n", "rules of git": "rules: [.git]\n", "rules of home": "rules: ['~']\n", "rules of a NUL": 'rules: ["a\\0b"]\n', "rules of nothing": "rules: ['']\n", "rules of a newline": 'rules: ["a\\nb"]\n', "rules of a command": 'rules: ["::error::x"]\n', "rules of a star": "rules: ['*']\n", "rules of here": "rules: [.]\n",
    }.items():  # fmt: skip
        members: dict[str, Any] = {}
        if name == "extends what lies beside":
            members["make"] = _evil_package
        yield config(f"member: {name}", text, **members)
    for name, text in {
        "exclude all": "exclude: ['**']\n", "exclude a bomb": f"exclude: ['{'*a' * 300}']\n", "exclude many stars": f"exclude: ['{'**/' * 300}x']\n", "exclude many": "exclude: [" + ", ".join(f"x{i}/**" for i in range(9000)) + "]\n", "exclude up": "exclude: ['../**']\n", "exclude a NUL": 'exclude: ["a\\0b"]\n',
        "all rules ignored": "severity: {missing-findings: ignore, schema: ignore, invalid-json: ignore}\n", "empty": "", "null": "null\n", "comment": "# nothing\n", "bom": b"\xef\xbb\xbfextends: nsm\n", "seconds of a day": "limits: {seconds: 86400}\n", "line limit of one": "limits: {line: 1}\n",
    }.items():  # fmt: skip
        yield config(f"accepted: {name}", text, ANY)


def _evil_package(scene: Scene) -> None:
    scene.repo.write("evil/__init__.py", f"open({str(scene.marker)!r}, 'w')\n")
    scene.repo.write("evil/nsm-gate-pack.yaml", "pack: evil\nseverity: {missing-findings: ignore}\n")


def _waivers() -> Iterator[Case]:
    good = {
        "rule": "missing-findings",
        "run": "planning_new_20251102",
        "owner": "o",
        "reason": "r",
        "expires": "2026-12-31",
    }

    def waived(name: str, codes: tuple[int, ...] = REFUSED, **changes: Any) -> Case:
        made = {key: value for key, value in {**good, **changes}.items() if value is not ...}
        return config(
            f"waiver: {name}",
            json.dumps({"waivers": [made]}),
            codes,
            file=YAML if codes == REFUSED else LOG if codes == FOUND else "",
        )

    for name, changes in {
        "of no rule": {"rule": "no-such-rule"}, "of all rules": {"rule": "*"}, "of rule null": {"rule": None}, "without a rule": {"rule": ...}, "without an owner": {"owner": ...}, "of no owner": {"owner": ""}, "of owner null": {"owner": None}, "without a reason": {"reason": ...}, "of no reason": {"reason": ""}, "without an end": {"expires": ...},
        "until null": {"expires": None}, "until a number": {"expires": 20261231}, "until never": {"expires": "never"}, "until no such day": {"expires": "2026-02-30"}, "until year zero": {"expires": "0000-01-01"}, "until full width": {"expires": "２０２６-12-31"}, "until a moment": {"expires": "2026-12-31T00:00:00Z"}, "until a long year": {"expires": "12026-12-31"}, "until month zero": {"expires": "2026-00-10"},
        "of everything": {"run": ...}, "of run null": {"run": None}, "of no run": {"run": ""}, "of all runs": {"run": ["*"]}, "of a run and a line": {"path": LOG, "line": 3}, "of a path alone": {"run": ..., "path": LOG}, "of a line alone": {"run": ..., "line": 3}, "of line zero": {"run": ..., "path": LOG, "line": 0}, "of line minus one": {"run": ..., "path": LOG, "line": -1}, "of line half": {"run": ..., "path": LOG, "line": 2.5}, "of line true": {"run": ..., "path": LOG, "line": True}, "unknown member": {"until": "2027-01-01"},
    }.items():  # fmt: skip
        yield waived(name, **changes)
    for name, changes in {
        "of a star": {"run": "*"}, "of a part": {"run": "planning_new"}, "of another case": {"run": "PLANNING_NEW_20251102"}, "of a look-alike": {"run": "planning_nеw_20251102"}, "of a pattern": {"run": "planning_.*"}, "of a space behind": {"run": "planning_new_20251102 "}, "of a glob": {"run": ..., "path": "**", "line": 3}, "of dots in the path": {"run": ..., "path": "./" + LOG, "line": 3},
        "of another line": {"run": ..., "path": LOG, "line": 2}, "of a line beyond": {"run": ..., "path": LOG, "line": 10**12}, "of yesterday": {"expires": "2026-05-31"}, "of the first day": {"expires": "0001-01-01"}, "of another rule": {"rule": "schema"},
    }.items():  # fmt: skip
        yield waived(name, FOUND, **changes)
    yield waived("that holds", CLEAN)
    yield waived("until the last day", CLEAN, expires="9999-12-31")
    yield config(
        "waiver: whose words act",
        json.dumps(
            {"waivers": [{**good, "owner": "::error::x", "reason": "##[error]y\n::endgroup::\x1b[31m"}]}
        ),
        CLEAN,
    )
    yield config("waiver: five hundred of one", json.dumps({"waivers": [good] * 500}), CLEAN)
    yield config("waiver: text for a list", "waivers: missing-findings\n")


def _toml() -> Iterator[Case]:
    for name, text in {
        "broken": "[tool.nsm-gate\n", "duplicate": '[tool.nsm-gate]\nextends = "nsm"\nextends = "none"\n', "two tables": "[tool.nsm-gate]\n[tool.nsm-gate]\n", "unknown member": "[tool.nsm-gate]\nx = 1\n", "table of a number": "[tool]\nnsm-gate = 1\n", "table of a list": "[[tool.nsm-gate]]\n", "table of text": '[tool]\nnsm-gate = "x"\n', "a date": "[tool.nsm-gate]\nrules = 2026-01-01\n",
        "nan": "[tool.nsm-gate]\nlimits = {seconds = nan}\n", "infinity": "[tool.nsm-gate]\nlimits = {seconds = inf}\n", "binary": b"[tool.nsm-gate]\n\xff", "NUL": b"[tool.nsm-gate]\n\0", "utf-16": "[tool.nsm-gate]\n".encode("utf-16-le") + b"nsm-gate", "deep": "[tool.nsm-gate]\nseverity = " + "[" * 5000 + "]" * 5000, "deeper tables": "[tool.nsm-gate." + ".".join("a" * 200) + "]\n", "fatal": '[tool.nsm-gate.severity]\nschema = "fatal"\n',
        "date in a waiver": '[[tool.nsm-gate.waivers]]\nrule = "schema"\nrun = "x"\nowner = "o"\nreason = "r"\nexpires = 2020-13-01\n', "huge number": "[tool.nsm-gate]\nlimits = {line = " + "9" * 5000 + "}\n", "control character": '[tool.nsm-gate]\nextends = "\x01"\n',
    }.items():  # fmt: skip
        yield config(f"toml: {name}", "", files={TOML: text, LOG: log_of(WRONG)}, file=TOML)
    for name, text in {
        "another project's broken file": "[tool\n", "another's binary": b"\xff\xfe\0", "another's deep file": "x = " + "[" * 100_000, "a mention in a comment": "# nsm-gate\n", "an empty table": "[tool.nsm-gate]\n", "a large other file": "x = 1\n" * 1 + "# " + "y" * 3_000_000 + "\n", "a mention in text": 'x = "nsm-gate"\n',
    }.items():  # fmt: skip
        yield config(
            f"toml: {name}",
            "",
            FOUND,
            files={TOML: text, LOG: log_of(WRONG)},
            file=LOG,
            rule="missing-findings",
        )
    text = "\n".join(f"k{i} = {i}" for i in range(20_000)) + '\n[tool.nsm-gate]\nextends = "nsm"\n'
    yield config("toml: many keys", "", files={TOML: text, LOG: log_of(WRONG)}, file=TOML)
    yield config(
        "toml: both files",
        "",
        files={TOML: "[tool.nsm-gate]\n", YAML: "extends: nsm\n", LOG: log_of(WRONG)},
        file=TOML,
    )


def _places() -> Iterator[Case]:
    bare = {LOG: log_of(WRONG)}

    def link(scene: Scene) -> None:
        (scene.outside / "c.yaml").write_text("severity: {missing-findings: ignore}\n")
        (scene.root / YAML).symlink_to(scene.outside / "c.yaml")

    def toml_link(scene: Scene) -> None:
        (scene.outside / "p.toml").write_text("[tool.nsm-gate]\nseverity = {missing-findings = 'ignore'}\n")
        (scene.root / TOML).symlink_to(scene.outside / "p.toml")

    def folder(scene: Scene) -> None:
        (scene.root / YAML).mkdir()

    def dangling(scene: Scene) -> None:
        (scene.root / YAML).symlink_to("nowhere")

    yield config("place: a link", "", files=bare, make=link)
    yield config("place: pyproject.toml is a link", "", files=bare, make=toml_link, file=TOML)
    yield config("place: a dangling link", "", files=bare, make=dangling)
    yield config("place: a folder", "", FOUND, files=bare, make=folder, file=LOG)
    yield config(
        "place: a pipe",
        "",
        files=bare,
        make=lambda scene: __import__("os").mkfifo(scene.root / YAML),
        process=True,
    )
    yield config("place: of another pack", "pack: '000000000000'\n", FOUND, file=LOG, says="rules-changed")
    for option, named in {
        "nowhere.yaml": "nowhere.yaml", "": "''", ".": "''", "/": "/", "..": "..", "/dev/null": "null", "/dev/zero": "zero", "/dev/stdin": "stdin", "/etc/passwd": "passwd", "/proc/self/environ": "environ", "{outside}": "outside", "a\nb": "a\nb", "x" * 5000: "xxx", "experiments": "experiments", LOG: LOG, "--all": "--all", "http://x/y.yaml": "http:/x/y.yaml", "nowhere.toml": "nowhere.toml",
    }.items():  # fmt: skip
        yield config(
            f"--config {option[:20]!r}",
            "",
            REFUSED,
            files=bare,
            args=("check", "--all", f"--config={option}"),
            file=named,
            hides="root:",
            process=option.startswith("/dev"),
        )


def _damaged() -> Iterator[Case]:
    source = (
        "extends: nsm\nrules: []\nexclude: [scratch/**]\nseverity:\n  criterion-missed: error\n  timestamp-naive: {training_log: error}\n"
        "waivers:\n  - rule: missing-findings\n    run: planning_new_20251102\n    owner: ml\n    reason: agreed\n    expires: 2026-12-31\nlimits: {line: 1MiB, seconds: 60}\n"
    )
    for seed in range(40):
        chance = random.Random(seed)
        text = list(source)
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(text))
            text[at : at + chance.randrange(2)] = chance.choice("{}[]:,'\"|>-#&*!%@?\n 0aé\t")
        yield config(f"damage {seed}", "".join(text), ANY)


CASES = (
    *through("configuration", (*_members(), *_toml(), *_places(), *_damaged())),
    *through("waivers", _waivers()),
)
