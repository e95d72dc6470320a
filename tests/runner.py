"""An emulated runner of GitHub Actions: enough of one to run the steps of this repository's action.yml.

It evaluates the expressions of inputs, outputs and variables, runs each `run:` as the runner does, reads the
environment files, and takes workflow commands out of what is printed, in both grammars. Around it: the
checkout that actions/checkout makes, and event files of the documented shapes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support import ROOT, Repo, environment

# --- workflow commands ------------------------------------------------------------------------------

COMMANDS = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path",
    "notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A workflow command, its values decoded."""

    name: str
    properties: dict[str, str]
    data: str


def commands(log: str) -> list[Command]:
    """Return the commands that the runner takes from a log. It ends a line at a bare carriage return, too."""
    found = (_command(line) or _old_command(line) for line in re.split(r"\r\n|\r|\n", log))
    return [command for command in found if command is not None]


def _command(line: str) -> Command | None:
    """ActionCommand.TryParseV2: `::name key=value,key=value::data`, behind blanks."""
    message = line.lstrip()
    if not message.startswith("::"):
        return None
    end = message.find("::", 2)
    if end < 0:
        return None
    name, _, rest = message[2:end].partition(" ")
    if name.lower() not in COMMANDS:
        return None
    pairs = (pair.partition("=") for pair in rest.strip().split(",") if pair)
    codes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
    properties = {key: _decoded(value, codes) for key, sign, value in pairs if sign}
    return Command(
        name.lower(), properties, _decoded(message[end + 2 :], {**codes, "%3A": "%3A", "%2C": "%2C"})
    )


