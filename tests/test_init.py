"""`nsm-gate init` writes what works, once, and never over anything; docs/setup.md says what it does."""

from __future__ import annotations

import copy
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import ROOT, Repo, Result, a_run, environment, gate, lines, with_command

FILES = (
    "nsm-gate.yaml",
    ".pre-commit-config.yaml",
    ".github/workflows/nsm-gate.yml",
    ".gitattributes",
    "AGENTS.md",
)
ADDRESS = "https://git.example.org/team/nsm-gate.git"
SOURCE = ("--repo", ADDRESS, "--rev", "v1.2.3")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository in which git finds nsm-gate."""
    return Repo.init(tmp_path / "r", env=with_command(environment(tmp_path), tmp_path / "bin"))


def init(repo: Repo, *args: str) -> Result:
    return gate("init", *args, cwd=repo.path, env=repo.env)


def files(repo: Repo) -> dict[str, bytes]:
    """Return the content of every file beside git's own."""
    found = {file.relative_to(repo.path) for file in repo.path.rglob("*") if file.is_file()}
    return {p.as_posix(): (repo.path / p).read_bytes() for p in sorted(found) if p.parts[0] != ".git"}


def text(repo: Repo, name: str) -> str:
    return (repo.path / name).read_text()


# --- a repository is set up -----------------------------------------------------------------------------


def test_an_empty_repository_is_set_up(repo: Repo) -> None:
    result = init(repo, *SOURCE)
    assert (result.code, result.err) == (0, "")
    assert tuple(files(repo)) == tuple(sorted(FILES))
    assert result.out.startswith("".join(f"wrote {name}\n" for name in FILES))
    assert "REPLACE-ME" not in result.out + "".join(text(repo, name) for name in FILES)
    repo.write("experiments/training_log.jsonl", [a_run()])
    repo.commit()
    checked = repo.check("--all")
    assert (checked.code, checked.findings) == (0, [])


def test_a_second_run_changes_nothing_and_says_so(repo: Repo) -> None:
    init(repo, *SOURCE, "--git-config")
    before = files(repo)
    result = init(repo, *SOURCE, "--git-config")
    assert result.code == 0
    assert files(repo) == before
    rows = result.out.splitlines()
    assert len(rows) == 6
    assert all(row.startswith("unchanged: ") for row in rows)


def test_without_an_address_the_placeholders_are_plain_and_asked_for(repo: Repo) -> None:
    result = init(repo)
    assert "replace REPLACE-ME by the address and a tag of nsm-gate" in result.out
    for name in (".pre-commit-config.yaml", ".github/workflows/nsm-gate.yml"):
        assert "git.example.org/REPLACE-ME" in text(repo, name)
        assert "REPLACE-ME-WITH-A-TAG" in text(repo, name)
    again = init(repo, *SOURCE)
    assert "left alone: .pre-commit-config.yaml: it exists, and still says REPLACE-ME." in again.out
    assert f"repo: {ADDRESS}" in again.out


def test_it_works_on_the_root_from_any_folder(repo: Repo) -> None:
    (repo.path / "deep/er").mkdir(parents=True)
    assert gate("init", cwd=repo.path / "deep/er", env=repo.env).code == 0
    assert tuple(files(repo)) == tuple(sorted(FILES))


def test_without_git_there_is_nothing_to_set_up(tmp_path: Path) -> None:
    result = gate("init", cwd=tmp_path)
    assert result == Result(2, "", "nsm-gate: error: there is no git repository here\n  run git init first\n")
    assert list(tmp_path.iterdir()) == []


# --- what is written is valid -----------------------------------------------------------------------------


