"""The other commands with hostile words, files and rules, standard input, and command lines that are none."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import ANY, CLEAN, FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.log_lines import GOOD
from tests.hostile.rules_files import PROBE
from tests.hostile.stage import LOG, log_of
from tests.support import a_run, edited, lines

WORDS = {
    "empty": "", "space": " ", "dash": "-", "dashes": "--", "option": "--all", "help": "-h", "newline": "a\nb", "escape": "\x1b[31m", "bidi": "\u202egnp", "command": "::error::forged", "old command": "##[error]forged", "azure": "##vso[task.x]y", "path": "../../etc/passwd", "glob": "*", "shell": "$(id)", "format": "{0.__class__}", "percent": "%s%n", "long": "x" * 20_000, "unicode": "漢字é", "surrogate": "\udcff", "dots": ".", "many dots": "a.b.c.d", "quote": "'\"`", "html": "<script>", "number": "1e999",
}  # fmt: skip
LOGS: dict[str, bytes | str] = {LOG: log_of()}


def _words() -> Iterator[Case]:
    """Every command that takes a name, with names that act."""
    commands: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("explain", ("explain",)), ("rules show", ("rules", "show")), ("rules test", ("rules", "test")), ("config show", ("config", "show")), ("new", ("new",)), ("new --domain", ("new", "domain_exploration", "--domain")), ("new --log", ("new", "--log")), ("init --type", ("init", "--dry-run", "--type")), ("init --domain", ("init", "--dry-run", "--domain")), ("textconv", ("textconv",)), ("rules impact --base", ("rules", "impact", "--base")), ("--stdin-log", ("check", "-", "--stdin-log")), ("--select", ("check", "--all", "--select")), ("--ignore", ("check", "--all", "--ignore")),
    )  # fmt: skip
    for which, (command, args) in enumerate(commands):
        slow = command == "rules test"
        for number, (name, word) in enumerate(WORDS.items()):
            if (number + which) % (8 if slow else 3):
                continue
            # A dash, or dashes, may mean something to the command line; where they do, the rest is as usual.
            # Every setting begins with nothing.
            codes = (
                ANY
                if word.startswith("-")
                or name in ("unicode", "dots", "many dots", "number", "glob")
                or (command in ("--ignore", "--select", "config show") and name == "empty")
                else REFUSED
            )
            yield Case(
                name=f"{command} {name}",
                args=(*args, word),
                files=LOGS,
                git=command == "rules impact --base",
                codes=codes,
                stdin=lines(a_run()),
            )
    for name, word in WORDS.items():
        if not word.startswith("-") and name not in ("empty", "surrogate"):
            yield Case(
                name=f"new --run-id {name}",
                args=("new", "domain_exploration", "--domain", "planning", "--run-id", word),
                codes=ANY,
            )
    for name, args in {
        "explain a line of zero": ("explain", "planning_one_20251101", "--line", "0"), "explain a line of minus one": ("explain", "planning_one_20251101", "--line", "-1"), "explain a line beyond": ("explain", "planning_one_20251101", "--line", "9" * 30), "explain a line of a wish": ("explain", "planning_one_20251101", "--line", "x"), "explain a line of another digit": ("explain", "planning_one_20251101", "--line", "２"), "explain elsewhere": ("explain", "planning_one_20251101", "/etc/passwd"), "explain nowhere": ("explain", "planning_one_20251101", "nowhere"),
        "config show of no format": ("config", "show", "--output-format", "xml"), "rules of nothing": ("rules", "nothing"), "rules list of more": ("rules", "list", "more"), "init of an address": ("init", "--dry-run", "--repo", "::error::x\n", "--rev", "v1"), "init of a revision": ("init", "--dry-run", "--repo", "https://x", "--rev", "\x1b[31m"), "init of both": ("init", "--type", "a", "--repo", "x"), "init outside of git": ("init",), "merge-driver of nothing": ("merge-driver",), "merge-driver of folders": ("merge-driver", ".", ".", ".", "x"), "textconv of two": ("textconv", LOG, LOG), "config file of a device": ("config", "show", "--config", "/dev/null"),
    }.items():  # fmt: skip
        yield Case(name=name, args=args, files=LOGS, codes=REFUSED)


def _logs() -> Iterator[Case]:
    """What reads logs leniently, on logs that are none."""
    new = a_run("planning_new_20251102", 5)
    sick: dict[str, bytes] = {
        "empty": b"", "NUL": b"\0" * 5000, "blank": b"\n" * 1000, "binary": bytes(range(256)) * 20, "deep": b"[" * 100_000 + b"\n", "torn": GOOD[:300], "no newline": GOOD, "huge number": b'{"run_data": {"run_id": ' + b"9" * 4000 + b"}}\n", "NaN": b'{"run_data": {"run_id": NaN}}\n', "run of a list": b'{"run_data": []}\n', "run id of a list": b'{"run_data": {"run_id": [1]}}\n', "run id of null": b'{"run_data": {"run_id": null}}\n', "not UTF-8": b'{"run_data": {"run_id": "\xff"}}\n',
        "escapes": lines(edited(new, run_id="\x1b[31m::error::x\r\n##[error]y\u202e", findings="\x1b]0;x\x07\u2028::error::z" * 20)), "long": lines(edited(new, findings="x" * 900_000)), "many members": lines(edited(new, final_metrics={f"m{i}": i for i in range(20_000)})), "nested": lines(edited(new, dataset_config__domain_params={"a": [[[[{"b": {"c": []}}]]]]})), "duplicate names": b'{"run_data": {"run_id": "a", "run_id": "b"}}\n', "utf-16": GOOD.decode().encode("utf-16"), "bom": b"\xef\xbb\xbf" + GOOD, "conflict": b"<<<<<<< HEAD\n" + GOOD + b"\n=======\n>>>>>>> x\n", "a million short lines": b"{}\n" * 20_000, "over the limit": b'{"a": "' + b"x" * (2 << 20) + b'"}\n',
    }  # fmt: skip
    for number, (name, data) in enumerate(sick.items()):
        files = {LOG: log_of(data)}
        yield Case(
            name=f"explain beside {name}",
            args=("explain", "planning_one_20251101"),
            files=files,
            codes=CLEAN,
            says="planning_one_20251101",
        )
        yield Case(name=f"textconv of {name}", args=("textconv", LOG), files={LOG: data}, codes=CLEAN)
        if number % 4 == 0:
            yield Case(
                name=f"rules impact on {name}",
                args=("rules", "impact", "--base", "HEAD"),
                files=files,
                git=True,
                codes=(0, 1),
            )
            yield Case(name=f"rules list beside {name}", args=("rules", "list"), files=files, codes=CLEAN)
        # The driver joins what it can read, and leaves all else as a conflict with both sides in the file.
        for side in ("BASE", "OURS", "THEIRS"):
            if (number + len(side)) % 3 == 0:
                sides = {
                    "BASE": log_of(),
                    "OURS": log_of(new),
                    "THEIRS": log_of(a_run("planning_other_20251103", 9)),
                    side: data,
                }
                yield Case(
                    name=f"merge-driver with {name} as {side}", args=("merge-driver", "BASE", "OURS", "THEIRS", LOG), files=sides, codes=(0, 1), writes=("OURS",),
                )  # fmt: skip

    def linked(side: str) -> Any:
        def make(scene: Scene) -> None:
            (scene.root / side).unlink()
            (scene.root / side).symlink_to("/etc/passwd")

        return make

    sides = {"BASE": log_of(), "OURS": log_of(new), "THEIRS": log_of()}
    for side in sides:
        yield Case(
            name=f"merge-driver with a link as {side}",
            args=("merge-driver", "BASE", "OURS", "THEIRS", LOG),
            files=sides,
            make=linked(side),
            codes=REFUSED,
            file=side,
            hides="root:",
        )
    for path in ("nowhere.txt", "../x", "\x1b[31m", "a\nb", "x" * 5000, ""):
        yield Case(
            name=f"merge-driver for {path[:10]!r}",
            args=("merge-driver", "BASE", "OURS", "THEIRS", path),
            files=sides,
            codes=(0, 1),
            writes=("OURS",),
        )
    for name, rules in {
        "broken": "x: [",
        "bomb": "a: &a [*a]\n",
        "of no kind": "extends: none\n",
        "binary": b"\xff\xfe",
    }.items():
        files = {"nsm-gate.yaml": rules, **sides, LOG: log_of()}
        yield Case(
            name=f"merge-driver under a configuration {name}",
            args=("merge-driver", "BASE", "OURS", "THEIRS", LOG),
            files=files,
            codes=FOUND,
            writes=("OURS",),
        )
        yield Case(
            name=f"textconv under a configuration {name}", args=("textconv", LOG), files=files, codes=CLEAN
        )
        for args in (
            ("explain", "planning_one_20251101"),
            ("rules", "lint"),
            ("rules", "test"),
            ("config", "show"),
            ("new", "domain_exploration"),
            ("rules", "impact"),
            ("rules", "show", "domain_exploration"),
            ("init", "--type", "x"),
        ):
            yield Case(
                name=f"{' '.join(args)} under a configuration {name}",
                args=args,
                files=files,
                git=args[-1] == "impact",
                codes=REFUSED,
                file="nsm-gate.yaml",
            )
        for args in (("rules", "list"), ("rules", "show", "schema")):
            yield Case(
                name=f"{' '.join(args)} under a configuration {name}", args=args, files=files, codes=CLEAN
            )
    for place in ("/dev/null", "/dev/zero", "/proc/self/mem", "nowhere", ".", "/etc/shadow/x", "/dev/stdin"):
        yield Case(
            name=f"textconv of {place}",
            args=("textconv", place),
            codes=REFUSED,
            file=place,
            process=place.startswith("/dev"),
        )


def _rules() -> Iterator[Case]:
    """Rules that load, and take the commands that look into them to their limits."""
    kind = {
        "log": "probes",
        "files": ["p.jsonl"],
        "schema": "probe.schema.json",
        "key": ["id"],
        "run_id": "id",
    }

    def laid(
        name: str,
        text: Any,
        args: tuple[str, ...],
        codes: tuple[int, ...] = ANY,
        schema: str = PROBE,
        **members: Any,
    ) -> Case:
        # Without the bundled pack where that is not needed: looking into it takes a second.
        config = (
            "rules: [rules]\n"
            if isinstance(text, str) or "experiment_type" in text
            else "extends: none\nrules: [rules]\n"
        )
        files = {
            "nsm-gate.yaml": config,
            "rules/odd.yaml": text if isinstance(text, str) else json.dumps(text),
            "rules/probe.schema.json": schema,
            LOG: log_of(),
        }
        return Case(
            **{"name": f"{' '.join(args)}: {name}", "args": args, "files": files, "codes": codes, **members}
        )

    odd: dict[str, Any] = {"experiment_type": "odd", "criteria": {"accuracy": "> 0.5"}}
    examples: dict[str, Any] = {
        "no entry": [{"name": "a", "expect": {}}], "empty entry": [{"name": "a", "log": "training_log", "entry": {}, "expect": {}}], "entry of null": [{"name": "a", "log": "training_log", "entry": {"run_data": None}, "expect": {"accuracy": "met"}}], "like nobody": [{"name": "a", "like": "b", "expect": {}}], "like itself": [{"name": "a", "like": "a", "expect": {}}], "same name": [{"name": "a", "log": "training_log", "entry": {}, "expect": {}}] * 2, "unknown criterion": [{"name": "a", "log": "training_log", "entry": {"run_data": {}}, "expect": {"zzz": "met"}}], "unknown outcome": [{"name": "a", "log": "training_log", "entry": {}, "expect": {"accuracy": "maybe"}}],
        "set through a text": [{"name": "a", "log": "training_log", "entry": {"run_data": "x"}, "expect": {}}, {"name": "b", "like": "a", "set": {"final_metrics.accuracy": 1}, "expect": {}}], "unset of nothing": [{"name": "a", "log": "training_log", "entry": {"run_data": {}}, "expect": {}}, {"name": "b", "like": "a", "unset": ["x.y.z"], "expect": {}}], "a thousand": [{"name": f"e{i}", "log": "training_log", "entry": {"run_data": {}}, "expect": {}} for i in range(500)], "a name that acts": [{"name": "::error::x\x1b[31m", "log": "training_log", "entry": {"run_data": {}}, "expect": {"accuracy": "met"}}], "a deep entry": [{"name": "a", "log": "training_log", "entry": {"a": {"b": {"c": {"d": {"e": {"f": [[[[1]]]]}}}}}}, "expect": {}}], "of another log": [{"name": "a", "log": "nowhere", "entry": {}, "expect": {}}], "before nowhere": [{"name": "a", "log": "training_log", "entry": {"run_data": {}}, "before": {"nowhere": [{"entry": {}}]}, "expect": {}}], "findings of no rule": [{"name": "a", "log": "training_log", "entry": {"run_data": {}}, "findings": ["zzz"], "expect": {}}],
    }  # fmt: skip
    for name, example in examples.items():
        yield laid(
            f"examples: {name}",
            {**odd, "examples": example},
            ("rules", "test", "odd"),
            NEVER_CLEAN
            if name
            not in ("empty entry", "unset of nothing", "a thousand", "a deep entry", "set through a text")
            else ANY,
        )
    schemas = {
        "refs in a circle": {"properties": {"id": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, "ref to itself": {"properties": {"id": {"$ref": "#"}}}, "pattern of another dialect": {"properties": {"id": {"pattern": r"\p{L}+"}}}, "pattern bomb": {"properties": {"id": {"pattern": "^(a+)+$"}}}, "bounds that cross": {"properties": {"id": {}, "score": {"minimum": 2, "maximum": 1}}}, "bounds of a huge number": {"properties": {"id": {}, "score": {"minimum": -(10**300), "maximum": 10**300}}}, "a thousand members": {"properties": {"id": {}, **{f"p{i}": {"type": "number"} for i in range(1000)}}}, "nothing but false": {"properties": {"id": False}}, "enum of objects": {"properties": {"id": {"enum": [{"a": 1}, [1], None]}}}, "types of all": {"properties": {"id": {"type": ["string", "number", "object", "array", "null", "boolean"]}}}, "forty ways": {"properties": {"id": {"anyOf": [{"type": "string", "minLength": i} for i in range(40)]}}},
    }  # fmt: skip
    for number, (name, schema) in enumerate(schemas.items()):
        yield laid(f"schema: {name}", kind, ("rules", "lint"), (0, 1, 2), json.dumps(schema))
        yield laid(f"schema: {name}", kind, ("new", "--log", "probes"), (0, 2), json.dumps(schema))
        if number % 2:
            yield laid(
                f"schema: {name}",
                kind,
                ("config", "show", "--output-format", "json"),
                (0, 2),
                json.dumps(schema),
            )
    names = {"escape": "\\e[31m", "command": "::error::x", "bidi": "\\u202e", "newline": "a\\nb"}
    for name, word in names.items():
        text = f'experiment_type: odd\ndescription: "{word}"\ncriteria: {{accuracy: {{above: 0.5, source: "{word}"}}}}\n'
        for args in (
            ("rules", "show", "odd"),
            ("rules", "show", "odd.accuracy"),
            ("config", "show"),
            ("new", "odd", "--domain", "planning"),
        ):
            yield laid(f"words of {name}", text, args, (0, 1))


def _stdin() -> Iterator[Case]:
    good = lines(a_run())
    for name, data in {
        "nothing": b"", "blank": b"\n\n", "binary": bytes(range(256)), "NULs": b"\0" * 10_000, "torn": good[:100], "no newline": good[:-1], "brackets": b"[" * 200_000, "two kinds": good + b'{"branch": "x"}\n', "another log": b'{"level": "info"}\n' * 10, "utf-16": good.decode().encode("utf-16"), "a megabyte of a line": b'{"a": "' + b"x" * (1 << 21) + b'"}\n', "many lines of nothing": b"{}\n" * 3000, "an escape": b"\x1b[31m\n", "a command": b"::error::x\n",
    }.items():  # fmt: skip
        for args, suffix in (
            (("check", "-"), ""),
            (("check", "-", "--stdin-log", "training_log"), ", named"),
        ):
            codes = CLEAN if name in ("nothing", "blank") and suffix else NEVER_CLEAN
            yield Case(
                name=f"{name}{suffix}",
                args=args,
                stdin=data,
                codes=codes,
                file="" if 2 in codes or codes == CLEAN else "<stdin>",
            )
    yield Case(
        name="over the limit of a file",
        args=("check", "-"),
        stdin=good * 3,
        files={"nsm-gate.yaml": "limits: {file: 1500}\n"},
        codes=REFUSED,
        file="<stdin>",
    )
    for name, args in {"with a file": ("check", "-", LOG), "twice": ("check", "-", "-"), "with a base": ("check", "-", "--base", "HEAD"), "staged": ("check", "-", "--staged"), "rules of the base": ("check", "-", "--rules-from", "base"), "of no kind": ("check", "-", "--stdin-log", "zzz"), "kind of an escape": ("check", "-", "--stdin-log", "\x1b[31m")}.items():  # fmt: skip
        yield Case(name=name, args=args, stdin=good, files=LOGS, git=True, codes=REFUSED)
    yield Case(name="every line of it", args=("check", "-", "--all"), stdin=good, codes=CLEAN)
    for seed in range(20):
        chance = random.Random(seed)
        made = bytes(chance.choice(b'{}[]":,.0123456789eE+-tfn\\u \n\r\x00\xff') for _ in range(300)) + b"\n"
        yield Case(
            name=f"noise {seed}",
            args=("check", "-", "--stdin-log", "training_log"),
            stdin=made,
            codes=FOUND,
            file="<stdin>",
        )


def _usage() -> Iterator[Case]:
    for args in (
        (), ("",), (" ",), ("chek",), ("check", "--"), ("check", "--al"), ("check", "--all", "--staged"), ("check", "--all", "--base", "HEAD"), ("check", "--base"), ("check", "--fail-on"), ("check", "--fail-on", "fatal"), ("check", "--fail-on", ""), ("check", "--color", "red"), ("check", "--rules-from", "main"), ("check", "--select", ""), ("check", "--select", "zzz"), ("check", "--select", "schema,,,"), ("check", "--ignore", "\x1b[31m"), ("check", "--unknown"), ("check", "--unknown=\u202e"), ("check", "-x"), ("check", "-qv"), ("check", "-" + "q" * 500), ("--check",), ("-c", "check"), ("check", "check"), ("CHECK",), ("help",), ("--config", "x", "check"), ("\x1b[31m",), ("::error::x",), ("\udcff",), ("x" * 100_000,), ("rules",), ("config",), ("explain",), ("init", "x"), ("textconv",), ("merge-driver", "a"), ("new", "a", "b"), ("check", "@file"), ("check", "--output-format"), ("check", *["--all"] * 1000), ("check", "--select", ",".join(["schema"] * 5000)), ("rules", "lint", "--strict", "--strict", "x"),
    ):  # fmt: skip
        shown = " ".join(args)[:40]
        fine = args in (
            (),
            ("check", "--"),
            ("check", "-qv"),
            ("check", "-" + "q" * 500),
            ("check", *["--all"] * 1000),
            ("check", "--select", ",".join(["schema"] * 5000)),
            ("check", "--select", "schema,,,"),
            ("rules",),
        )
        yield Case(name=f"{shown!r} of {len(args)}", args=args, files=LOGS, codes=ANY if fine else REFUSED)


CASES = (
    *through("other commands", (*_words(), *_logs(), *_rules())),
    *through("standard input", _stdin()),
    *through("command lines", _usage()),
)
