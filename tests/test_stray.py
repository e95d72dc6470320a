"""No network and no stray reads: what every command opens, lists, executes and connects to.

A Python audit hook sees it, in the child that judges and in its workers, too. Each command also runs where
there is no network at all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from nsm_gate.cli import _COMMANDS
from tests.recorder import Acts, record
from tests.support import Repo, a_baseline, a_run, edited, environment, lines

LOG = "experiments/training_log.jsonl"
ELSEWHERE: frozenset[str] = frozenset()
"""All that is opened outside the repository, the installation and the temporary folder."""

RUN = "planning_two_20251101"
COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check",),
    "check --staged": ("check", "--staged"),
    "check --all": ("check", "--all"),
    "check --base": ("check", "--base", "HEAD~1"),
    "check --rules-from base": ("check", "--base", "HEAD~1", "--rules-from", "base"),
    "check --jobs": ("check", "--all", "--jobs", "2", "many"),
    "check -": ("check", "-", "--stdin-log", "training_log"),
    "check, every format": (
        "check", "--all", "-v", "--color", "always",
        *(
            word
            for form in ("json", "jsonl", "sarif", "junit", "gitlab", "rdjson", "markdown", "github", "azure", "concise")
            for word in ("--output-format", f"{form}:out/{form}")
        ),
    ),
    "check, a mistake": ("check", "--base", "nosuch"),
    "check, what has no schema": ("check", "--all", "--config", "wrong.yaml"),
    "explain": ("explain", RUN),
    "runs": ("runs", "--where", "accuracy > 0.5"),
    "show": ("show", RUN),
    "rules list": ("rules", "list"),
    "rules show": ("rules", "show", "domain_exploration"),
    "rules lint": ("rules", "lint"),
    "rules test": ("rules", "test"),
    "rules impact": ("rules", "impact", "--base", "HEAD~1"),
    "config show": ("config", "show"),
    "init": ("init",),
    "init --type": ("init", "--type", "ablation"),
    "new": ("new", "domain_exploration", "--domain", "planning"),
    "append": ("append", LOG, "more.jsonl"),
    "fix": ("fix", "--diff"),
    "fix, for real": ("fix",),
    "migrate": ("migrate", "--map", "map.yaml", "old.csv", "baselines_old.jsonl"),
    "report to HTML": ("report", "-o", "out/report.html"),
    "report to Markdown": ("report", "-o", "out/report.md"),
    "merge-driver": ("merge-driver", "base.jsonl", "ours.jsonl", "theirs.jsonl", LOG),
    "textconv": ("textconv", LOG),
    "no command": (),
    "--help": ("--help",),
    "--version": ("--version",),
}  # fmt: skip
CODES = {"check, a mistake": 2, "check, what has no schema": 2, "no command": 2}
"""Exit codes other than 0."""


def lab(folder: Path) -> Repo:
    """Return a repository with all that the commands need, one run logged and one staged."""
    when = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2025-11-01T12:00:00Z")
    repo = Repo.init(folder / "r", env=environment(folder, **when))
    (repo.path / "out").mkdir()
    repo.write(LOG, [a_run("planning_one_20251101", 0)])
    repo.write("baselines.jsonl", [a_baseline()])
    repo.write("rules/nought.yaml", "experiment_type: nought\ncriteria: {accuracy: '> 0'}\n")
    repo.write("nsm-gate.yaml", "rules: [rules]\n")
    repo.commit("one")
    repo.write("nsm-gate.yaml", "rules: [rules]\nseverity: {blank-line: error}\n")
    repo.write("wrong.yaml", "extends: nothing_of_this_name\n")
    for name, number in (("base", 1), ("ours", 2), ("theirs", 3)):
        extra = [] if name == "base" else [a_run(f"planning_{name}_20251101", number)]
        repo.write(f"{name}.jsonl", [a_run("planning_one_20251101", 0), *extra])
    repo.write("more.jsonl", lines(a_run("planning_three_20251101", 2)))
    repo.write("old.csv", "name,accuracy\na,0.6\n")
    repo.write("map.yaml", MAPPING)
    repo.commit("rules")
    repo.append(LOG, a_run(RUN, 1))
    repo.git("add", "-A")
    many = [a_run(f"planning_{n}_20251101", n % 1400) for n in range(450)]
    repo.write(
        "many/training_log.jsonl", [edited(run, best_val_accuracy=n / 1000) for n, run in enumerate(many)]
    )
    return repo


MAPPING = """\
to: baselines
fields:
  branch: {value: main}
  commit: {value: b77f986}
  timestamp: {value: "2025-10-20T00:00:00Z"}
  experiment: name
  metrics.accuracy: {from: accuracy, convert: number}
  metrics.balance_delta: {value: 0.1}
  metrics.cycle_loss: {value: 0.1}
  config.variant: name
  config.epochs: {value: 1}
  config.batch_size: {value: 1}
  config.learning_rate: {value: 0.1}
  config.cycle_weight: {value: 0.1}
  config.pool_ratio: {value: 0.1}
  config.dropout: {value: 0.1}
  notes: {value: "An old baseline that was kept in a table."}
