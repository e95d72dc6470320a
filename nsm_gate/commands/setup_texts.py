"""What `nsm-gate init` writes into a repository: files, and the blocks that are appended to shared ones."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Collection, Iterable

from nsm_gate.errors import GateError
from nsm_gate.nouns import dataclass
from nsm_gate.policy import LogKind, Policy
from nsm_gate.render.untrusted import plain

PLACEHOLDER = "REPLACE-ME"
_ADDRESS = re.compile(r"[A-Za-z0-9/][A-Za-z0-9._~:/@+%-]{0,400}[A-Za-z0-9/]", re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """From where hooks and CI install the gate: an address of git, and a tag or commit there."""

    address: str
    revision: str

    @classmethod
    def of(cls, address: str | None, revision: str | None) -> Source:
        """Return the source that options name, or placeholders.

        Raises:
            GateError: A text that could act in the YAML or the shell command that it goes into.
        """
        for option, given, pattern in (("--repo", address, _ADDRESS), ("--rev", revision, _REVISION)):
            if given is not None and not pattern.fullmatch(given):
                hint = "give an address, tag or commit as git takes it"
                raise GateError(f"{option} {given!r} cannot be used", hint)
        return cls(
            address or f"https://git.example.org/{PLACEHOLDER}/nsm-gate",
            revision or f"{PLACEHOLDER}-WITH-A-TAG",
        )

    @property
    def requirement(self) -> str:
        """Return what pip installs."""
        shell = re.fullmatch(r"([\w.-]+@[\w.-]+):(?!//)(.+)", self.address)
        address = f"git+ssh://{shell[1]}/{shell[2]}" if shell else f"git+{self.address}"
        if not shell and "://" not in self.address:
            address = f"git+file://{self.address}"
        return f"nsm-gate @ {address}@{self.revision}"


DRIVER = (
    ("merge.nsm-gate.name", "join the lines that both sides appended to a log"),
    ("merge.nsm-gate.driver", "nsm-gate merge-driver -- %O %A %B %P"),
    ("diff.nsm-gate.textconv", "nsm-gate textconv --"),
)
"""What each clone's own configuration registers. Behind `--` no file name can pass for an option."""


def config(*, rules: bool) -> str:
    """Return nsm-gate.yaml, with the folder `rules` of rules or without it."""
    folder = "rules: [rules/]" if rules else "# rules: [rules/]"
    return f"""\
# What nsm-gate judges in this repository. Everything has a default; see `nsm-gate rules list`.
extends: nsm                    # the bundled pack, an installed package that ships one, or none
# Folders of your own experiment types, domains and log kinds; `nsm-gate init --type NAME` writes one.
{folder}
# severity:
#   criterion-missed: error     # where a run that misses its criteria must not be logged
"""


def pre_commit(gate: Source) -> str:
    """Return .pre-commit-config.yaml."""
    # A tag such as 1.0 would be a number to YAML.
    rev = gate.revision if re.match("[A-Za-z].*[.-]", gate.revision) else json.dumps(gate.revision)
    return f"""\
default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]
repos:
  - repo: {gate.address}
    rev: {rev}
    hooks:
      - id: nsm-gate              # judges the lines that a commit, merge or push appends
      - id: nsm-gate-history      # always runs: sees a log that is deleted, renamed or rewritten
"""


def workflow(gate: Source) -> str:
    """Return the GitHub workflow."""
    return f"""\
# Written by `nsm-gate init`: judges the lines that a push or a pull request appends to the experiment logs.
name: nsm-gate
on:
  push:
  pull_request:
  merge_group:
permissions:
  contents: read
jobs:
  nsm-gate:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0                # the lines are compared with their base, which must be there
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install "{gate.requirement}"
      - run: nsm-gate check --output-format github
"""


def attributes(kinds: Iterable[LogKind], raw: Collection[str]) -> str:
    """Return the lines of .gitattributes.

    Args:
        kinds: The log kinds.
        raw: Names of those whose logs already hold carriage returns.
    """
    rows = [
        "# Git changes no line of a log on the way in or out; merge and diff take effect in clones that",
        "# register them: nsm-gate init --git-config",
    ]
    if raw:
        rows.append("# -text: a log with carriage returns would be rewritten where git took it for text.")
    for kind in kinds:
        stored = "-text" if kind.name in raw else "text eol=lf"
        rows += [f"{_pattern(glob)} {stored} merge=nsm-gate diff=nsm-gate" for glob in kind.files]
    return "".join(f"{row}\n" for row in rows)


