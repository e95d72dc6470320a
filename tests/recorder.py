"""Records what a run of the command opens, lists, executes and connects to: in the child that judges, too.

The program runs with an audit hook (PEP 578), which sees every such act of Python code and cannot be taken
out again. Compiled libraries are not seen: `unshare -n` shows that they need no network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT, Repo

_PROGRAM = """\
import json, os, sys
_records = os.open(os.environ.pop("RECORDS"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

def _hook(event, args, write=os.write, handle=_records, cwd=os.getcwd, fspath=os.fspath, decode=os.fsdecode, dumps=json.dumps):
    if event in ("open", "os.listdir", "os.scandir"):
        place = "." if args[0] is None else args[0]
        if isinstance(place, int):
            return
        row = [event, decode(fspath(place)), cwd()]
    elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system", "os.spawn", "pty.spawn"):
        row = ["exec", repr(args[1] if len(args) > 1 else args[0]), ""]
    elif event.partition(".")[0] in ("socket", "ctypes", "urllib", "http", "ftplib", "smtplib", "ssl", "webbrowser"):
        row = [event.partition(".")[0], repr(args)[:200], ""]
    else:
        return
    write(handle, (dumps(row) + "\\n").encode())

PLANTED
sys.addaudithook(_hook)
from nsm_gate.__main__ import program
sys.exit(program())
"""


@dataclass(frozen=True)
class Acts:
    """What a run did.

    Attributes:
        opened: Files outside the repository, the installation and the temporary folder.
        listed: Folders outside of them.
        executed: Programs, as they were called.
        connected: Events of modules that reach beyond the process.
        inside: How many files were opened inside, and folders listed.
    """

    code: int
    out: str
    err: str
    opened: tuple[str, ...]
    listed: tuple[str, ...]
    executed: tuple[str, ...]
    connected: tuple[str, ...]
    inside: int


def installation() -> list[Path]:
    """Return where the interpreter, its libraries and the package lie."""
    places = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), os.path.dirname(os.__file__)]
    # Not the whole of the checkout: tests and their logs are no part of the program.
    places += [str(ROOT / name) for name in ("nsm_gate", "rules", "schemas")]
    return [Path(os.path.realpath(place)) for place in dict.fromkeys(places)]


def record(
    repo: Repo,
    args: Iterable[str],
    *,
    stdin: bytes = b"",
    planted: str = "",
    before: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> Acts:
    """Run the command in a repository, with an own folder for temporary files, and return what it did.

    Args:
        repo: Where it runs.
        args: The command line.
        stdin: Its standard input.
        planted: Python code that runs before the hook: to plant a violation.
        before: What to run it under.
        env: Further variables.
    """
    around = repo.path.parent
    records, temporary = around / "records", around / "temporary"
    records.unlink(missing_ok=True)
    temporary.mkdir(exist_ok=True)
    extra = {"RECORDS": str(records), "TMPDIR": str(temporary), **(env or {})}
    done = subprocess.run(
        [*before, sys.executable, "-c", _PROGRAM.replace("PLANTED", planted), *args],
        cwd=repo.path, env={**repo.env, **extra}, input=stdin, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    rows = [_row(line) for line in records.read_text(encoding="utf-8").splitlines()]
    roots = [*installation(), repo.path.resolve(), temporary.resolve()]
    # The import system looks through the folders of the path; of the checkout, that is its root.
    found: dict[str, list[str]] = {"open": [], "listed": [], "exec": [], "else": []}
    inside = 0
    for event, what, cwd in rows:
        if event == "exec":
            found["exec"].append(what)
        elif event not in ("open", "os.listdir", "os.scandir"):
            found["else"].append(f"{event}: {what}")
        elif _is_below(os.path.join(cwd, what), roots):
            inside += 1
        elif event == "open":
            found["open"].append(what)
        elif Path(os.path.realpath(os.path.join(cwd, what))) != ROOT:
            found["listed"].append(what)
    once = {name: tuple(dict.fromkeys(items)) for name, items in found.items()}
    out, err = done.stdout.decode(), done.stderr.decode()
    return Acts(done.returncode, out, err, once["open"], once["listed"], once["exec"], once["else"], inside)


def _row(line: str) -> tuple[str, str, str]:
    event, what, cwd = json.loads(line)
    return str(event), str(what), str(cwd)


def _is_below(place: str, roots: Iterable[Path]) -> bool:
    real = Path(os.path.realpath(place))
    return any(real == root or root in real.parents for root in roots)