def _old_command(line: str) -> Command | None:
    """ActionCommand.TryParse: `##[name key=value;key=value]data`, anywhere in a line."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, rest = line[start + 3 : end].partition(" ")
    if name.lower() not in COMMANDS:
        return None
    pairs = (pair.partition("=") for pair in rest.strip().split(";") if pair)
    return Command(name.lower(), {key: value for key, sign, value in pairs if sign}, line[end + 1 :])


def _decoded(text: str, codes: Mapping[str, str]) -> str:
    for code, char in codes.items():
        text = text.replace(code, char)
    return text


# --- environment files ------------------------------------------------------------------------------


def file_command(text: str) -> dict[str, str]:
    """Read GITHUB_OUTPUT or GITHUB_ENV: NAME=VALUE, or NAME<<END, the value, END. A wrong file is an error."""
    found: dict[str, str] = {}
    rows = text.split("\n")
    assert rows.pop() == ""
    while rows:
        row = rows.pop(0)
        if not row:
            continue
        equals, heredoc = row.find("="), row.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, end = row[:heredoc], row[heredoc + 2 :]
            assert name
            assert end
            found[name] = "\n".join(rows[: rows.index(end)])
            del rows[: rows.index(end) + 1]
        else:
            assert equals > 0, row
            found[row[:equals]] = row[equals + 1 :]
    return found


# --- expressions ------------------------------------------------------------------------------------

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TERM = re.compile(r"'((?:[^']|'')*)'|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)")


def resolved(text: str, contexts: Mapping[str, Any]) -> str:
    """Return a value with its expressions evaluated: literals, members of contexts, and `||`."""

    def value(found: re.Match[str]) -> str:
        for part in found[1].split("||"):
            term = _TERM.fullmatch(part.strip())
            assert term is not None, f"the tests cannot evaluate {part}"
            result = term[1].replace("''", "'") if term[2] is None else _member(contexts, term[2])
            if result:
                return result
        return ""

    return _EXPRESSION.sub(value, text)


def _member(contexts: Mapping[str, Any], path: str) -> str:
    found: Any = contexts
    for name in path.split("."):
        found = found.get(name, "") if isinstance(found, Mapping) else ""
    assert isinstance(found, str), path
    return found


# --- a job ------------------------------------------------------------------------------------------


@dataclass
class Event:
    """What made the workflow run.

    Attributes:
        name: Name of the event.
        ref: GITHUB_REF.
        sha: GITHUB_SHA.
        payload: Content of the event file.
        env: More variables, such as GITHUB_HEAD_REF.
    """

    name: str
    ref: str
    sha: str
    payload: Any
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Done:
    """What the action left behind.

    Attributes:
        code: Exit code of the step that failed, else 0.
        log: Standard output and standard error, as the runner reads them.
        summary: Job summary; the runner drops one of over 1 MiB, step by step.
        outputs: Outputs of the action.
        steps: Outcome of each step: success, failure or skipped.
    """

    code: int
    log: str
    summary: str
    outputs: dict[str, str]
    steps: dict[str, str]

    def annotations(self, kind: str) -> list[Command]:
        """Return the annotations of a kind that GitHub shows: ten of a step."""
        return [command for command in commands(self.log) if command.name == kind][:10]

    @property
    def fetched(self) -> list[str]:
        """Return what the action fetched."""
        return re.findall(r"^nsm-gate fetches: (.*)$", self.log, re.MULTILINE)

    @property
    def base(self) -> str:
        """Return the base, and why it was taken, as the report says them."""
        return said(self.log)


def said(log: str) -> str:
    """Return the base, and why it was taken, as a report says them."""
    found = re.search(r"^checked .* against (.*)$", log, re.MULTILINE)
    return found[1] if found else ""


class Runner:
    """A runner that has checked a repository out into its workspace."""

    def __init__(self, root: Path, workspace: Path, event: Event, **env: str) -> None:
        """Lay the folders and the event file of a job out below `root`."""
        self.root, self.workspace, self.event = root, workspace, event
        for folder in ("temp", "files"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "event.json").write_text(json.dumps(event.payload), encoding="utf-8")
        self.env = environment(root, **{
            "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_SERVER_URL": "https://github.example.com", "GITHUB_REPOSITORY": "octo-lab/runs",
            "GITHUB_EVENT_NAME": event.name, "GITHUB_EVENT_PATH": str(root / "event.json"),
            "GITHUB_REF": event.ref, "GITHUB_SHA": event.sha, "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(root / "temp"), "RUNNER_OS": "Linux", **event.env, **env,
        })  # fmt: skip

    def act(
        self, inputs: Mapping[str, str] | None = None, ready: Mapping[str, Mapping[str, str]] | None = None
    ) -> Done:
        """Run the steps of action.yml.

        Args:
            inputs: What the workflow gives under `with:`.
            ready: Step -> outputs, of steps that have been done already.
        """
        action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
        assert action["runs"]["using"] == "composite"
        given = dict(inputs or {})
        assert given.keys() <= action["inputs"].keys()
        github = {
            "token": self.env.get("TOKEN", ""),
            "action_path": str(ROOT),
            "workspace": str(self.workspace),
        }
        contexts: dict[str, Any] = {
            "github": github,
            "runner": {"temp": self.env["RUNNER_TEMP"]},
            "steps": {},
        }
        contexts["inputs"] = {
            name: given.get(name, resolved(str(told.get("default", "")), contexts))
            for name, told in action["inputs"].items()
        }
        code, log, summary, outcomes = 0, "", "", {}
        env = {name: value for name, value in self.env.items() if name != "TOKEN"}
        for number, step in enumerate(action["runs"]["steps"]):
            name = step.get("id", f"__run_{number}")
            assert step.keys() <= {"name", "id", "shell", "env", "run"}, "the tests know no other keys"
            if code or name in (ready or {}):
                contexts["steps"][name] = {"outputs": dict((ready or {}).get(name, {}))}
                outcomes[name] = "skipped"
                continue
            files = {}
            for kind in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE"):
                file = files[kind] = self.root / "files" / f"{name}-{kind}"
                file.write_bytes(b"")
                env[f"GITHUB_{kind}"] = str(file)
            own = {key: resolved(str(value), contexts) for key, value in step.get("env", {}).items()}
            script = self.root / "files" / f"{name}.sh"
            script.write_text(resolved(step["run"], contexts), encoding="utf-8")
            assert step["shell"] == "bash"
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
                cwd=self.workspace, env={**env, **own}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            code = done.returncode
            outcomes[name] = "failure" if code else "success"
            log += done.stdout.decode("utf-8", "backslashreplace")
            if files["STEP_SUMMARY"].stat().st_size <= 1 << 20:
                summary += files["STEP_SUMMARY"].read_text("utf-8")
            contexts["steps"][name] = {"outputs": file_command(files["OUTPUT"].read_text("utf-8"))}
            env |= file_command(files["ENV"].read_text("utf-8"))
            assert files["PATH"].read_text("utf-8") == ""
        outputs = {key: resolved(told["value"], contexts) for key, told in action["outputs"].items()}
        return Done(code, log, summary, outputs, outcomes)


def installed(place: Path) -> dict[str, dict[str, str]]:
    """Return what the install step gives out: an environment with this checkout in it, made without pip."""
    venv.create(place, symlinks=True, with_pip=False)
    inside = {"base": str(place), "platbase": str(place)}
    rows = (str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    (Path(sysconfig.get_path("purelib", vars=inside)) / "here.pth").write_text("\n".join(rows))
    return {"install": {"python": str(place / "bin" / "python")}}


# --- GitHub -----------------------------------------------------------------------------------------

ZEROS = "0" * 40


class GitHub:
    """A repository on a server, and the events that happen there."""

    def __init__(self, root: Path, default: str = "main") -> None:
        """Use the repository below `root`, or make an empty one; `lab` is a clone whose owner may push."""
        self.root, self.default = root, default
        self.url = f"file://{root}/server.git"
        self.server, self.lab = Repo(root / "server.git"), Repo(root / "lab")
        if not self.server.path.exists():
            Repo.init(self.server.path, "--bare", f"--initial-branch={default}")
            # GitHub gives out every commit that it has, asked for by its id.
            self.server.git("config", "uploadpack.allowAnySHA1InWant", "true")
            Repo.clone(self.server, self.lab.path)

    def push(self, refspec: str, *, force: bool = False) -> str:
        """Push from the lab; return the commit."""
        source, _, target = refspec.partition(":")
        commit = self.lab.git("rev-parse", source)
        target = target or (source if source.startswith("refs/") else f"refs/heads/{source}")
        self.lab.git("push", "-q", *(["--force"] if force else []), self.url, f"{commit}:{target}")
        return self.lab.git("rev-parse", f"{commit}^{{commit}}")

    def repository(self) -> dict[str, Any]:
        return {
            "id": 1,
            "name": "runs",
            "full_name": "octo-lab/runs",
            "default_branch": self.default,
            "fork": False,
        }

    def checkout(
        self, event: Event, *, depth: int = 1, ref: str = "", url: str = "", name: str = "work"
    ) -> Path:
        """Do what actions/checkout does for an event, or for a `ref:` that the workflow names."""
        work = Repo.init(self.root / name)
        work.git("remote", "add", "origin", url or self.url)
        limit = [f"--depth={depth}"] if depth else []
        sha = ref or event.sha
        if depth == 0:
            work.git(
                "fetch",
                "-q",
                "--prune",
                "origin",
                "+refs/heads/*:refs/remotes/origin/*",
                "+refs/tags/*:refs/tags/*",
            )
        kind, _, short = event.ref.removeprefix("refs/").partition("/")
        if ref or kind not in ("heads", "tags", "pull"):
            work.git("fetch", "-q", "--no-tags", *limit, "origin", sha)
            work.git("checkout", "-q", "--detach", sha)
        elif kind == "heads":
            work.git("fetch", "-q", "--no-tags", *limit, "origin", f"+{sha}:refs/remotes/origin/{short}")
            work.git("checkout", "-q", "--force", "-B", short, f"refs/remotes/origin/{short}")
        else:
            place = event.ref if kind == "tags" else f"refs/remotes/pull/{short}"
            work.git("fetch", "-q", "--no-tags", *limit, "origin", f"+{sha}:{place}")
            work.git("checkout", "-q", "--force", place)
        return work.path

    # --- events, in the shapes that GitHub documents ------------------------------------------------

    def pull_request(
        self, branch: str, *, fork: bool = False, number: int = 7, kind: str = "pull_request"
    ) -> Event:
        """Open a pull request of a branch of the lab into the default branch: GitHub makes the merge ref."""
        tip = self.lab.git("rev-parse", branch)
        base = self.server.git("rev-parse", f"refs/heads/{self.default}")
        commits = self.lab.git("rev-list", "--count", tip, f"^{base}")
        if not fork:
            self.push(f"{branch}:refs/heads/{branch}", force=True)
        self.push(f"{tip}:refs/pull/{number}/head", force=True)
        self.lab.git("checkout", "-q", "--detach", base)
        self.lab.git(
            "-c", "merge.default=union", "merge", "-q", "--no-ff", "-m", f"Merge {tip} into {base}", tip
        )
        sha = self.push(f"HEAD:refs/pull/{number}/merge", force=True)
        self.lab.git("checkout", "-q", self.default)
        other = {**self.repository(), "full_name": "stranger/runs", "fork": True}
        owner = "stranger" if fork else "octo-lab"
        payload = {
            "action": "synchronize", "number": number, "repository": self.repository(),
            "pull_request": {
                "number": number, "state": "open", "title": "Log runs", "commits": int(commits),
                "merge_commit_sha": sha, "changed_files": 1,
                "base": {"ref": self.default, "sha": base, "label": f"octo-lab:{self.default}", "repo": self.repository()},
                "head": {"ref": branch, "sha": tip, "label": f"{owner}:{branch}", "repo": other if fork else self.repository()},
            },
            "sender": {"login": owner},
        }  # fmt: skip
        env = {"GITHUB_HEAD_REF": branch, "GITHUB_BASE_REF": self.default}
        if kind == "pull_request_target":
            return Event(kind, f"refs/heads/{self.default}", base, payload, env)
        return Event(kind, f"refs/pull/{number}/merge", sha, payload, env)

    def pushed(self, ref: str, before: str, after: str, *, forced: bool = False) -> Event:
        """Tell of a push."""
        shown = ["rev-list", "--reverse", after] + ([] if before == ZEROS else [f"^{before}"])
        commits = [] if after == ZEROS else self.lab.git(*shown).split()
        payload = {
            "ref": ref, "before": before, "after": after, "created": before == ZEROS, "deleted": after == ZEROS,
            "forced": forced, "base_ref": None, "compare": "https://github.example.com/octo-lab/runs/compare/x",
            "commits": [{"id": commit, "distinct": True, "message": "Log runs"} for commit in commits[-2048:]],
            "head_commit": None if after == ZEROS else {"id": after}, "repository": self.repository(),
            "pusher": {"name": "octocat"},
        }  # fmt: skip
        if after == ZEROS:  # the workflow of the default branch runs, on its last commit
            tip = self.server.git("rev-parse", f"refs/heads/{self.default}")
            return Event("push", f"refs/heads/{self.default}", tip, payload)
        return Event("push", ref, after, payload)

    def merge_group(self, branch: str) -> Event:
        """Put a branch into the merge queue."""
        base = self.server.git("rev-parse", f"refs/heads/{self.default}")
        self.lab.git("checkout", "-q", "--detach", base)
        self.lab.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7", branch)
        ref = f"refs/heads/gh-readonly-queue/{self.default}/pr-7-{base}"
        sha = self.push(f"HEAD:{ref}")
        self.lab.git("checkout", "-q", self.default)
        payload = {
            "action": "checks_requested", "repository": self.repository(),
            "merge_group": {
                "head_sha": sha, "head_ref": ref, "base_sha": base, "base_ref": f"refs/heads/{self.default}",
                "head_commit": {"id": sha, "message": "Merge pull request #7"},
            },
        }  # fmt: skip
        return Event("merge_group", ref, sha, payload)

    def schedule(self) -> Event:
        sha = self.server.git("rev-parse", f"refs/heads/{self.default}")
        return Event(
            "schedule",
            f"refs/heads/{self.default}",
            sha,
            {"schedule": "30 5 * * 1", "repository": self.repository()},
        )

    def workflow_dispatch(self, ref: str) -> Event:
        payload = {
            "inputs": None,
            "ref": ref,
            "repository": self.repository(),
            "workflow": ".github/workflows/gate.yml",
        }
        return Event("workflow_dispatch", ref, self.server.git("rev-parse", f"{ref}^{{commit}}"), payload)