def _pattern(glob: str) -> str:
    """Return a glob of the rules as a pattern of gitattributes, which take `[`, `\\` and blanks for more."""
    path = glob.removeprefix("./")
    # Without a slash, git would take a name for one of any folder.
    anchored = path if path.startswith("**/") else f"/{path.lstrip('/')}"
    escaped = re.sub(r"([\[\\])", r"\\\1", anchored)
    bare = re.fullmatch(r"[^\s\"\\]+", escaped)
    return escaped if bare else json.dumps(escaped, ensure_ascii=False)


def agents(policy: Policy) -> str:
    """Return the section of AGENTS.md."""
    kinds = list(policy.logs.values())
    rows = ["## Logging an experiment run", ""]
    rows += ["Runs are logged in append-only JSON Lines files, which nsm-gate judges line by line:", ""]
    rows += [f"- {kind.name}: {', '.join(f'`{plain(glob)}`' for glob in kind.files)}" for kind in kinds]
    rows.append("")
    for number, law in enumerate(_laws(kinds), 1):
        rows += textwrap.wrap(
            f"{number}. {law}", 100, subsequent_indent="   ", break_long_words=False, break_on_hyphens=False
        )
    return "".join(f"{row}\n" for row in rows)


def _laws(kinds: list[LogKind]) -> Iterable[str]:
    skeletons = [f"`{_new(kind)}`" for kind in kinds]
    yield (
        f"Begin with a skeleton: {' or '.join(skeletons)}. Fill in every `TODO`, and every `null` that was "
        "measured or set. A skeleton that is not filled in does not pass."
    )
    yield (
        "Append the entry with `nsm-gate append LOG FILE`, which judges it first: it goes as one line to "
        "the end of the log. Never edit, move or remove a line that is there, and never rename or delete a "
        "log."
    )
    yield "Times are in UTC, in ISO 8601 with a Z: `2025-11-03T10:15:00Z`."
    if any(kind.hyperparameters for kind in kinds):
        yield "Log every hyperparameter that the run used, defaults too, above all the seed."
    if any(kind.findings for kind in kinds):
        yield (
            f"{_word(kinds, 'findings')}: a sentence or two on what the run showed, compared with what. At "
            "least 20 characters."
        )
    yield (
        "Negative results are welcome: a missed criterion is a warning and keeps no run out. Log what was "
        "measured; never adjust, invent or leave out a number to meet a criterion. Log failed runs too."
    )
    if any(kind.corrects for kind in kinds):
        yield (
            "Where a logged line is wrong, append a right one for the same run: "
            f"{_word(kinds, 'corrects')} repeats the run's name, {_word(kinds, 'reason')} says why."
        )
    yield (
        "Never change rules, schemas, waivers or `nsm-gate.yaml` in the same change as a run that they "
        "judge: a rule is proposed first, and by itself."
    )
    yield (
        "Run `nsm-gate check` before you commit. 0: clean. 1: mend the new line, never the rules or the old "
        "lines. 2: nothing was judged; the message says what to do."
    )


def _new(kind: LogKind) -> str:
    if kind.experiment_type or kind.domain:
        words = ["nsm-gate new", "TYPE" * bool(kind.experiment_type), "--domain DOMAIN" * bool(kind.domain)]
        return " ".join(word for word in words if word)
    return f"nsm-gate new --log {kind.name}"


def _word(kinds: list[LogKind], role: str) -> str:
    """Return what the log kinds call a member."""
    found = [path[-1] for kind in kinds if (path := getattr(kind, role))]
    return " or ".join(f"`{plain(name)}`" for name in dict.fromkeys(found))


# --- marked blocks ----------------------------------------------------------------------------------

BLOCKS = {".gitattributes": ("# ", ""), "AGENTS.md": ("<!-- ", " -->")}
"""How the marks of a block are written in each file that takes one."""


def block(path: str, text: str) -> str:
    """Return a text between the marks that tell a later run that it is there."""
    left, right = BLOCKS[path]
    return f"{left}nsm-gate:begin (nsm-gate init wrote this){right}\n{text}{left}nsm-gate:end{right}\n"


def block_in(path: str, content: str) -> str | None:
    """Return the marked block of a file, from mark to mark, or None where there is none."""
    left, right = (re.escape(mark) for mark in BLOCKS[path])
    begin = re.search(rf"^{left}nsm-gate:begin\b.*$", content, re.MULTILINE)
    if begin is None:
        return None
    end = re.compile(rf"^{left}nsm-gate:end{right}$\n?", re.MULTILINE).search(content, begin.end())
    return content[begin.start() : end.end() if end else None]
