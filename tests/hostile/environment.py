"""Environment variables: git's, Python's, the terminal's and those of hooks, set to anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.hostile.case import FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG
from tests.support import a_run, edited

WRONG = edited(a_run("planning_new_20251102", 5), findings="TODO")


def variables(
    name: str,
    env: dict[str, str],
    codes: tuple[int, ...] = FOUND,
    make: Callable[[Scene], object] = lambda scene: None,
    args: tuple[str, ...] = ("check", "--staged"),
    **members: Any,
) -> Case:
    """Return a case: variables, and a line with a finding that is staged."""

    def laid(scene: Scene) -> None:
        scene.script()
        scene.repo.append(LOG, WRONG)
        scene.repo.git("add", "-A")
        make(scene)

    return Case(
        **{
            "name": name,
            "args": args,
            "git": True,
            "env": env,
            "make": laid,
            "codes": codes,
            "rule": "missing-findings" if codes == FOUND else "",
            **members,
        }
    )


def _git() -> Iterator[Case]:
    evil = "{outside}/evil"
    for name in (
        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",
        "PAGER",
        "GIT_EDITOR",
        "EDITOR",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
        "SSH_ASKPASS",
        "GIT_PROXY_COMMAND",
        "GIT_SEQUENCE_EDITOR",
        "BROWSER",
        "LESSOPEN",
    ):
        yield variables(f"program in {name}", {name: evil})
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.hooksPath",
        "filter.evil.clean",
        "diff.evil.textconv",
        "alias.cat-file",
        "pager.ls-files",
    ):
        yield variables(
            f"GIT_CONFIG_COUNT with {key}",
            {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": evil},
        )
        yield variables(f"GIT_CONFIG_PARAMETERS with {key}", {"GIT_CONFIG_PARAMETERS": f"'{key}'='{evil}'"})
    for name, env in {
        "GIT_CONFIG_COUNT of a wish": {"GIT_CONFIG_COUNT": "many"}, "GIT_CONFIG_COUNT without keys": {"GIT_CONFIG_COUNT": "3"}, "GIT_CONFIG_COUNT of millions": {"GIT_CONFIG_COUNT": "99999999"}, "GIT_CONFIG_PARAMETERS broken": {"GIT_CONFIG_PARAMETERS": "'x"}, "GIT_CONFIG_GLOBAL of a folder": {"GIT_CONFIG_GLOBAL": "/"}, "GIT_CONFIG_GLOBAL of a system file": {"GIT_CONFIG_GLOBAL": "/etc/passwd"}, "GIT_DIR nowhere": {"GIT_DIR": "{outside}/nowhere"}, "GIT_DIR of a folder": {"GIT_DIR": "{outside}"}, "GIT_DIR of a newline": {"GIT_DIR": "a\nb"},
        "GIT_DIR of a device": {"GIT_DIR": "/dev/null"}, "GIT_WORK_TREE elsewhere": {"GIT_DIR": ".git", "GIT_WORK_TREE": "{outside}"}, "GIT_WORK_TREE of the system": {"GIT_DIR": ".git", "GIT_WORK_TREE": "/"}, "GIT_INDEX_FILE of the log": {"GIT_INDEX_FILE": LOG}, "GIT_INDEX_FILE of a folder": {"GIT_INDEX_FILE": "/"}, "GIT_OBJECT_DIRECTORY nowhere": {"GIT_OBJECT_DIRECTORY": "{outside}/nowhere"}, "GIT_COMMON_DIR nowhere": {"GIT_COMMON_DIR": "{outside}"}, "GIT_DEFAULT_HASH of a wish": {"GIT_DEFAULT_HASH": "md5"}, "GIT_SHALLOW_FILE of garbage": {"GIT_SHALLOW_FILE": LOG},
        "GIT_REF_PARANOIA of a wish": {"GIT_REF_PARANOIA": "x"}, "GIT_CEILING_DIRECTORIES here": {"GIT_CEILING_DIRECTORIES": "/"}, "GIT_TEST_ASSUME_DIFFERENT_OWNER": {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, "GIT_EXEC_PATH nowhere": {"GIT_EXEC_PATH": "{outside}/nowhere"},
    }.items():  # fmt: skip
        yield variables(name, env, NEVER_CLEAN)
    for name, env in {
        "GIT_INDEX_FILE nowhere": {"GIT_INDEX_FILE": "{outside}/none"}, "GIT_ALTERNATE_OBJECT_DIRECTORIES nowhere": {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere:/etc:\n"}, "GIT_NAMESPACE odd": {"GIT_NAMESPACE": "../x"}, "GIT_GRAFT_FILE": {"GIT_GRAFT_FILE": LOG}, "GIT_REPLACE_REF_BASE": {"GIT_REPLACE_REF_BASE": "refs/heads/"}, "GIT_NO_REPLACE_OBJECTS": {"GIT_NO_REPLACE_OBJECTS": "0"}, "GIT_LITERAL_PATHSPECS": {"GIT_LITERAL_PATHSPECS": "1"}, "GIT_GLOB_PATHSPECS": {"GIT_GLOB_PATHSPECS": "1"}, "GIT_NOGLOB_PATHSPECS": {"GIT_NOGLOB_PATHSPECS": "1"}, "GIT_ICASE_PATHSPECS": {"GIT_ICASE_PATHSPECS": "1"},
        "GIT_OPTIONAL_LOCKS": {"GIT_OPTIONAL_LOCKS": "1"}, "GIT_TRACE to a file": {"GIT_TRACE": "{outside}/trace"}, "GIT_TRACE on standard error": {"GIT_TRACE": "1", "GIT_TRACE_SETUP": "1", "GIT_TRACE_PERFORMANCE": "2"}, "GIT_CURL_VERBOSE": {"GIT_CURL_VERBOSE": "1"}, "GIT_PREFIX": {"GIT_PREFIX": "../../"}, "GIT_ALLOW_PROTOCOL of all": {"GIT_ALLOW_PROTOCOL": "ext:file:http"}, "GIT_PROTOCOL_FROM_USER": {"GIT_PROTOCOL_FROM_USER": "1"}, "GIT_ATTR_SOURCE": {"GIT_ATTR_SOURCE": "HEAD"}, "GIT_QUARANTINE_PATH": {"GIT_QUARANTINE_PATH": "/nowhere"}, "GIT_FLUSH of a wish": {"GIT_FLUSH": "x"},
        "GITHEAD of garbage": {"GITHEAD_x": "y", "GITHEAD_" + "1" * 40: "theirs", "GITHEAD_--all": "z", "GITHEAD_": "w"}, "GITHEADs by the hundred": {f"GITHEAD_{number:040x}": "x" for number in range(300)}, "LANGUAGE of another tongue": {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}, "LC_ALL of a wish": {"LC_ALL": "\x1b[31m"}, "HOME nowhere": {"HOME": "/nowhere"}, "HOME of a newline": {"HOME": "a\nb"}, "XDG_CONFIG_HOME elsewhere": {"XDG_CONFIG_HOME": "{outside}"}, "no HOME": {"HOME": ""},
    }.items():  # fmt: skip
        codes = FOUND if name != "GIT_INDEX_FILE nowhere" else NEVER_CLEAN
        yield variables(
            name,
            env,
            NEVER_CLEAN
            if name in ("GIT_FLUSH of a wish", "GIT_NAMESPACE odd", "GIT_QUARANTINE_PATH")
            else codes,
        )

    def no_git(kind: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            place = scene.outside / "git"
            if kind == "a folder":
                place.mkdir()
            elif kind != "nothing":
                place.write_bytes(
                    {
                        "garbage": b"\x7fELF\0\0\0",
                        "not executable": b"#!/bin/sh\n",
                        "empty": b"",
                        "a failure": b"#!/bin/sh\nexit 3\n",
                        "a liar": b"#!/bin/sh\necho /\necho false\necho x\n",
                        "noise": b"#!/bin/sh\nhead -c 100000 /dev/zero\n",
                    }[kind]
                )
                place.chmod(0o644 if kind == "not executable" else 0o755)

        return make

    for kind in ("nothing", "a folder", "garbage", "not executable", "empty", "a failure", "noise"):
        runs = kind in ("a failure", "noise")
        yield variables(f"git is {kind}", {"PATH": "{outside}"}, REFUSED, make=no_git(kind), file="git")
        yield variables(
            f"git is {kind}, every line",
            {"PATH": "{outside}"},
            REFUSED if runs else FOUND,
            make=no_git(kind),
            args=("check", "--all"),
        )


def _terminal() -> Iterator[Case]:
    for name, env in {
        "COLUMNS of a wish": {"COLUMNS": "wide", "LINES": "-1"}, "COLUMNS of zero": {"COLUMNS": "0"}, "COLUMNS beyond all": {"COLUMNS": "9" * 30}, "TERM odd": {"TERM": "\x1b[31m"}, "TERM dumb": {"TERM": "dumb"}, "NO_COLOR and FORCE_COLOR": {"NO_COLOR": "1", "FORCE_COLOR": "1"}, "FORCE_COLOR of a wish": {"FORCE_COLOR": "\n"}, "CLICOLOR_FORCE": {"CLICOLOR_FORCE": "1"}, "COLORTERM": {"COLORTERM": "::error::x"}, "PRE_COMMIT of a wish": {"PRE_COMMIT": "yes"}, "SKIP": {"SKIP": "nsm-gate"},
    }.items():  # fmt: skip
        args = (
            "check",
            "--staged",
            "--output-format",
            "text",
            *(("--color", "auto") if "FORCE" in name else ()),
        )
        yield variables(name, env, FOUND, args=args, says="missing-findings")
    for name, env in {
        "PYTHONIOENCODING of ascii": {"PYTHONIOENCODING": "ascii:strict"}, "PYTHONIOENCODING of utf-16": {"PYTHONIOENCODING": "utf-16"}, "PYTHONUTF8 off": {"PYTHONUTF8": "0", "LC_ALL": "C"}, "PYTHONOPTIMIZE": {"PYTHONOPTIMIZE": "2"}, "PYTHONDONTWRITEBYTECODE": {"PYTHONDONTWRITEBYTECODE": "1"}, "PYTHONDEVMODE": {"PYTHONDEVMODE": "1"}, "PYTHONWARNINGS": {"PYTHONWARNINGS": "error"}, "PYTHONHASHSEED": {"PYTHONHASHSEED": "0"}, "PYTHONINTMAXSTRDIGITS": {"PYTHONINTMAXSTRDIGITS": "640"}, "PYTHONMALLOC": {"PYTHONMALLOC": "debug"}, "TMPDIR nowhere": {"TMPDIR": "/nowhere"}, "PYTHONUNBUFFERED": {"PYTHONUNBUFFERED": "1"}, "PYTHONSAFEPATH": {"PYTHONSAFEPATH": "1"}, "PYTHONNODEBUGRANGES": {"PYTHONNODEBUGRANGES": "1"},
    }.items():  # fmt: skip
        yield variables(name, env, FOUND, process=True)
    for name in (
        "json.py",
        "argparse.py",
        "yaml.py",
        "jiter.py",
        "nsm_gate.py",
        "subprocess.py",
        "sitecustomize.py",
        "usercustomize.py",
        "os.py",
    ):
        yield variables(
            f"a module {name} in the folder",
            {},
            FOUND,
            make=lambda scene, name=name: (scene.root / name).write_text(
                f"open({str(scene.marker)!r}, 'w')\n"
            ),
            process=True,
        )
    yield variables(
        "NSM_GATE variables of a wish",
        {"NSM_GATE": "x", "NSM_GATE_CONFIG": "/etc/passwd", "NSM_GATE_DEBUG": "1"},
        FOUND,
    )
    yield variables("ten thousand variables", {f"V{number}": "x" * 20 for number in range(10_000)}, FOUND)
    yield variables("an empty NSM_GATE_BASE", {"NSM_GATE_BASE": ""}, FOUND)


CASES = through("environment", (*_git(), *_terminal()))
