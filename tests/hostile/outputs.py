"""`--output-format FMT:PATH` and the files that a CI runner names: nothing of value is overwritten, nothing hangs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from tests.hostile.case import FOUND, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG, log_of
from tests.support import a_run, edited

WRONG = edited(a_run("planning_new_20251102", 5), findings="TODO")
FORMATS = (
    "text",
    "concise",
    "json",
    "jsonl",
    "github",
    "gitlab",
    "sarif",
    "junit",
    "rdjson",
    "azure",
    "markdown",
)


def output(
    name: str,
    path: str,
    codes: tuple[int, ...] = REFUSED,
    make: Callable[[Scene], object] = lambda scene: None,
    form: str = "json",
    **members: Any,
) -> Case:
    """Return a case: a report to a place, beside the one on standard output."""

    def laid(scene: Scene) -> None:
        scene.repo.append(LOG, WRONG)
        make(scene)

    form_of_stdout = "text" if form == "json" else "json"
    args = ("check", "--all", "--output-format", form_of_stdout, "--output-format", f"{form}:{path}")
    return Case(
        **{
            "name": name,
            "args": args,
            "git": True,
            "make": laid,
            "codes": codes,
            "file": path if codes == REFUSED else "",
            **members,
        }
    )


def _places() -> Iterator[Case]:
    tracked = {"notes.txt": "x", "nsm-gate.yaml": "", "rules/x.yaml": ""}
    for number, path in enumerate((LOG, "./" + LOG, "experiments/../" + LOG, "nsm-gate.yaml", "./nsm-gate.yaml", "pyproject.toml", "new.yaml", "rules/new.yml", "other/training_log.jsonl", ".git/config", ".git/HEAD", ".git/hooks/pre-commit", ".git/info/attributes", "./.git/index")):  # fmt: skip
        form = FORMATS[number % len(FORMATS)]
        yield output(
            f"{form} over {path}", path, form=form, make=lambda scene: (scene.root / "other").mkdir()
        )
    yield output(
        "over a tracked file", "notes.txt", files=tracked, make=lambda scene: scene.repo.git("add", "-A")
    )
    for path in (
        "",
        " ",
        ".",
        "..",
        "/",
        "experiments",
        "experiments/",
        ".git",
        "{outside}",
        "nowhere/x.json",
        "nowhere/../x.json",
        LOG + "/x.json",
        "x" * 300,
        "x/" * 3000,
        "/etc/shadow/x",
        "/proc/self/status",
        "/proc/nowhere",
        "/dev/full",
        "a\nb/c.json",
        "\u202e/x.json",
        "~/x.json",
        "$HOME/x.json",
    ):
        for form in ("json", "text", "sarif")[: 1 + len(path) % 3]:
            codes = FOUND if path == " " else REFUSED
            if path == "":
                yield output(
                    f"{form} to nowhere: no path behind the colon", path, form=form, file="standard output"
                )
            else:
                yield output(
                    f"{form} to {path[:20]!r}",
                    path,
                    codes,
                    form=form,
                    writes=(" ",),
                    file=""
                    if path.startswith(("/proc", "{", "~", "$", "nowhere/..", "\u202e", " "))
                    or codes != REFUSED
                    else path[:1000],
                )
    for path in (
        "/dev/null",
        "out.json",
        "out file.json",
        "-",
        "ünïcode.json",
        "a:b",
        "::error::x",
        "--x",
        "\x1b[31m.json",
        "a\tb",
        "*.json",
        "out.json:out.json",
    ):
        yield output(f"written to {path!r}", path, FOUND, writes=(path,))

    def link(target: str) -> Callable[[Scene], object]:
        return lambda scene: (scene.root / "out.json").symlink_to(
            target.replace("{outside}", str(scene.outside))
        )

    for name, target in {
        "the log": LOG,
        "a place outside": "{outside}/x",
        "a system file": "/etc/passwd",
        "itself": "out.json",
        "a device": "/dev/stdout",
    }.items():
        yield output(f"through a link to {name}", "out.json", make=link(target))

    def hard(scene: Scene) -> None:
        os.link(scene.root / LOG, scene.root / "out.json")

    def pipe(scene: Scene) -> None:
        os.mkfifo(scene.root / "out.json")

    def folder_link(scene: Scene) -> None:
        (scene.root / "away").symlink_to("experiments")

    def git_link(scene: Scene) -> None:
        (scene.root / "away").symlink_to(".git")

    yield output("over another name of the log", "out.json", make=hard)
    yield output("to a pipe that nobody reads", "out.json", make=pipe, process=True)
    yield output("through a folder that is a link to the log's", "away/training_log.jsonl", make=folder_link)
    yield output("through a folder that is a link to git's", "away/config", make=git_link)


def _wishes() -> Iterator[Case]:
    def check(
        name: str, *formats: str, codes: tuple[int, ...] = REFUSED, file: str = "", **members: Any
    ) -> Case:
        args = ["check", "--all"]
        for form in formats:
            args += ["--output-format", form]
        return Case(
            **{
                "name": name,
                "args": tuple(args),
                "files": {LOG: log_of(WRONG)},
                "codes": codes,
                "file": file,
                **members,
            }
        )

    for form in (
        "",
        "JSON",
        "xml",
        "json ",
        " json",
        ":",
        ":x",
        "::error::x",
        "../x",
        "json\n",
        "json\0x",
        "text,json",
        "--all",
        "\x1b[31m",
        "x" * 5000,
        "sarif2",
        "md",
    ):
        yield check(f"a format called {form[:20]!r}", form)
    yield check("two formats on standard output", "json", "text", file="standard output")
    yield check("one format twice", "text", "text", file="standard output")
    yield check("two formats to one file", "json:out.txt", "sarif:./out.txt", file="out.txt")
    yield check(
        "every format at once",
        "text",
        *(f"{form}:out.{form}" for form in FORMATS if form != "text"),
        codes=FOUND,
        writes=tuple(f"out.{form}" for form in FORMATS),
    )
    yield check("fifty files", *(f"json:out{number}.json" for number in range(50)), codes=FOUND, writes=None)
    for form in FORMATS:
        yield check(
            f"{form} of an error",
            form,
            codes=REFUSED,
            files={LOG: log_of(WRONG), "nsm-gate.yaml": "x: ::error::forged\n"},
            file="nsm-gate.yaml",
        )
    yield check(
        "auto and github",
        "auto",
        "github",
        codes=REFUSED,
        env={"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "x"},
    )


def _runners() -> Iterator[Case]:
    github = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule"}

    def published(
        name: str,
        variable: str,
        value: str,
        codes: tuple[int, ...] = REFUSED,
        make: Callable[[Scene], object] | None = None,
        **members: Any,
    ) -> Case:
        env = {**github, variable: value}
        file = variable if codes == REFUSED else ""
        return Case(
            **{
                "name": f"{variable} is {name}",
                "args": ("check", "--all"),
                "files": {LOG: log_of(WRONG)},
                "env": env,
                "codes": codes,
                "make": make,
                "file": file,
                **members,
            }
        )

    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        for name, value in {
            "nowhere": "/nowhere/x",
            "a folder": "{outside}",
            "full": "/dev/full",
            "a system file": "/proc/self/status",
            "long": "x" * 5000,
            "a newline": "/nowhere\n::error::x/y",
        }.items():
            yield published(name, variable, value, REFUSED)
        yield published(
            "a link",
            variable,
            "{outside}/link",
            make=lambda scene: (scene.outside / "link").symlink_to(scene.outside / "target"),
        )
        yield published(
            "a pipe",
            variable,
            "{outside}/pipe",
            make=lambda scene: os.mkfifo(scene.outside / "pipe"),
            process=True,
        )
        yield published("a device", variable, "/dev/null", FOUND)
        yield published("a file", variable, "{outside}/file", FOUND)
    for name, value in {
        "SERVER_URL": "javascript:alert(1)",
        "REPOSITORY": "../..",
        "SHA": "](x)",
        "SERVER_URL of a script": "https://x/<script>",
        "SERVER_URL of a newline": "https://x\n::error::y",
    }.items():
        variable = "GITHUB_" + name.split(" ")[0]
        env = {
            **github,
            "GITHUB_SERVER_URL": "https://x",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_SHA": "1" * 40,
            variable: value,
        }
        yield Case(
            name=f"{variable} is {value[:20]!r}",
            args=("check", "--all", "--output-format", "markdown"),
            files={LOG: log_of(WRONG)},
            env=env,
            codes=FOUND,
            hides=value,
        )
    for system, report in (("GITLAB_CI", "gl-code-quality-report.json"), ("TF_BUILD", "")):
        yield Case(
            name=f"{system} without a wish",
            args=("check", "--all", "--output-format", "auto" if report else "azure"),
            files={LOG: log_of(WRONG)},
            env={system: "true"},
            codes=FOUND,
            writes=(report,) if report else (),
        )
    yield Case(
        name="a report of GitLab over a link", args=("check", "--all", "--output-format", "auto"), files={LOG: log_of(WRONG)}, env={"GITLAB_CI": "true"}, codes=REFUSED, file="gl-code-quality-report.json",
        make=lambda scene: (scene.root / "gl-code-quality-report.json").symlink_to(LOG),
    )  # fmt: skip


CASES = through("outputs", (*_places(), *_wishes(), *_runners()))
