"""Rules files: YAML that explodes or surprises, members of every wrong type, and laws that eat themselves."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import jsonschema
import yaml

from tests.hostile.case import ANY, CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG, log_of
from tests.support import ROOT, a_run

CONFIG = "rules: [rules]\n"
FILE = "rules/odd.yaml"
TYPE = "experiment_type: odd\n"
RUN = a_run("odd_new_20251102", 5, lambda run: run.update(experiment_type="odd"))
KIND: dict[str, Any] = {
    "log": "probes", "files": ["probes.jsonl"], "schema": "probe.schema.json", "key": ["id"], "run_id": "id",
}  # fmt: skip
PROBE = '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "score": {"type": "number"}}}'
SHAPE = json.loads((ROOT / "schemas" / "rules.schema.json").read_bytes())


def rules(name: str, text: str | bytes, codes: tuple[int, ...] = REFUSED, **members: Any) -> Case:
    """Return a case: one rules file beside a good log."""
    return Case(**{
        "name": name, "codes": codes, "file": FILE if codes == REFUSED else "",
        "files": {"nsm-gate.yaml": CONFIG, FILE: text, LOG: log_of(RUN)}, **members,
    })  # fmt: skip


def _bombs() -> Iterator[Case]:
    """YAML that takes a parser down, or runs code in one."""
    merge = "a0: &a0 {x: 1}\n" + "".join(
        f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)
    )
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)
    )
    for name, text in {
        "merge bomb": merge, "billion laughs": laughs, "alias to itself": "a: &a [*a]\n", "anchor alone": TYPE + "description: &x y\n",
        "undefined alias": TYPE + "description: *nowhere\n", "merge key": TYPE + "<<: {description: x}\n",
        "python object": TYPE + "description: !!python/object/apply:os.system ['touch marker']\n", "python name": "!!python/name:os.system {}\n",
        "python module": TYPE + "description: !!python/module:os ''\n", "local tag": "!evil {experiment_type: odd}\n", "set tag": "!!set {a, b}\n",
        "binary tag": TYPE + "description: !!binary aGVsbG8=\n", "str tag": TYPE + "description: !!str x\n", "tag directive": "%TAG ! tag:x,2000:\n---\n!x {a: 1}\n",
        "yaml 3": "%YAML 3.0\n---\nexperiment_type: odd\n", "two documents": TYPE + "---\n" + TYPE, "document end and more": TYPE + "...\n" + TYPE,
        "flow as deep as memory": "[" * 100_000, "maps as deep as memory": "{a: " * 50_000, "block as deep as memory": "".join(" " * i + "a:\n" for i in range(400)),
        "33 deep": TYPE + "criteria: " + "{a: " * 33 + "1" + "}" * 33, "hundred thousand dashes": "- " * 100_000, "thirty thousand values": TYPE + "requires: [" + "a, " * 30_000 + "]\n",
        "long scalar": TYPE + f"description: {'x' * 20_000}\n", "long key": f"{'x' * 20_000}: 1\n", "long quoted": TYPE + f'description: "{"x" * 200_000}"\n',
        "over the size": TYPE + "# " + "x" * 300_000 + "\n", "sexagesimal": TYPE + "description: " + "1:" * 50_000 + "1\n", "question marks": "? " * 5000,
        "colons": ":" * 60_000, "ampersands": "&" * 5000, "stars": "*" * 5000, "quotes": "'" * 60_001, "percent": "%" * 1000, "exclamation": "!" * 10_000, "bars": "|" * 10_000,
        "nothing but tabs": "\t" * 1000, "tab for indent": TYPE + "criteria:\n\taccuracy: '> 0.5'\n", "duplicate key": TYPE + TYPE, "number as key": TYPE + "1: x\n",
        "null as key": TYPE + "~: x\n", "true as key": TYPE + "true: x\n", "list as key": TYPE + "[a]: x\n", "map as key": TYPE + "{a: b}: x\n", "explicit complex key": "? [a]\n: b\n",
        "unquoted threshold": TYPE + "criteria:\n  accuracy: >0.5\n", "block threshold": TYPE + "criteria:\n  accuracy: >1\n", "block literal": TYPE + "criteria:\n  accuracy: |\n    > 0.5\n    > 0.6\n",
        "unclosed quote": TYPE + 'description: "x\n', "unclosed bracket": TYPE + "requires: [a\n", "unclosed brace": TYPE + "criteria: {a: 1\n", "stray brace": TYPE + "}\n", "at sign": TYPE + "description: @x\n",
        "backtick": TYPE + "description: `x`\n", "line separator": TYPE + "description: x # a\u2028replace: true\n", "next line": TYPE + "# a\x85replace: true\n", "paragraph separator": "# \u2029" + TYPE,
        "control character": TYPE + "description: a\x07b\n", "NUL": TYPE + "description: a\0b\n", "escaped NUL key": TYPE + '"\\0": 1\n', "lone surrogate": TYPE + 'description: "\\ud800"\n', "escape beyond unicode": TYPE + 'description: "\\UFFFFFFFF"\n',
        "binary": b"\x89PNG\r\n\x1a\n\0\0\0", "latin-1": TYPE.encode() + b"description: caf\xe9\n", "utf-16": TYPE.encode("utf-16"), "utf-32": TYPE.encode("utf-32"), "bom and nothing": b"\xef\xbb\xbf", "json with a comment": '{"experiment_type": "odd", /* x */}',
        "toml": "[tool]\nx = 1\n", "scalar": "odd\n", "list": "- odd\n", "number": "1\n", "null": "null\n", "empty": "", "comment only": "# nothing\n", "directive only": "%YAML 1.2\n", "start only": "---\n", "unknown word": "experiment: odd\n",
    }.items():  # fmt: skip
        yield rules(f"yaml: {name}", text)
    yield rules("yaml: byte order mark", b"\xef\xbb\xbf" + TYPE.encode(), ANY)
    yield rules(
        "yaml: windows line endings", (TYPE + "criteria:\n  accuracy: '> 0.5'\n").replace("\n", "\r\n"), CLEAN
    )
    yield rules(
        "yaml: old mac line endings", (TYPE + "criteria:\n  accuracy: '> 0.5'\n").replace("\n", "\r"), ANY
    )
    yield rules("yaml: no newline at the end", TYPE.strip(), CLEAN)


def _wrong_members() -> Iterator[Case]:
    """Every member of a log kind and of a type with values of every wrong type; the reference judges the shape."""
    judge = jsonschema.Draft202012Validator(SHAPE)
    odd = {"null": None, "number": 1, "list": [], "dots": "a..b", "unknown": {"x": {"y": 1}}}
    places = (
        "log", "files", "schema", "run", "key", "run_id", "times", "hyperparameters", "names", "rates", "references", "assertions", "severity", "criteria", "experiment_type",
    )  # fmt: skip
    for place in places:
        for name, value in odd.items():
            value = {**KIND, place: value}
            refused = not judge.is_valid(value)
            files = {
                "nsm-gate.yaml": CONFIG,
                FILE: json.dumps(value),
                "rules/probe.schema.json": PROBE,
                LOG: log_of(RUN),
            }
            yield rules(f"member: {place} is {name}", "", REFUSED if refused else ANY, files=files)
    for name, text in {
        "no log": "criteria: {}\n", "two kinds": "experiment_type: odd\ndomain: odd\n", "unknown member": TYPE + "criterias: {}\n", "name with a slash": "experiment_type: ../../etc\n",
        "name of null": "experiment_type: null\n", "name of a number": "experiment_type: 1\n", "name too long": f"experiment_type: {'x' * 81}\n", "name with a newline": 'experiment_type: "a\\nb"\n', "name of an escape": 'experiment_type: "\\e[31m"\n',
        "name of a command": 'experiment_type: "::error::x"\n', "replace of text": TYPE + "replace: 'yes'\n", "replace of on": TYPE + "replace: on\n", "requires of a number": TYPE + "requires: [1]\n", "requires of text": TYPE + "requires: seed\n",
        "examples of text": TYPE + "examples: x\n", "criteria of a list": TYPE + "criteria: ['> 0.5']\n", "criterion of null": TYPE + "criteria: {accuracy: null}\n", "criterion of a number": TYPE + "criteria: {accuracy: 0.5}\n", "criterion of true": TYPE + "criteria: {accuracy: true}\n",
        "criterion of nothing": TYPE + "criteria: {accuracy: {}}\n", "criterion of two forms": TYPE + "criteria: {accuracy: {above: 0.5, below: 0.9}}\n", "criterion of no form": TYPE + "criteria: {accuracy: {source: x}}\n", "above of a list": TYPE + "criteria: {accuracy: {above: [1]}}\n",
        "above of nan": TYPE + "criteria: {accuracy: {above: .nan}}\n", "above of infinity": TYPE + "criteria: {accuracy: {above: .inf}}\n", "above of true": TYPE + "criteria: {accuracy: {above: true}}\n", "by of minus": TYPE + "criteria: {accuracy: {above: 0.5, by: -1}}\n",
        "by of percent of percent": TYPE + "criteria: {accuracy: {above: 0.5, by: 5%%}}\n", "standard errors of zero": TYPE + "criteria: {accuracy: {above: 0.5, standard_errors: 0}}\n", "standard errors of many": TYPE + "criteria: {accuracy: {above: 0.5, standard_errors: 1e9}}\n",
        "use of another": TYPE + "criteria: {d: {use: log}}\n", "series without is": TYPE + "criteria: {d: {series: loss_history}}\n", "series of a wish": TYPE + "criteria: {d: {series: loss_history, is: good}}\n", "tolerance below zero": TYPE + "criteria: {d: {series: loss_history, is: decreasing, tolerance: -1}}\n",
        "bumps of half": TYPE + "criteria: {d: {series: loss_history, is: decreasing, bumps: 0.5}}\n", "last of zero": TYPE + "criteria: {d: {series: loss_history, is: stable, last: 0}}\n", "bumps for stable": TYPE + "criteria: {d: {series: loss_history, is: stable, bumps: 1}}\n", "first of nothing": TYPE + "criteria: {d: {first: []}}\n",
        "else in the middle": TYPE + "criteria: {accuracy: {first: [{else: '> 1'}, {if: accuracy > 0, then: '> 0'}]}}\n", "branch of nothing": TYPE + "criteria: {accuracy: {first: [{}]}}\n", "unknown name": TYPE + "criteria: {d: {assert: acuracy > 0.5}}\n", "name of nobody": TYPE + "criteria: {zzz: '> 0.5'}\n",
        "reference from nowhere": TYPE + "references: {r: {from: nowhere, pick: max(accuracy), none: fail}}\n", "reference to itself": TYPE + "references: {r: {from: training_log, where: r.accuracy > 0, pick: max(accuracy), none: fail}}\n", "reference called accuracy": TYPE + "references: {accuracy: {from: training_log, pick: max(accuracy), none: fail}}\n",
        "pick of an expression": TYPE + "references: {r: {from: training_log, pick: max(1), none: fail}}\n", "pick of len": TYPE + "references: {r: {from: training_log, pick: len(accuracy), none: fail}}\n", "none of a wish": TYPE + "references: {r: {from: training_log, pick: max(accuracy), none: maybe}}\n",
        "same of an expression": TYPE + "references: {r: {from: training_log, same: ['a == b'], pick: max(accuracy), none: fail}}\n", "reference called this": TYPE + "references: {this: {from: training_log, pick: max(accuracy), none: fail}}\n", "severity of a wish": "log: training_log\nseverity: {schema: fatal}\n",
        "severity of no rule": "log: training_log\nseverity: {no-such-rule: error}\n", "assertion at nowhere": "log: training_log\nassertions: {a: {assert: accuracy > 0, at: nowhere, message: m}}\n", "assertion without a place": "log: training_log\nassertions: {a: {assert: accuracy > 0, message: m}}\n",
        "log without files": "log: mine\nschema: training_log.schema.json\nkey: [run_id]\n", "log without a key": "log: mine\nfiles: [m.jsonl]\nschema: training_log.schema.json\n", "rate of nobody": "log: training_log\nrates: {zzz: nowhere}\n",
    }.items():  # fmt: skip
        yield rules(f"law: {name}", text)
    yield rules("law: member of a domain twice", "domain: odd\nmetrics: [top, top]\n", ANY)
    yield rules(
        "law: one type in two files",
        TYPE,
        files={"nsm-gate.yaml": CONFIG, FILE: TYPE, "rules/two.yaml": TYPE, LOG: log_of(RUN)},
        file="rules/two.yaml",
    )
    yield rules("law: a file of each mistake", "", files={
        "nsm-gate.yaml": CONFIG, LOG: log_of(RUN), **{f"rules/{i}.yaml": TYPE + f"criteria: {{zzz{i}: '>'}}\n" for i in range(60)},
    }, file="rules/0.yaml")  # fmt: skip
    yield rules(
        "law: a thousand criteria",
        TYPE + "criteria:\n" + "".join(f"  c{i}: {{assert: accuracy > {i}}}\n" for i in range(1000)),
        ANY,
    )
    yield rules("law: an empty set", TYPE, CLEAN)


def _globs() -> Iterator[Case]:
    """Names of files that a log kind claims, and of the schema that it takes."""
    for name, globs in {
        "all": ["**"], "nothing": ["x/"], "stars": ["*" * 500], "double stars": ["/".join(["**"] * 200) + "/x"], "stars and letters": ["*a" * 200 + "b"], "question marks": ["?" * 1000],
        "brackets": ["[!a-\\]*"], "braces": ["{a,b}{c,d}" * 50], "absolute": ["/etc/passwd"], "parent": ["../**"], "home": ["~/x.jsonl"], "escape": ["\u001b[31m*"], "url": ["http://x/**"], "backslash": ["\\\\server\\x"],
        "git": [".git/**"], "itself": ["rules/**"], "many": [f"{i}.jsonl" for i in range(3000)],
    }.items():  # fmt: skip
        kind = {**KIND, "files": globs}
        files = {
            "nsm-gate.yaml": CONFIG,
            FILE: json.dumps(kind),
            "rules/probe.schema.json": PROBE,
            LOG: log_of(RUN),
            "a" * 100 + ".jsonl": b"{}\n",
        }
        yield rules(f"files: {name}", "", ANY, files=files)
    for name, path in {
        "parent": "../../etc/passwd", "absolute": "/etc/passwd", "url": "http://127.0.0.1:9/x.json", "file url": "file:///etc/passwd", "folder": ".", "up": "..", "NUL": "a\\0b", "newline": "a\\nb", "long": "x" * 5000,
        "environment": "$HOME/x.json", "missing": "nowhere.json", "the config": "../nsm-gate.yaml", "encoded parent": "%2e%2e/x.json", "backslash parent": "..\\\\..\\\\x.json", "device": "/dev/stdin", "process": "/proc/self/environ",
    }.items():  # fmt: skip
        yield rules(
            f"schema at: {name}",
            f'log: probes\nfiles: [p.jsonl]\nkey: [id]\nschema: "{path}"\n',
            hides="root:",
        )


def _links() -> Iterator[Case]:
    """Rules that lie elsewhere."""

    def linked_file(scene: Scene) -> None:
        (scene.outside / "odd.yaml").write_text(TYPE)
        (scene.root / "rules").mkdir(exist_ok=True)
        (scene.root / FILE).symlink_to(scene.outside / "odd.yaml")

    def linked_folder(scene: Scene) -> None:
        (scene.outside / "rules").mkdir()
        (scene.outside / "rules" / "odd.yaml").write_text(TYPE)
        (scene.root / "rules").symlink_to(scene.outside / "rules")

    def linked_schema(scene: Scene) -> None:
        (scene.outside / "probe.json").write_text(PROBE)
        scene.repo.write(FILE, json.dumps(KIND))
        (scene.root / "rules" / "probe.schema.json").symlink_to(scene.outside / "probe.json")

    def loop(scene: Scene) -> None:
        (scene.root / "rules").mkdir()
        (scene.root / FILE).symlink_to("odd.yaml")

    def folder(scene: Scene) -> None:
        (scene.root / FILE).mkdir(parents=True)

    def unreadable(scene: Scene) -> None:
        scene.repo.write(FILE, TYPE).chmod(0)

    bare = {"nsm-gate.yaml": CONFIG, LOG: log_of(RUN)}
    yield rules("place: a link to a file outside", "", files=bare, make=linked_file)
    yield rules("place: a link to a folder outside", "", files=bare, make=linked_folder, file="nsm-gate.yaml")
    yield rules("place: a link to a schema outside", "", files=bare, make=linked_schema)
    yield rules("place: a link to itself", "", files=bare, make=loop)
    yield rules("place: a folder called like a file", "", files=bare, make=folder, file="nsm-gate.yaml")
    yield rules("place: a file that cannot be read", "", ANY, files=bare, make=unreadable)  # root reads it


def _damaged() -> Iterator[Case]:
    """Good rules files with characters changed, by seed; what PyYAML refuses, the gate does."""
    sources = [
        path.read_text().partition("\nexamples:\n")[0] for path in sorted((ROOT / "rules").rglob("*.yaml"))
    ]
    for seed in range(60):
        chance = random.Random(seed)
        text = list(chance.choice(sources))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(text))
            act = chance.randrange(3)
            if act == 0:
                text[at] = chance.choice("{}[]:,'\"\\|>-#&*!%@`?\t\n 0aé")
            elif act == 1:
                del text[at : at + chance.randrange(1, 6)]
            else:
                text[at:at] = chance.choice(
                    [
                        "\n",
                        "  ",
                        "{",
                        "[",
                        "'",
                        '"',
                        ": ",
                        "- ",
                        "&a ",
                        "*a",
                        "!!x ",
                        "<<: ",
                        "\t",
                        "null",
                        "0x1",
                    ]
                )
        made = "".join(text)
        try:
            yaml.safe_load(made)
            codes = ANY
        except yaml.YAMLError:
            codes = REFUSED
        yield rules(f"damage {seed}", made, codes)


CASES = through("rules", (*_bombs(), *_wrong_members(), *_globs(), *_links(), *_damaged()))
