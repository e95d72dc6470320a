"""File names: logs whose own names, or whose folders', act on terminals, runners, globs or command lines."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.hostile.case import ANY, FOUND, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG, log_of
from tests.support import a_run, edited, lines

NAME = "training_log.jsonl"
WRONG = lines(edited(a_run("planning_new_20251102", 5), findings="TODO"))

FOLDERS: dict[str, bytes] = {
    "newline": b"a\nb", "carriage return": b"a\rb", "tab": b"a\tb", "escape": b"\x1b[31mred", "title": b"\x1b]0;x\x07", "bell": b"\x07", "delete": b"\x7f", "space": b" ", "spaces": b"a  b", "space behind": b"a ", "dash": b"-x", "option": b"--output=x", "two dashes": b"--", "stdin": b"-", "tilde": b"~", "dollar": b"$HOME", "backtick": b"`id`",
    "semicolon": b";id", "pipe": b"|id", "quote": b"'", "double quote": b'"', "backslash": b"a\\b", "trailing backslash": b"a\\", "percent": b"%0A::error::x", "command": b"::error::forged", "old command": b"##[error]forged", "azure command": b"##vso[task.complete]x", "section": b"section_start:1:x", "brackets": b"[abc]", "braces": b"{a,b}", "star": b"*", "two stars": b"**",
    "question": b"?", "bang": b"!x", "hash": b"#x", "at": b"@x", "colon": b"a:b", "magic pathspec": b":(exclude)x", "magic top": b":x", "dot": b"...", "hidden": b".hidden", "long": b"x" * 255, "unicode": "éß漢字".encode(), "decomposed": "e\u0301".encode(), "right to left": "\u202egnp".encode(), "zero width": "a\u200bb".encode(), "line separator": "a\u2028b".encode(), "bom": "\ufeff".encode(),
    "c1": "\u009b31m".encode(), "not UTF-8": b"\xff\xfe", "cut UTF-8": b"a\xe2\x82", "surrogate": b"\xed\xa0\x80", "latin-1": b"caf\xe9", "html": b"<b>&amp;", "markdown": b"](x)|`y`", "windows device": b"con", "drive": b"C:", "git folder in capitals": b".GIT", "git folder behind": b".git ", "git folder with a zero width": ".g\u200cit".encode(), "short name of git": b"git~1", "modules": b".gitmodules", "same as HEAD": b"HEAD", "object": b"0" * 40, "equals": b"a=b", "json": b'{"a": 1}',
}  # fmt: skip


def _logs() -> Iterator[Case]:
    for number, (name, folder) in enumerate(FOLDERS.items()):
        shown = os.fsdecode(folder)
        path = f"{shown}/{NAME}"

        def plain(scene: Scene, folder: bytes = folder) -> None:
            place = os.path.join(os.fsencode(scene.root), folder)
            os.mkdir(place)
            with open(os.path.join(place, NAME.encode()), "wb") as file:
                file.write(WRONG)

        def staged(scene: Scene, folder: bytes = folder, make: object = plain) -> None:
            plain(scene, folder)
            scene.repo.git(
                "-c", "core.protectNTFS=false", "-c", "core.protectHFS=false", "add", "-A", check=False
            )

        # What git itself refuses to track is left to the work tree.
        in_git = name not in ("git folder in capitals",)
        how = (
            ("check", "--all"),
            ("check", "--staged"),
            ("check",),
            ("check", "--all", "--", path),
            ("check", "--base", "HEAD"),
        )[number % 5]
        yield Case(
            name=f"folder of {name}",
            args=how,
            git=True,
            make=staged if in_git else plain,
            codes=(1, 2) if in_git else ANY,
            rule="missing-findings" if in_git else "",
        )
        if number % 2:
            form = (
                "text",
                "concise",
                "github",
                "gitlab",
                "azure",
                "markdown",
                "junit",
                "sarif",
                "rdjson",
                "jsonl",
            )[number // 2 % 10]
            yield Case(
                name=f"folder of {name} as {form}",
                args=("check", "--all", "--output-format", form),
                make=plain,
                codes=FOUND,
            )


def _arguments() -> Iterator[Case]:
    log = {LOG: log_of(), "notes.txt": "x", "experiments/other.jsonl": "{}\n"}
    for name in (
        "", " ", ".", "..", "~", "nowhere", "nowhere/", "notes.txt", "notes.txt/", "experiments", "experiments/", "./experiments//", "experiments/../experiments", "experiments/other.jsonl", "/etc/passwd", "/etc", "/dev/null", "/dev/zero", "/proc/self/environ", "/proc/self/fd/0", "{outside}", "../outside", "a\nb", "-", "--", "x" * 5000, "x/" * 3000, "*", "**/*.jsonl", "experiments/*",
        "\u202e", "::error::x", "http://x/y.jsonl", ".git", ".git/config", "EXPERIMENTS/" + NAME, LOG + "/", LOG + "/x", "./" + LOG, f"{LOG} ",
    ):  # fmt: skip
        for git in (True, False)[: 1 + (len(name) % 2)]:
            fine = {
                "experiments",
                "experiments/",
                "./experiments//",
                "experiments/../experiments",
                ".",
                "./" + LOG,
                LOG + "/",
            }
            codes = (0,) if name in fine else ANY if name in ("--", "-", "..") else REFUSED
            # Where a folder around all is named, that is the root, and called `.`.
            named = (
                ""
                if codes != REFUSED or name in ("", "/etc", "{outside}", "../outside", ".git", ".git/config")
                else os.path.basename(name.rstrip("/"))
            )
            yield Case(
                file=named,
                name=f"path {name[:40]!r}{' in git' if git else ''}",
                args=("check", "--all", "--", name) if name != "--" else ("check", "--all", "--"),
                files=log,
                git=git,
                codes=codes,
                hides="root:",
                stdin=lines(a_run()),
            )
    yield Case(name="two paths that are one", args=("check", "--all", LOG, "./" + LOG), files=log, codes=(0,))
    yield Case(name="a thousand paths", args=("check", "--all", *([LOG] * 1000)), files=log, codes=(0,))
    yield Case(
        name="paths of two repositories",
        args=("check", LOG, "{outside}"),
        files=log,
        git=True,
        codes=REFUSED,
        file="outside",
    )


def _kinds() -> Iterator[Case]:
    """What bears the name of a log, and is no file of lines."""

    def made(act: object) -> object:
        def make(scene: Scene) -> None:
            place = scene.root / "experiments" / NAME
            place.parent.mkdir(exist_ok=True)
            place.unlink(missing_ok=True)
            act(scene, place)  # type: ignore[operator]

        return make

    def outside(scene: Scene, place: object) -> None:
        (scene.outside / "secret.jsonl").write_text("SECRET\n")
        os.symlink(scene.outside / "secret.jsonl", place)  # type: ignore[arg-type]

    kinds = {
        "a link outside": outside, "a link to a system file": lambda scene, place: os.symlink("/etc/passwd", place), "a link to itself": lambda scene, place: os.symlink(NAME, place), "a dangling link": lambda scene, place: os.symlink("nowhere", place), "a link to a device": lambda scene, place: os.symlink("/dev/zero", place),
        "a folder": lambda scene, place: os.mkdir(place), "a pipe": lambda scene, place: os.mkfifo(place), "a link to the environment": lambda scene, place: os.symlink("/proc/self/environ", place),
    }  # fmt: skip
    for name, act in kinds.items():
        for git in (True, False):
            codes = FOUND if name != "a folder" or git else ANY
            rule = (
                "history-rewritten" if name == "a folder" and git else "not-a-log" if codes == FOUND else ""
            )
            yield Case(
                name=f"{name}{' in git' if git else ''}",
                git=git,
                make=made(act),
                codes=codes,
                rule=rule,
                hides="SECRET",
                process="pipe" in name or "device" in name,
            )  # type: ignore[arg-type]
            yield Case(
                name=f"{name}, named{' in git' if git else ''}",
                args=("check", "--all", LOG),
                git=git,
                make=made(act),
                codes=(1, 2),
                hides="root:",
                process="pipe" in name or "device" in name,
            )  # type: ignore[arg-type]

    def socket(scene: Scene, place: object) -> None:
        import socket as sockets

        with sockets.socket(sockets.AF_UNIX) as made:
            cwd = os.getcwd()
            os.chdir(scene.root / "experiments")  # the address of a socket is short
            try:
                made.bind(NAME)
            finally:
                os.chdir(cwd)

    yield Case(name="a socket", make=made(socket), codes=FOUND, rule="not-a-log")  # type: ignore[arg-type]
    yield Case(
        name="a sparse file of a gigabyte",
        make=made(lambda scene, place: (open(place, "wb").close(), os.truncate(place, 1 << 30))),
        codes=REFUSED,
        file=LOG,
    )  # type: ignore[arg-type]

    def deep(scene: Scene) -> None:
        folder = os.fsencode(scene.root)
        os.makedirs(os.path.join(folder, *[b"d"] * 300))
        (scene.root.joinpath(*["d"] * 300) / NAME).write_bytes(WRONG)

    def many(scene: Scene) -> None:
        for number in range(3000):
            (scene.root / f"f{number}.txt").write_bytes(b"")
        scene.repo.write(LOG, WRONG)

    yield Case(name="three hundred folders deep", make=deep, codes=FOUND)
    yield Case(name="among three thousand files", make=many, codes=FOUND, file=LOG)
    yield Case(
        name="unreadable folder",
        make=lambda scene: (scene.repo.write(LOG, WRONG), (scene.root / "locked").mkdir(mode=0)),
        codes=FOUND,
        file=LOG,
    )


CASES = through("file names", (*_logs(), *_arguments(), *_kinds()))
