"""The reference of docs/commands.md: what each command takes, from its own parser, and what it prints.

Options stand in tables of our own: how argparse sets its help differs between versions of Python.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from nsm_gate.cli import _COMMANDS
from tests import migrate_transcripts
from tests.support import ROOT, Repo, a_run, edited, environment, gate

LOG = "experiments/training_log.jsonl"
_DATE = "2025-11-03T12:00:00+00:00"

MORE = {
    "check": "[check.md](check.md), and [ci.md](ci.md) for CI systems",
    "fix": "[fix.md](fix.md)",
    "append": "[append.md](append.md)",
    "migrate": "[migrate.md](migrate.md)",
    "runs": "[runs.md](runs.md)",
    "show": "[runs.md](runs.md#one-run)",
    "report": "[report.md](report.md)",
    "explain": "[check.md](check.md#why-a-run-was-judged-so)",
    "rules list": "[the README](../README.md#rules-and-who-may-change-them)",
    "rules show": "[criteria.md](criteria.md)",
    "rules lint": "[rule-language.md](rule-language.md)",
    "rules test": "[rule-language.md](rule-language.md)",
    "rules impact": "[governance.md](governance.md#whose-rules-judge)",
    "config show": "[the README](../README.md#configure-it)",
    "init": "[setup.md](setup.md)",
    "new": "[setup.md](setup.md#log-a-run)",
    "merge-driver": "[setup.md](setup.md#merge-two-branches-that-logged-runs)",
    "textconv": "[setup.md](setup.md#look-at-a-change)",
}
"""Command, in the order of the page -> where more is said of it."""


def parsers() -> dict[str, tuple[str, argparse.ArgumentParser]]:
    """Return what each command does, and its parser; a command of commands gives each of them."""
    made = {}
    for name, said in _COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"nsm-gate {name}")
        importlib.import_module(f"nsm_gate.commands.{name.replace('-', '_')}").add_arguments(parser)
        subs = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        for group in subs:
            helps = {choice.dest: choice.help or "" for choice in group._choices_actions}
            made.update({f"{name} {sub}": (helps[sub], each) for sub, each in group.choices.items()})
        if not subs:
            made[name] = (said, parser)
    return made


def index() -> str:
    """Return the table of all commands."""
    found = parsers()
    if found.keys() != MORE.keys():
        raise ValueError(f"docs/commands.md does not know {found.keys() ^ MORE.keys()}")
    rows = ["| command | what it does | more |", "|---|---|---|"]
    for name, more in MORE.items():
        anchor = f"nsm-gate-{name.replace(' ', '-')}"
        rows.append(f"| [`{name}`](#{anchor}) | {_prose(found[name][0])} | {more} |")
    return "\n".join(rows)


def reference() -> str:
    """Return a section for each command: its arguments and an example."""
    found = parsers()
    return "\n\n".join(_section(name, *found[name]) for name in MORE)


def _section(name: str, said: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if "--help" not in action.option_strings]
    options = any(action.option_strings for action in actions)
    places = [_place(action) for action in actions if not action.option_strings]
    synopsis = " ".join([parser.prog, *(["[OPTIONS]"] if options else []), *places])
    rows = [f"| `{_code(_words(action))}` | {_told(parser, action)} |" for action in actions]
    parts = [
        f"## nsm-gate {name}",
        f"{_prose(said[:1].upper() + said[1:])}. More: {MORE[name]}.",
        f"```text\n{synopsis}\n```",
        "\n".join(["| argument | |", "|---|---|", *rows]),
        _prose(" ".join((parser.epilog or "").split())),
        EXAMPLES[name](),
    ]
    return "\n\n".join(part for part in parts if part)


def _place(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest.upper())
    shown = f"{name} ..." if action.nargs in ("*", "+") else name
    return f"[{shown}]" if action.nargs in ("*", "?") else shown


def _words(action: argparse.Action) -> str:
    if not action.option_strings:
        return _place(action)
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    return f"{', '.join(action.option_strings)} {value}"


def _told(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if not action.help:
        return _UNSAID[action.dest]
    said = parser._get_formatter()._expand_help(action)
    return _prose(f"{said}; required" if action.required and action.option_strings else said)


_UNSAID = {
    "color": "colours; `auto` goes by the terminal, `NO_COLOR` and `FORCE_COLOR`",
    "output_format": "the form of the answer (default: text)",
}
"""Option -> what it does, where its help leaves that to its name."""


def _code(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    """Return text of a help as Markdown: what is a mark there is text here."""
    return re.sub(r"([*<\[|])", r"\\\1", text)


# --- examples: what the commands print, in the sample project unless they need another place ----------------


def _sample(*commands: str) -> Callable[[], str]:
    """Return what prints commands in a repository that holds the sample project."""

    def printed() -> str:
        with _repository() as repo:
            return _transcript(repo, *commands)

    return printed


class _repository:
    """A repository with the sample project, committed at a fixed time."""

    def __enter__(self) -> Repo:
        self._folder = tempfile.TemporaryDirectory()
        env = environment(Path(self._folder.name), GIT_AUTHOR_DATE=_DATE, GIT_COMMITTER_DATE=_DATE)
        repo = Repo.init(Path(self._folder.name) / "lab", env=env)
        shutil.copytree(ROOT / "examples/nsm", repo.path, dirs_exist_ok=True)
        repo.commit("The sample project")
        return repo

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def _transcript(repo: Repo, *commands: str) -> str:
    said = ""
    for command in commands:
        result = gate(*shlex.split(command), cwd=repo.path, env=repo.env)
        if result.code == 2:
            raise AssertionError(f"the example of {command} should work: {result}")
        said += f"$ nsm-gate {command}\n{result.out}{result.err}"
    return f"```console\n{said}```"


def _appending() -> str:
    with _repository() as repo:
        run = edited(a_run("planning_wide_20260601"), entry__timestamp="2026-06-01T10:00:00Z")
        repo.write("run.json", json.dumps(run))
        return _transcript(repo, f"append {LOG} run.json", f"append {LOG} run.json")


def _checking() -> str:
    with _repository() as repo:
        collapsed = edited(
            a_run("planning_wide_20260601"), entry__timestamp="2026-06-01T10:00:00", findings="TODO",
            final_metrics__accuracy=0.5, best_val_accuracy=0.5,
        )  # fmt: skip
        repo.append(LOG, collapsed)
        repo.git("add", "-A")
        return _transcript(repo, "check --staged --output-format concise")


def _fixing() -> str:
    with _repository() as repo:
        repo.append(LOG, edited(a_run("planning_wide_20260601"), entry__timestamp="2026-06-01T10:00:00"))
        return _transcript(repo, "fix", "check")


def _turning() -> str:
    with _repository() as repo:
        repo.write("nsm-gate.yaml", "rules: [rules/]\n")
        repo.write(
            "rules/dual_pass_validation.yaml",
            "experiment_type: dual_pass_validation\ncriteria:\n  accuracy: {above: 0.55}\n",
        )
        return _transcript(repo, "rules impact --base main")


def _joining() -> str:
    with _repository() as repo:
        repo.write("base.jsonl", [a_run("planning_one_20251101", 0)])
        repo.write("ours.jsonl", [a_run("planning_one_20251101", 0), a_run("planning_two_20251102", 1)])
        repo.write("theirs.jsonl", [edited(a_run("planning_one_20251101", 0), domain="causal")])
        return _transcript(repo, f"merge-driver base.jsonl ours.jsonl theirs.jsonl {LOG}")


def _showing_a_line() -> str:
    with _repository() as repo:
        repo.write(
            "baselines.jsonl", (repo.path / "baselines.jsonl").read_bytes().splitlines(keepends=True)[0]
        )
        return _transcript(repo, "textconv baselines.jsonl")


EXAMPLES: dict[str, Callable[[], str]] = {
    "check": _checking,
    "fix": _fixing,
    "append": _appending,
    "migrate": migrate_transcripts.migrated,
    "runs": _sample("runs --count-by experiment_type,status"),
    "show": _sample("show dual_pass_learned_fusion_20251202 --diff single_pass"),
    "report": _sample("report -o report.md"),
    "explain": _sample("explain hyperparam_cycle_weight_0.05_20260108"),
    "rules list": _sample("rules list"),
    "rules show": _sample("rules show impossible-metric"),
    "rules lint": _sample("rules lint"),
    "rules test": _sample("rules test domain_exploration"),
    "rules impact": _turning,
    "config show": _sample("config show limits"),
    "init": _sample("init --type ablation"),
    "new": _sample("new --log baselines"),
    "merge-driver": _joining,
    "textconv": _showing_a_line,
}
"""Command -> what makes the transcript of its example."""

if __name__ == "__main__":
    print(index())
    print(reference())