"""


def test_every_command_is_recorded() -> None:
    assert {args[0] for args in COMMANDS.values() if args and args[0][0] != "-"} == set(_COMMANDS)
    assert {args[1] for args in COMMANDS.values() if args[:1] == ("rules",)} == {
        "list", "show", "lint", "test", "impact",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_opens_nothing_elsewhere_and_executes_nothing_but_git(tmp_path: Path, name: str) -> None:
    acts = acted(tmp_path, name)
    assert acts.code == CODES.get(name, 0), acts.err
    assert acts.inside > 20  # the modules, at least: the hook is at work
    assert set(acts.opened) <= ELSEWHERE
    assert acts.listed == ()
    assert acts.connected == ()
    assert {program(words) for words in acts.executed} <= {"git"}


def acted(folder: Path, name: str, *, planted: str = "", before: Sequence[str] = ()) -> Acts:
    """Run a command of the table; return what it did."""
    return record(
        lab(folder),
        COMMANDS[name],
        stdin=lines(a_run("planning_four_20251101", 5)),
        planted=planted,
        before=before,
    )


def program(words: str) -> str:
    """Return the program of a recorded command line."""
    return words.strip("[(").split(",")[0].strip("b'\"")


def test_workers_are_recorded_too(tmp_path: Path) -> None:
    planted = (
        "import nsm_gate.bulk as b; f = b.Bulk.look\n"
        "def look(self, start, stop): open('/etc/passwd').close(); return f(self, start, stop)\n"
        "b.Bulk.look = look\n"
    )
    acts = acted(tmp_path, "check --jobs", planted=planted)
    assert set(acts.opened) - ELSEWHERE == {"/etc/passwd"}


# --- the hook sees a violation ----------------------------------------------------------------------

BEFORE = "import nsm_gate.commands.check as c; f = c.execute\n"
AFTER = "\nc.execute = planted\n"
PLANTED = {
    "a file of the system": ("open('/etc/passwd').close()", "opened", "/etc/passwd"),
    "a file of the system, by its handle": (
        "import os; os.close(os.open('/etc/passwd', os.O_RDONLY))", "opened", "/etc/passwd",
    ),
    "a file of the user": (
        "import os, contextlib\n    with contextlib.suppress(OSError): open(os.path.expanduser('~/.netrc'))",
        "opened", "HOME/.netrc",
    ),
    "a file beside the repository": ("open('../beside').close()", "opened", "../beside"),
    "a link out of the repository": ("open('link').close()", "opened", "link"),
    "a folder of the system": ("import os; os.listdir('/etc')", "listed", "/etc"),
    "a folder of the user": ("import os; list(os.scandir(os.path.expanduser('~')))", "listed", "HOME"),
    "another program": ("import subprocess; subprocess.run(['true'])", "executed", "['true']"),
    "another program, by a shell": ("import os; os.system('true')", "executed", "b'true'"),
    "another program, spawned": (
        "import os, shutil; os.waitpid(os.posix_spawn(shutil.which('true'), ['true'], {}), 0)",
        "executed", "['true']",
    ),
    "a name that is looked up": (
        "import socket, contextlib\n    with contextlib.suppress(OSError): socket.getaddrinfo('localhost', 80)",
        "connected", "socket",
    ),
    "a connection": (
        "import socket, contextlib\n    with contextlib.suppress(OSError): socket.create_connection(('127.0.0.1', 1))",
        "connected", "socket",
    ),
    "an address": (
        "import urllib.request, contextlib\n    with contextlib.suppress(OSError): urllib.request.urlopen('http://127.0.0.1:1')",
        "connected", "urllib",
    ),
    "a library of the system": ("import ctypes; ctypes.CDLL(None)", "connected", "ctypes"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(tmp_path: Path, name: str) -> None:
    code, kind, found = PLANTED[name]
    repo = lab(tmp_path)
    (tmp_path / "beside").write_text("x")
    (repo.path / "link").symlink_to("/etc/passwd")
    planted = f"{BEFORE}def planted(args, world):\n    {code}\n    return f(args, world)\n{AFTER}"
    acts = record(repo, ("check", "--all", LOG), planted=planted)
    said = [item.replace(repo.env["HOME"], "HOME") for item in getattr(acts, kind)]
    assert any(item.startswith(found) for item in said), acts


# --- without a network ------------------------------------------------------------------------------


@cache
def without_network() -> tuple[str, ...]:
    """Return what runs a command in a network of its own, which has nothing in it; nothing where that is refused."""
    for command in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return ()


def test_there_is_no_network_where_there_is_none() -> None:
    if not without_network():
        pytest.skip("this machine lets nobody make a network")
    script = "import socket; socket.create_connection(('127.0.0.1', 9), 5)"
    done = subprocess.run(
        [*without_network(), sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "unreachable" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_needs_no_network(tmp_path: Path, name: str) -> None:
    if not without_network():
        pytest.skip("this machine lets nobody make a network")
    acts = []
    for before in ((), without_network()):
        acts.append(acted(tmp_path / "lab", name, before=before))
        shutil.rmtree(tmp_path / "lab")
    with_it, without = acts
    assert (without.code, without.err, without.executed) == (with_it.code, with_it.err, with_it.executed)
    # A skeleton has the time.
    assert without.out == with_it.out or name == "new"
