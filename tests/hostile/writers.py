"""The commands that write, mend and read whole logs: fix, append, migrate, runs, show and report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from tests.hostile.case import ANY, REFUSED, Case, Scene, through
from tests.hostile.log_lines import GOOD
from tests.hostile.stage import LOG, log_of
from tests.support import a_run, edited, lines

NEW = a_run("planning_new_20251102", 5)
ACTS = "\x1b[31m::error::x\r\n##[error]y\u202e<script>alert(1)</script>=cmd|'/c'!A0"
SICK: dict[str, bytes] = {
    "empty": b"", "NULs": b"\0" * 3000, "blank lines": b"\n \t\n\r\n", "noise": bytes(range(256)) * 8, "brackets": b"[" * 60_000 + b"\n", "a torn line": GOOD[:300], "no newline": GOOD, "a carriage return": GOOD + b"\r\n", "NaN": b'{"run_data": {"run_id": "a", "x": NaN}}\n', "NaN and bytes": b'{"a": NaN, "b": "\xff"}\n', "infinite": b'{"run_data": {"run_id": "a", "x": 1e999}}\n', "a run of a list": b'{"run_data": []}\n', "a run id of a list": b'{"run_data": {"run_id": [1]}}\n', "a run id of an object": b'{"run_data": {"run_id": {"a": 1}}}\n', "a run id of a huge number": b'{"run_data": {"run_id": ' + b"9" * 4000 + b"}}\n",
    "words that act": lines(edited(NEW, run_id=ACTS, findings=ACTS * 20, domain=ACTS)), "names that act": lines(edited(NEW, final_metrics={ACTS: 1})), "a long text": lines(edited(NEW, findings="x" * 900_000)), "five thousand members": lines(edited(NEW, final_metrics={f"m{i}": i for i in range(5000)})), "duplicate members": b'{"run_data": {"run_id": "a", "run_id": "b"}}\n', "utf-16": GOOD.decode().encode("utf-16"), "a mark": b"\xef\xbb\xbf" + GOOD + b"\n", "conflict": b"<<<<<<< HEAD\n" + GOOD + b"\n=======\n>>>>>>> x\n", "empty objects": b"{}\n" * 500, "one over the limit": b'{"a": "' + b"x" * (2 << 20) + b'"}\n',
    "times of no calendar": lines(edited(NEW, start_time="2025-02-30T99:99:99Z", entry__timestamp="now")), "numbers beyond floats": lines(edited(NEW, final_metrics__accuracy=10**300, training_time_seconds=-(10**300))), "a series of objects": lines(edited(NEW, metrics_history=[{"epoch": {}, "val_loss": []}] * 50)), "copies": (GOOD + b"\n") * 50, "sixty deep": lines(edited(NEW, dataset_config__domain_params={"a": eval("[" * 50 + "]" * 50)})),
}  # fmt: skip
MAP = "to: training_log\nfields:\n  timestamp: timestamp\n  run_data: run_data\n"


def _on_sick_logs() -> Iterator[Case]:
    for number, (name, data) in enumerate(SICK.items()):
        old = {LOG: log_of(data)}
        for args, codes in (
            (("runs",), (0, 2)), (("runs", "--output-format", "json"), (0, 2)), (("show", "planning_one_20251101"), (0, 2)), (("report", "-o", "report.html"), (0, 2)), (("report", "-o", "report.md"), (0, 2)), (("runs", "--best", "accuracy", "--per", "domain"), (0, 2)),
        )[number % 3 :: 3]:  # fmt: skip
            yield Case(
                name=f"{' '.join(args)} on {name}",
                args=args,
                files=old,
                codes=codes,
                writes=("report.html", "report.md"),
            )
        yield Case(
            name=f"fix on {name}",
            args=("fix", "--all", "--diff", *(("--unsafe",) if number % 2 else ())),
            files=old,
            codes=ANY,
        )
        if number % 2:
            yield Case(
                name=f"fix in place on {name}",
                args=("fix", "--unsafe", "--order", "--spacing"),
                files=old,
                git=True,
                codes=ANY,
                writes=None,
            )
        # What is appended is judged first, and nothing of it is written where it fails.
        codes = (
            (0, 1, 2)
            if name in ("empty", "a carriage return", "no newline", "blank lines", "a mark")
            or name.startswith(
                ("words", "names", "a long", "five", "a series", "sixty", "copies", "times", "numbers")
            )
            else (1, 2)
        )
        yield Case(
            name=f"append {name}",
            args=("append", LOG),
            stdin=data,
            files={LOG: log_of()},
            codes=codes,
            writes=None if 0 in codes else ("experiments",),
        )
        yield Case(
            name=f"migrate {name}",
            args=("migrate", "old.jsonl", "new/training_log.jsonl", "--map", "map.yaml"),
            files={"old.jsonl": data, "map.yaml": MAP, "new/x": ""},
            codes=ANY,
            writes=("new", "new/training_log.jsonl", "new/training_log.rejects.jsonl"),
        )


def _words() -> Iterator[Case]:
    logs = {LOG: log_of()}
    for word in (
        "__import__('os').system('id')",
        "accuracy >",
        "1 / 0 > 0",
        "not " * 300 + "accuracy > 1",
        "(" * 400,
        "accuracy > 1e999",
        "zzz > 1",
        "> 0.5",
        "",
        "\x1b[31m",
        "'\udcff' == domain",
        "this.accuracy > 1",
        "x" * 5000,
    ):
        yield Case(
            name=f"runs --where {word[:24]!r}", args=("runs", "--where", word), files=logs, codes=(0, 2)
        )
    for option in (
        "--columns",
        "--sort",
        "--best",
        "--count-by",
        "--group-by",
        "--status",
        "--domain",
        "--type",
        "--log",
        "--per",
    ):
        for word in ("", "\x1b[31m", "::error::x", "a.b.c.d", "__class__", "x" * 5000)[len(option) % 2 :: 2]:
            yield Case(
                name=f"runs {option} {word[:12]!r}", args=("runs", option, word), files=logs, codes=(0, 2)
            )
    for option in ("--last", "--limit"):
        for word in ("-1", "0", "x", "9" * 30, "1e3", "２"):
            yield Case(
                name=f"runs {option} {word[:12]!r}", args=("runs", option, word), files=logs, codes=(0, 2)
            )
    for word in ("", "\x1b[31m", "nobody", "::error::x", "x" * 5000):
        yield Case(name=f"show {word[:12]!r}", args=("show", word), files=logs, codes=REFUSED)
        yield Case(
            name=f"show --diff {word[:12]!r}",
            args=("show", "planning_one_20251101", "--diff", word),
            files=logs,
            codes=REFUSED,
        )
        yield Case(
            name=f"report --title {word[:12]!r}",
            args=("report", "-o", "r.html", "--title", word),
            files=logs,
            codes=(0, 2),
            writes=("r.html",),
        )
    for path in (
        "",
        ".",
        LOG,
        ".git/config",
        "nsm-gate.yaml",
        "nowhere/r.html",
        "r.txt",
        "/dev/full",
        "/dev/null",
        "/proc/self/x.html",
        "a\nb.exe",
        "x" * 300 + ".html",
        "experiments/training_log.jsonl.html/x.md",
    ):
        yield Case(
            name=f"report to {path[:60]!r}", args=("report", "-o", path), files=logs, git=True, codes=REFUSED
        )
    for name, path, codes in (
        ("nowhere", "nowhere/training_log.jsonl", REFUSED),
        ("no log", "notes.txt", REFUSED),
        ("a folder", "experiments", REFUSED),
        ("a device", "/dev/null", REFUSED),
        ("git's own", ".git/config", REFUSED),
        ("nothing", "", REFUSED),
        ("a newline", "a\nb", REFUSED),
        ("an option", "--by-time", REFUSED),
    ):
        yield Case(
            name=f"append to {name}",
            args=("append", path),
            stdin=lines(NEW),
            files={**logs, "notes.txt": "x"},
            git=True,
            codes=codes,
        )
    for word in ("-1", "x", "nan", "inf", "1e400", ""):
        yield Case(
            name=f"append --lock-timeout {word!r}",
            args=("append", LOG, "--lock-timeout", word),
            stdin=lines(NEW),
            files=logs,
            codes=(0, 2),
            writes=None,
        )


def _places() -> Iterator[Case]:
    def made(act: Any) -> Any:
        def make(scene: Scene) -> None:
            place = scene.root / LOG
            place.parent.mkdir(exist_ok=True)
            place.unlink(missing_ok=True)
            act(scene, place)

        return make

    def outside(scene: Scene, place: Any) -> None:
        (scene.outside / "x.jsonl").write_bytes(log_of())
        place.symlink_to(scene.outside / "x.jsonl")

    def hard(scene: Scene, place: Any) -> None:
        scene.repo.write("other.txt", log_of())
        os.link(scene.root / "other.txt", place)

    for name, act in {"a link": outside, "a dangling link": lambda scene, place: place.symlink_to("nowhere"), "a folder": lambda scene, place: place.mkdir(), "a pipe": lambda scene, place: os.mkfifo(place), "a device": lambda scene, place: place.symlink_to("/dev/zero")}.items():  # fmt: skip
        for args in (
            ("append", LOG),
            ("fix", "--all"),
            ("migrate", "old.jsonl", LOG, "--map", "map.yaml"),
            ("migrate", "old.jsonl", LOG, "--map", "map.yaml", "--append"),
        ):
            codes = ANY if args[0] == "fix" else REFUSED
            yield Case(
                name=f"{args[0]} {args[-1]} to {name}",
                args=args,
                stdin=lines(NEW),
                files={"old.jsonl": lines(NEW), "map.yaml": MAP},
                make=made(act),
                codes=codes,
                process=name in ("a pipe", "a device"),
                hides="root:",
            )
    yield Case(
        name="append to another name of a file",
        args=("append", LOG),
        stdin=lines(NEW),
        make=made(hard),
        codes=ANY,
        writes=None,
    )
    for name, text in {
        "bomb": "a: &a [*a]\n", "tag": "to: !!python/object/apply:os.system [id]\n", "empty": "", "list": "- a\n", "no fields": "to: training_log\n", "another log": "to: nowhere\nfields: {}\n", "unknown step": "to: training_log\nfields:\n  timestamp: {from: timestamp, convert: evil}\n", "code": "to: training_log\nfields:\n  timestamp: {from: \"__import__('os')\"}\n", "number": "to: training_log\nfields: {timestamp: 1}\n", "itself": "to: training_log\nfields:\n  run_data: run_data\n  run_data.run_data: run_data\n", "where of no language": "to: training_log\nwhere: os.system('x')\nfields:\n  run_data: run_data\n", "binary": "\x00", "a zone of nowhere": "to: training_log\nfields:\n  timestamp: {from: timestamp, convert: {time: ../../etc/passwd}}\n", "names up": "to: training_log\nfields:\n  '../x': timestamp\n", "deep names": f"to: training_log\nfields:\n  {'a.' * 400}b: timestamp\n",
    }.items():  # fmt: skip
        yield Case(
            name=f"migrate by a mapping: {name}",
            args=("migrate", "old.jsonl", "new.jsonl", "--map", "map.yaml"),
            files={"old.jsonl": lines(NEW), "map.yaml": text},
            codes=REFUSED if name not in ("itself", "deep names") else ANY,
            file="map.yaml" if name not in ("itself", "deep names") else "",
            writes=("new.jsonl", "new.rejects.jsonl"),
        )
    for path in ("", "nowhere", ".", "/dev/zero", "/etc/passwd", "/proc/self/environ", "a\nb"):
        yield Case(
            name=f"migrate from {path!r}",
            args=("migrate", path, "training_log.jsonl", "--map", "map.yaml"),
            files={"map.yaml": MAP},
            codes=(1, 2),
            hides="root:",
            process=path.startswith("/dev"),
            writes=("training_log.jsonl", "training_log.rejects.jsonl"),
        )
        yield Case(
            name=f"migrate with the mapping {path!r}",
            args=("migrate", "old.jsonl", "training_log.jsonl", "--map", path),
            files={"old.jsonl": lines(NEW)},
            codes=REFUSED,
            hides="root:",
            process=path.startswith("/dev"),
        )


CASES = through("writers and readers", (*_on_sick_logs(), *_words(), *_places()))