@pytest.mark.parametrize("rev", ("v1.2.3", "1.0", "1e5", "0123456", "main", "null", "deadbeef"))
def test_pre_commit_takes_the_stanza(repo: Repo, rev: str) -> None:
    init(repo, "--repo", ADDRESS, "--rev", rev)
    config = yaml.safe_load(text(repo, ".pre-commit-config.yaml"))
    assert (config["repos"][0]["repo"], config["repos"][0]["rev"]) == (ADDRESS, rev)
    offered = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())]
    assert [hook["id"] for hook in config["repos"][0]["hooks"]] == offered
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config"],
        cwd=repo.path, env=repo.env | {"PRE_COMMIT_HOME": str(repo.path.parent), "PYTHONWARNINGS": ""},
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_workflow_needs_no_more_than_to_read_and_trusts_no_text(repo: Repo) -> None:
    init(repo, *SOURCE)
    source = text(repo, ".github/workflows/nsm-gate.yml")
    workflow = yaml.safe_load(source)
    assert workflow["permissions"] == {"contents": "read"}
    # `on` is true to YAML 1.1. Not pull_request_target, which would give strangers' code a token.
    assert set(workflow[True]) == {"push", "pull_request", "merge_group"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    checkout, python, install, check = job["steps"]
    assert re.fullmatch(r"actions/checkout@v\d+", checkout["uses"])
    assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert re.fullmatch(r"actions/setup-python@v\d+", python["uses"])
    assert install == {"run": f'pip install "nsm-gate @ git+{ADDRESS}@v1.2.3"'}
    assert check == {"run": "nsm-gate check --output-format github"}
    assert "${{" not in source


@pytest.mark.parametrize(
    ("address", "asked"),
    (
        ("https://git.example.org/a/b.git", "git+https://git.example.org/a/b.git@v1"),
        ("git@git.example.org:a/b.git", "git+ssh://git@git.example.org/a/b.git@v1"),
        ("ssh://git@git.example.org/a/b", "git+ssh://git@git.example.org/a/b@v1"),
        ("/srv/git/nsm-gate", "git+file:///srv/git/nsm-gate@v1"),
    ),
)
def test_pip_is_given_the_address_as_it_takes_it(repo: Repo, address: str, asked: str) -> None:
    init(repo, "--repo", address, "--rev", "v1")
    assert f'pip install "nsm-gate @ {asked}"' in text(repo, ".github/workflows/nsm-gate.yml")


@pytest.mark.parametrize("option", ("--repo", "--rev"))
@pytest.mark.parametrize(
    "given", ("a b", 'a"b', "a$(b)", "a`b`", "a\nb", "--x", "a;b", "a${{b}}", "a#b", "", "a'b", "a\\b", "é")
)
def test_an_address_that_could_act_in_a_shell_or_in_yaml_is_refused(
    repo: Repo, option: str, given: str
) -> None:
    result = init(repo, f"{option}={given}")
    assert result.code == 2
    assert "cannot be used" in result.err
    assert files(repo) == {}


def attributes(repo: Repo, path: str) -> dict[str, str]:
    """Return what git makes of .gitattributes for a path."""
    rows = repo.git("check-attr", "-z", "text", "eol", "merge", "diff", "--", path).split("\0")
    return dict(zip(rows[1::3], rows[2::3], strict=False))


LOGGED = {"text": "set", "eol": "lf", "merge": "nsm-gate", "diff": "nsm-gate"}
NOTHING = dict.fromkeys(LOGGED, "unspecified")


def test_git_knows_the_logs_and_nothing_else(repo: Repo) -> None:
    init(repo)
    for path in ("training_log.jsonl", "deep/er/training_log.jsonl", "baselines.jsonl"):
        assert attributes(repo, path) == LOGGED
    for path in ("other.jsonl", "training_log.json", "xtraining_log.jsonl"):
        assert attributes(repo, path) == NOTHING


def test_globs_mean_the_same_to_git_as_to_the_gate(repo: Repo) -> None:
    globs = ["runs.jsonl", "logs/*.jsonl", "./here.jsonl", "a b/x[1].jsonl", "**/deep/*/run.jsonl", "all/**"]
    kind = f"log: runs\nfiles: {json.dumps(globs)}\nschema: runs.schema.json\nkey: [id]\n"
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    repo.write("rules/runs.yaml", kind)
    repo.write("rules/runs.schema.json", '{"required": ["id"]}')
    init(repo)
    claimed = (
        "runs.jsonl", "logs/a.jsonl", "here.jsonl", "a b/x[1].jsonl", "deep/x/run.jsonl", "o/deep/x/run.jsonl",
        "all/x", "all/y/b",
    )  # fmt: skip
    others = ("o/runs.jsonl", "logs/a/b.jsonl", "o/here.jsonl", "a b/x1.jsonl", "deep/run.jsonl", "o/all/a")
    for paths, expected, code in ((claimed, LOGGED, 0), (others, NOTHING, 2)):
        for path in paths:
            repo.write(path, [{"id": path}])
            assert attributes(repo, path) == expected, path
            assert repo.check("--all", path).code == code, path


def test_a_log_with_carriage_returns_is_not_rewritten(repo: Repo) -> None:
    repo.write("training_log.jsonl", lines(a_run()).replace(b"\n", b"\r\n"))
    repo.write("baselines.jsonl", b"")
    published = repo.commit()
    init(repo)
    assert attributes(repo, "training_log.jsonl") == LOGGED | {"text": "unset", "eol": "unspecified"}
    assert attributes(repo, "baselines.jsonl") == LOGGED
    repo.append("training_log.jsonl", a_run("planning_new_20251101", 1))
    repo.commit()
    assert "history-rewritten" not in {rule for rule, _ in repo.check("--base", published).rules()}


def test_a_log_written_on_windows_is_stored_with_newlines(repo: Repo) -> None:
    init(repo)
    repo.write("training_log.jsonl", [a_run()])
    published = repo.commit()
    both = lines(a_run(), a_run("planning_new_20251101", 1)).replace(b"\n", b"\r\n")
    repo.write("training_log.jsonl", both)
    repo.commit()
    assert b"\r" not in repo.git("cat-file", "blob", "HEAD:training_log.jsonl").encode()
    checked = repo.check("--base", published)
    assert (checked.code, checked.findings) == (0, [])


def test_agents_are_told_how_to_log_a_run(repo: Repo) -> None:
    init(repo)
    told = " ".join(text(repo, "AGENTS.md").split())
    for said in (
        "`nsm-gate new TYPE --domain DOMAIN`", "`nsm-gate new --log baselines`", "`nsm-gate check`",
        "`nsm-gate append LOG FILE`", "as one line to the end of the log", "Never edit", "in UTC", "with a Z", "the seed", "`findings`",
        "`corrects`", "`reason`", "Negative results are welcome", "Never change rules", "`**/training_log.jsonl`",
    ):  # fmt: skip
        assert said in told
    assert max(map(len, text(repo, "AGENTS.md").split("\n"))) <= 100


# --- nothing is overwritten -----------------------------------------------------------------------------


def test_files_that_are_there_are_left_alone_and_what_they_lack_is_shown(repo: Repo) -> None:
    own = {
        "nsm-gate.yaml": "exclude: [scratch/**]\n",
        ".pre-commit-config.yaml": "repos: []\n# - id: nsm-gate\n# - id: nsm-gate-history\n",
        ".github/workflows/nsm-gate.yml": "name: something else\n",
    }
    for name, content in own.items():
        repo.write(name, content)
    result = init(repo, *SOURCE)
    assert result.code == 0
    assert {name: text(repo, name) for name in own} == own
    assert "unchanged: nsm-gate.yaml" in result.out
    assert (
        "left alone: .pre-commit-config.yaml: it exists, and has no hook nsm-gate and no hook nsm-gate-history. "
        "Add what it lacks of this:\n"
    ) in result.out
    assert "\n      - repo: https://git.example.org/team/nsm-gate.git\n        rev: v1.2.3\n" in result.out
    assert (
        "left alone: .github/workflows/nsm-gate.yml: it exists, and does not run nsm-gate check."
        in result.out
    )


@pytest.mark.parametrize(
    "hooks",
    ("- id: nsm-gate\n- id: nsm-gate-history\n", "- {id: nsm-gate}\n- {id: 'nsm-gate-history', args: []}\n"),
)
def test_a_stanza_that_is_there_is_enough(repo: Repo, hooks: str) -> None:
    repo.write(".pre-commit-config.yaml", f"repos:\n- repo: https://x\n  rev: v0\n  hooks:\n{hooks}")
    repo.write(".github/workflows/nsm-gate.yml", "jobs: {x: {steps: [{run: nsm-gate check}]}}\n")
    result = init(repo, *SOURCE)
    assert "unchanged: .pre-commit-config.yaml" in result.out
    assert "unchanged: .github/workflows/nsm-gate.yml" in result.out


def test_one_hook_of_two_is_not_enough(repo: Repo) -> None:
    repo.write(
        ".pre-commit-config.yaml", "repos:\n- repo: https://x\n  rev: v0\n  hooks: [{id: nsm-gate-history}]\n"
    )
    assert "has no hook nsm-gate. Add" in init(repo, *SOURCE).out


@pytest.mark.parametrize(
    ("own", "newline"),
    ((b"*.png binary\n", b"\n"), (b"*.png binary", b"\n"), (b"*.png binary\r\n", b"\r\n"), (b"", b"\n")),
)
def test_a_block_is_appended_once_behind_what_is_there(repo: Repo, own: bytes, newline: bytes) -> None:
    for name in (".gitattributes", "AGENTS.md"):
        repo.write(name, own)
    (repo.path / "AGENTS.md").chmod(0o600)
    result = init(repo)
    assert "appended a block to .gitattributes\nappended a block to AGENTS.md\n" in result.out
    for name in (".gitattributes", "AGENTS.md"):
        data = (repo.path / name).read_bytes()
        assert data.startswith(own)
        assert data.count(b"nsm-gate:begin") == data.count(b"nsm-gate:end") == 1
        assert data.count(b"\n") == data.count(newline)
    assert stat.S_IMODE((repo.path / "AGENTS.md").stat().st_mode) == 0o600
    assert attributes(repo, "x.png")["text"] == ("unset" if own else "unspecified")
    assert attributes(repo, "training_log.jsonl") == LOGGED
    before = files(repo)
    assert "appended a block" not in init(repo).out
    assert files(repo) == before


def test_a_block_that_someone_changed_stays_as_it_is(repo: Repo) -> None:
    init(repo)
    for name in (".gitattributes", "AGENTS.md"):
        repo.write(name, text(repo, name).replace("nsm-gate:end", "own words\n# nsm-gate:end", 1))
    before = files(repo)
    result = init(repo)
    assert files(repo) == before
    for name in (".gitattributes", "AGENTS.md"):
        assert (
            f"left alone: {name}: its nsm-gate block differs from what would be written today." in result.out
        )


def test_a_block_whose_end_is_gone_is_not_written_twice(repo: Repo) -> None:
    init(repo)
    repo.write("AGENTS.md", text(repo, "AGENTS.md").replace("<!-- nsm-gate:end -->\n", ""))
    before = files(repo)
    assert "left alone: AGENTS.md" in init(repo).out
    assert files(repo) == before


def test_a_new_log_kind_is_told_of(repo: Repo) -> None:
    init(repo)
    repo.write("nsm-gate.yaml", "rules: [rules/]\n")
    repo.write("rules/runs.yaml", "log: runs\nfiles: [runs.jsonl]\nschema: runs.schema.json\nkey: [id]\n")
    repo.write("rules/runs.schema.json", '{"required": ["id"]}')
    result = init(repo)
    assert "left alone: .gitattributes" in result.out
    assert "    /runs.jsonl text eol=lf merge=nsm-gate diff=nsm-gate\n" in result.out


@pytest.mark.parametrize("name", FILES[1:])
def test_a_link_is_not_followed(repo: Repo, name: str) -> None:
    outside = repo.path.parent / "outside"
    outside.write_text("mine\n")
    (repo.path / name).parent.mkdir(parents=True, exist_ok=True)
    (repo.path / name).symlink_to(outside)
    result = init(repo)
    assert result.code == 0
    assert f"left alone: {name}: {name} is a symbolic link" in result.out
    assert outside.read_text() == "mine\n"
    assert (repo.path / name).is_symlink()


def test_a_folder_that_is_a_link_is_not_followed(repo: Repo) -> None:
    outside = repo.path.parent / "outside"
    outside.mkdir()
    (repo.path / ".github").symlink_to(outside)
    assert "left alone: .github/workflows/nsm-gate.yml: .github is a symbolic link" in init(repo).out
    assert list(outside.iterdir()) == []


def test_a_configuration_that_is_a_link_cannot_be_read(repo: Repo) -> None:
    (repo.path / "nsm-gate.yaml").symlink_to("/dev/null")
    result = init(repo)
    assert (result.code, result.out) == (2, "")
    assert "nsm-gate.yaml: it is not a regular file" in result.err


def test_what_is_no_text_is_left_alone(repo: Repo) -> None:
    repo.write("AGENTS.md", "Agents".encode("utf-16"))
    (repo.path / ".gitattributes").mkdir()
    result = init(repo)
    assert "left alone: AGENTS.md: it is not UTF-8." in result.out
    assert "left alone: .gitattributes: .gitattributes is not a regular file." in result.out
    assert (repo.path / "AGENTS.md").read_bytes() == "Agents".encode("utf-16")


def test_pyproject_configures_as_well(repo: Repo) -> None:
    repo.write("pyproject.toml", "[tool.nsm-gate]\nexclude = ['scratch/**']\n")
    result = init(repo)
    assert "unchanged: nsm-gate.yaml ([tool.nsm-gate] of pyproject.toml configures the gate)" in result.out
    assert not (repo.path / "nsm-gate.yaml").exists()
    assert repo.check().code == 0


@pytest.mark.parametrize("place", (0, len(FILES) - 1))
def test_a_disk_that_is_full_leaves_every_file_whole(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    repo.write("AGENTS.md", "Be kind.\n")
    written = iter(range(len(FILES)))

    def full(_handle: int) -> None:
        if next(written) == place:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = init(repo)
    fact = f"nsm-gate: error: {FILES[place]}: cannot be written: No space left on device\n"
    assert (result.code, result.err.startswith(fact)) == (2, True)
    assert text(repo, "AGENTS.md") == "Be kind.\n"
    assert set(files(repo)) == {"AGENTS.md", *FILES[:place]}


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nsm_gate.edge import writing

    def late(temporary: str, place: str) -> None:
        Path(place).write_text("mine\n")
        took(temporary, place)

    took = writing._take
    monkeypatch.setattr(writing, "_take", late)
    result = init(repo)
    assert result.code == 2
    assert result.err.startswith("nsm-gate: error: nsm-gate.yaml: cannot be written: ")
    assert files(repo) == {"nsm-gate.yaml": b"mine\n"}


def test_a_file_that_changes_meanwhile_is_not_overwritten(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nsm_gate.commands import steps

    repo.write("AGENTS.md", "Be kind.\n")
    amend = steps.amend

    def late(root: str, path: str, before: bytes, data: bytes) -> None:
        repo.write("AGENTS.md", "Be kinder.\n")
        amend(root, path, before, data)

    monkeypatch.setattr(steps, "amend", late)
    result = init(repo)
    assert (result.code, text(repo, "AGENTS.md")) == (2, "Be kinder.\n")
    assert "AGENTS.md: it was changed meanwhile" in result.err


# --- dry runs and git's configuration -----------------------------------------------------------------


def test_a_dry_run_shows_everything_and_writes_nothing(repo: Repo) -> None:
    repo.write("AGENTS.md", "Be kind.\n")
    before = files(repo)
    result = init(repo, *SOURCE, "--dry-run", "--git-config")
    assert result.code == 1
    assert files(repo) == before
    assert repo.git("config", "--get", "merge.nsm-gate.driver", check=False) == ""
    assert "would write nsm-gate.yaml:\n" in result.out
    assert "would append to AGENTS.md:\n" in result.out
    assert "would run git config merge.nsm-gate.driver " in result.out
    init(repo, *SOURCE, "--git-config")
    for name in FILES:
        for row in text(repo, name).removeprefix("Be kind.\n").split("\n"):
            assert f"    {row}".rstrip() + "\n" in result.out
    assert init(repo, *SOURCE, "--dry-run", "--git-config").code == 0


def test_the_commands_that_are_shown_are_those_that_are_carried_out(repo: Repo) -> None:
    shown = [row.strip() for row in init(repo).out.split("\n") if row.startswith("    git config ")]
    assert len(shown) == 3
    assert repo.git("config", "--get", "merge.nsm-gate.driver", check=False) == ""
    for command in shown:
        subprocess.run(["sh", "-c", command], cwd=repo.path, env=repo.env, check=True)
    by_hand = repo.git("config", "--local", "--list")
    other = Repo.init(repo.path.parent / "other", env=repo.env)
    assert init(other, "--git-config").out.count("set: git config ") == 3
    assert other.git("config", "--local", "--list") == by_hand
    assert "unchanged: git config has a merge driver" in init(repo, "--git-config", "--dry-run").out


def test_a_setting_that_is_there_stays(repo: Repo) -> None:
    repo.git("config", "merge.nsm-gate.driver", "mine %A")
    result = init(repo, "--git-config")
    assert "left alone: git config merge.nsm-gate.driver is mine %A, not nsm-gate merge-driver" in result.out
    assert repo.git("config", "--get", "merge.nsm-gate.driver") == "mine %A"
    assert repo.git("config", "--get", "diff.nsm-gate.textconv") == "nsm-gate textconv --"


# --- something new ------------------------------------------------------------------------------------------


def holder_of(entry: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Return the object that holds what a path names, and the name in it."""
    *steps, name = path.split(".")
    holder = entry["run_data"]
    for step in steps:
        holder = holder[step]
    return holder, name


def judged(repo: Repo, file: str) -> dict[str, dict[str, str]]:
    """Hold the examples of a rules file to what they expect; return what each expects."""
    rules = yaml.safe_load(text(repo, file))
    made: dict[str, Any] = {}
    for example in rules["examples"]:
        entry = copy.deepcopy(made[example["like"]] if "like" in example else example["entry"])
        for path, value in example.get("set", {}).items():
            holder, name = holder_of(entry, path)
            holder[name] = value
        for path in example.get("unset", ()):
            holder, name = holder_of(entry, path)
            del holder[name]
        made[example["name"]] = entry
        repo.write("scratch/training_log.jsonl", [entry])
        result = repo.check("--all", "scratch/training_log.jsonl")
        rules_found = {rule for rule, _ in result.rules("criterion-missed", "criterion-unknown")}
        assert rules_found == set(example.get("findings", ())), (example["name"], result.findings)
        assert example["expect"].items() <= result.outcomes(1).items(), (example["name"], result.outcomes(1))
    name = rules.get("experiment_type") or rules["domain"]
    tested = gate("rules", "test", "--complete", "--", name, cwd=repo.path, env=repo.env)
    assert tested.code == 0, tested.out + tested.err
    return {example["name"]: example["expect"] for example in rules["examples"]}


MEASURES = ("accuracy", "balance_delta", "cycle_loss")


def outcomes(expected: dict[str, dict[str, str]], criterion: str) -> set[str]:
    return {found[criterion] for found in expected.values() if criterion in found}


@pytest.mark.parametrize("name", ("ablation", "no", "1e3", "-", "A.b-c", "null", "x" * 80, "..", "on_off"))
def test_a_new_type_judges_with_an_example_of_each_outcome(repo: Repo, name: str) -> None:
    result = init(repo, f"--type={name}")
    assert (result.code, result.err) == (0, "")
    assert set(files(repo)) == {"nsm-gate.yaml", f"rules/{name}.yaml"}
    expected = judged(repo, f"rules/{name}.yaml")
    for criterion in MEASURES:
        assert outcomes(expected, criterion) == {"met", "missed", "unknown"}
    skeleton = gate("new", "--domain", "planning", "--", name, cwd=repo.path)
    assert json.loads(skeleton.out)["run_data"]["experiment_type"] == name


@pytest.mark.parametrize("name", ("vision", "no", "1e3", "-", "A.b-c", "..", "vision-2"))
def test_a_new_domain_judges_with_an_example_of_each_outcome(repo: Repo, name: str) -> None:
    assert init(repo, f"--domain={name}").code == 0
    assert set(files(repo)) == {"nsm-gate.yaml", f"rules/{name}.yaml"}
    expected = judged(repo, f"rules/{name}.yaml")
    (metric,) = yaml.safe_load(text(repo, f"rules/{name}.yaml"))["metrics"]
    assert outcomes(expected, metric) == {"met", "missed", "unknown"}


@pytest.mark.parametrize("domain", ("vision", "ablation"))
def test_a_type_and_a_domain_are_written_for_each_other(repo: Repo, domain: str) -> None:
    result = init(repo, "--type", "ablation", "--domain", domain)
    assert result.code == 0
    file = "rules/ablation-domain.yaml" if domain == "ablation" else "rules/vision.yaml"
    assert set(files(repo)) == {"nsm-gate.yaml", "rules/ablation.yaml", file}
    assert outcomes(judged(repo, "rules/ablation.yaml"), f"{domain}_score") == {"met"}
    assert outcomes(judged(repo, file), f"{domain}_score") == {"met", "missed", "unknown"}
    entry = yaml.safe_load(text(repo, "rules/ablation.yaml"))["examples"][0]["entry"]
    assert entry["run_data"]["domain"] == entry["run_data"]["dataset_config"]["domain"] == domain


def test_the_recipe_of_the_file_finds_its_runs(repo: Repo) -> None:
    init(repo, "--type", "ablation", "--domain", "vision")
    names = ("rules/ablation.yaml", "rules/vision.yaml")
    recipes = [re.findall(r"^#   nsm-gate (runs .*)$", text(repo, name), re.MULTILINE) for name in names]
    run = yaml.safe_load(text(repo, names[0]))["examples"][0]["entry"]
    for there in ([], [run]):
        repo.write("training_log.jsonl", there)
        for (recipe,) in recipes:
            result = gate(*recipe.split(), cwd=repo.path, env=repo.env)
            assert (result.code, result.err, run["run_data"]["run_id"] in result.out) == (0, "", bool(there))


def test_the_file_leads_through_the_five_steps_of_the_guide(repo: Repo) -> None:
    init(repo, "--type", "ablation", "--domain", "vision")
    for name in ("rules/ablation.yaml", "rules/vision.yaml"):
        steps = re.findall(r"^# Step (\d), ([a-z ]+):", text(repo, name), re.MULTILINE)
        assert steps == [
            ("1", "document the schema"), ("2", "define success criteria"), ("3", "provide examples"),
            ("4", "update analysis recipes"), ("5", "add validation"),
        ]  # fmt: skip
        assert max(map(len, text(repo, name).split("\n"))) <= 115


def test_the_file_names_no_log_of_the_repository(repo: Repo) -> None:
    """Recipes need none, and a name of a file may hold anything."""
    repo.write("data/training_log.jsonl", [a_run()])
    repo.write("a\n`evil`: [/training_log.jsonl", [a_run()])
    init(repo, "--type", "ablation")
    assert "training_log.jsonl" not in text(repo, "rules/ablation.yaml")
    assert "evil" not in text(repo, "rules/ablation.yaml")


@pytest.mark.parametrize(
    ("args", "fact"),
    (
        (("--type", "domain_exploration"), "an experiment type called 'domain_exploration' is already defined at nsm:rules/"),
        (("--domain", "planning"), "a domain called 'planning' is already defined at nsm:rules/"),
        (("--type", "mine"), "an experiment type called 'mine' is already defined at rules/mine.yaml:5"),
        (("--type", "a b"), "'a b' cannot name an experiment type"),
        (("--type", ""), "'' cannot name an experiment type"),
        (("--domain", "../x"), "'../x' cannot name a domain"),
        (("--type", "x" * 81), f"'{'x' * 81}' cannot name an experiment type"),
        (("--type", "new\n"), "'new\\n' cannot name an experiment type"),
        (("--type", "new", "--domain", "planning"), "a domain called 'planning'"),
        (("--type", "new", "--git-config"), "--repo, --rev and --git-config set a repository up"),
    ),
)  # fmt: skip
def test_a_name_that_cannot_be_given_is_refused(repo: Repo, args: tuple[str, ...], fact: str) -> None:
    init(repo, "--type", "mine")
    before = files(repo)
    result = init(repo, *args)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"nsm-gate: error: {fact}")
    assert result.err.count("\n") == 2
    assert files(repo) == before


def test_a_file_that_is_there_is_not_written_over(repo: Repo) -> None:
    repo.write("rules/ablation.yaml", "domain: other\n")
    repo.write("nsm-gate.yaml", "rules: [rules/]\n")
    result = init(repo, "--type", "ablation", "--domain", "vision")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("nsm-gate: error: rules/ablation.yaml: the file is there already\n")
    assert set(files(repo)) == {"nsm-gate.yaml", "rules/ablation.yaml"}


def test_a_folder_of_rules_that_is_a_link_is_not_followed(repo: Repo) -> None:
    (repo.path.parent / "outside").mkdir()
    (repo.path / "rules").symlink_to("../outside")
    result = init(repo, "--type", "ablation")
    assert result.code == 2
    assert "rules/ablation.yaml: rules is a symbolic link" in result.err
    assert list((repo.path.parent / "outside").iterdir()) == []


@pytest.mark.parametrize("folder", ("rules/", "./policy/nsm", "."))
def test_it_goes_into_the_first_folder_that_the_configuration_names(repo: Repo, folder: str) -> None:
    repo.write("nsm-gate.yaml", f"rules: [{folder}]\n")  # which is still empty
    result = init(repo, "--type", "ablation")
    assert result.code == 0
    path = os.path.normpath(f"{folder}/ablation.yaml")
    assert result.out.startswith(f"wrote {path}\n")
    judged(repo, path)


@pytest.mark.parametrize("folder", ("../outside", "/tmp/outside", "a/../../b"))
def test_a_folder_outside_of_the_repository_is_refused(repo: Repo, folder: str) -> None:
    repo.write("nsm-gate.yaml", f"rules: [{folder}]\n")
    result = init(repo, "--type", "ablation")
    assert (result.code, result.out) == (2, "")
    assert f"nsm-gate.yaml: the folder '{folder}' of rules lies outside" in result.err
    assert set(files(repo)) == {"nsm-gate.yaml"}


@pytest.mark.parametrize(
    ("name", "content", "row"),
    (
        ("nsm-gate.yaml", "exclude: [scratch/**]\n", "    rules: [rules/]\n"),
        ("pyproject.toml", "[tool.nsm-gate]\nexclude = ['scratch/**']\n", '    rules = ["rules/"]\n'),
    ),
)
def test_a_configuration_that_names_no_folder_is_left_alone_and_the_row_is_shown(
    repo: Repo, name: str, content: str, row: str
) -> None:
    repo.write(name, content)
    result = init(repo, "--type", "ablation")
    assert result.code == 0
    assert "it names no folder of rules, so that none are read. Add what it lacks of this:" in result.out
    assert row in result.out
    assert text(repo, name) == content
    repo.write(name, content + row.strip() + "\n")
    judged(repo, "rules/ablation.yaml")


def test_after_a_set_up_the_row_to_add_is_the_one_that_is_commented_out(repo: Repo) -> None:
    init(repo)
    assert "    rules: [rules/]\n" in init(repo, "--type", "ablation").out
    repo.write("nsm-gate.yaml", text(repo, "nsm-gate.yaml").replace("# rules:", "rules:"))
    judged(repo, "rules/ablation.yaml")


def test_a_dry_run_of_a_type_shows_the_file_and_writes_nothing(repo: Repo) -> None:
    result = init(repo, "--type", "ablation", "--dry-run")
    assert result.code == 1
    assert "would write rules/ablation.yaml:\n" in result.out
    assert "\n    experiment_type: ablation\n" in result.out
    assert files(repo) == {}


def test_it_needs_no_git(tmp_path: Path) -> None:
    assert gate("init", "--type", "ablation", cwd=tmp_path).code == 0
    assert (tmp_path / "rules/ablation.yaml").is_file()


def test_a_project_that_requires_more_gets_examples_with_more(repo: Repo) -> None:
    repo.write("nsm-gate.yaml", "rules: [rules/]\n")
    more = "log: training_log\nhyperparameters: {at: hyperparameters, required: [seed, warmup]}\n"
    repo.write("rules/log.yaml", more)
    assert init(repo, "--type", "ablation").code == 0
    assert "warmup: 1\n" in text(repo, "rules/ablation.yaml")
    judged(repo, "rules/ablation.yaml")


KIND = """\
log: sweeps
files: [sweeps.jsonl]
schema: sweeps.schema.json
key: [id]
experiment_type: sort
domain: data
"""


def test_in_another_project_the_file_has_no_examples_and_is_taken(repo: Repo) -> None:
    repo.write("nsm-gate.yaml", "extends: none\nrules: [rules/]\n")
    repo.write("rules/sweeps.yaml", KIND)
    repo.write("rules/sweeps.schema.json", '{"required": ["id"], "properties": {"id": {"type": "string"}}}')
    assert init(repo, "--type", "coarse", "--domain", "small").code == 0
    for name in ("rules/coarse.yaml", "rules/small.yaml"):
        assert "examples" not in yaml.safe_load(text(repo, name))
        assert "# examples:\n" in text(repo, name)
    repo.write("sweeps.jsonl", [{"id": "a", "sort": "coarse", "data": "small", "small_score": 0.9}])
    checked = repo.check("--all")
    assert (checked.code, checked.rules()) == (0, [])


# --- the documentation ----------------------------------------------------------------------------------------


def test_every_command_of_the_documentation_runs_in_its_order(repo: Repo) -> None:
    """Each block of commands goes on where the one before ended."""
    page = (ROOT / "docs/setup.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    rows = [row for block in blocks for row in block.splitlines()]
    commands = [row.removeprefix("$ ").partition("  #")[0].strip() for row in rows]
    assert all(row.startswith("$ ") for row in rows)
    log = "experiments/training_log.jsonl"
    for branch, minute in (("main", 0), ("other", 20), ("main", 10)):
        repo.git("checkout", "-q", "-B" if minute == 20 else "-q", branch) if minute else None
        repo.append(log, a_run(f"planning_{branch}{minute}_20251101", minute))
        repo.commit()
    said = {}
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command], cwd=repo.path, env=repo.env, capture_output=True, check=False
        )
        assert done.returncode == int("--dry-run" in command), (command, done.stdout, done.stderr)
        said[command] = done.stdout.decode()
    named = [json.loads(row)["run_data"]["run_id"] for row in text(repo, log).splitlines()]
    assert named == [f"planning_{name}_20251101" for name in ("main0", "main10", "other20")]
    assert "+run planning_other20_20251101" in said[f"git diff main other -- {log}"]
    assert (
        f"$ git config merge.nsm-gate.driver '{repo.git('config', '--get', 'merge.nsm-gate.driver')}'" in rows
    )


def test_the_documentation_says_what_is_written() -> None:
    page = (ROOT / "docs/setup.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\| `(.*?)` \|", page, re.MULTILINE)) == FILES
