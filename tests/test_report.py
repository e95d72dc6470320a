"""`nsm-gate report`: what it writes, and what it refuses. The page itself is tried in test_report_browser.py."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.report_logs import HOSTILE, hostile_runs, lab
from tests.support import NOW, ROOT, SHARED, Repo, Result, a_run, edited, environment, gate

LOG = "experiments/training_log.jsonl"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.init(tmp_path / "lab")
    runs, baselines = lab()
    made.write(LOG, runs)
    made.write("baselines.jsonl", baselines)
    made.commit()
    return made


def report(repo: Repo, *args: str) -> Result:
    return gate("report", *args, cwd=repo.path, env=repo.env)


class Blocks(HTMLParser):
    """The elements of a page: scripts with their types and text, and everything else as (name, attributes)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[tuple[str | None, str]] = []
        self.styles: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._inside: str | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))
        if tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif self._inside == "style":
            self.styles[-1] += data
        else:
            self.words.append(data)

    @property
    def data(self) -> dict[str, Any]:
        """Return the JSON blocks by their ids, in order."""
        ids = [a["id"] for tag, a in self.elements if tag == "script" and a.get("type") == "application/json"]
        texts = [text for kind, text in self.scripts if kind == "application/json"]
        return {str(name): json.loads(text) for name, text in zip(ids, texts, strict=True)}


def page(repo: Repo, *args: str) -> Blocks:
    result = report(repo, *args, "-o", "report.html")
    assert (result.code, result.err) == (0, "")
    return Blocks((repo.path / "report.html").read_text("utf-8"))


# --- what it writes -------------------------------------------------------------------------------------


def test_it_says_what_it_wrote(repo: Repo) -> None:
    result = report(repo, "-o", "report.html")
    assert (result.code, result.out, result.err) == (0, "wrote report.html: 8 runs of 2 logs\n", "")


def test_the_page_holds_every_run_with_its_verdicts_differences_and_history(repo: Repo) -> None:
    data = page(repo).data
    names = [row[1] for row in data["index"]["runs"]]
    assert names == [
        "3level_fusion", "3level_attention", "baseline_single_pass_20251101", "dual_pass_equal_20251102",
        "dual_pass_learned_20251103", "dual_pass_attention_20251104", "planning_plain_20251105",
        "planning_failed_20251106",
    ]  # fmt: skip
    told = dict(zip(names, data["runs-0"], strict=True))
    learned = told["dual_pass_learned_20251103"]
    outcomes = {verdict[0]: verdict[1] for verdict in learned["verdicts"]}
    assert outcomes["accuracy"] == "met"
    assert outcomes["balance_delta"] == "missed"
    [difference] = learned["differences"]
    assert (difference["reference"], difference["run"]) == ("single_pass", "baseline_single_pass_20251101")
    changed = {name: (mine, theirs) for name, mine, theirs in difference["changed"]}
    assert changed["hyperparameters.seed"] == ("44", "42")
    assert changed["hyperparameters.use_dual_pass"] == ("true", "false")
    assert changed["hyperparameters.fusion_mode"] == ("learned", "null")
    assert "hyperparameters.epochs" not in changed
    assert learned["epochs"]["steps"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [name for name, _ in learned["epochs"]["columns"]] == ["val_loss", "val_accuracy"]
    assert told["planning_failed_20251106"]["error"] == "CUDA out of memory at epoch 7, batch 42"
    assert {verdict[1] for verdict in told["planning_failed_20251106"]["verdicts"]} == {"not-applicable"}


def test_targets_and_the_best_baseline_are_those_of_the_rules(repo: Repo) -> None:
    index = page(repo).data["index"]
    metrics = {metric["name"]: metric for metric in index["metrics"]}
    assert metrics["accuracy"]["better"] == ">"
    assert [">", 0.55, "domain_exploration", "> 0.55"] in metrics["accuracy"]["targets"]
    assert [">", 0.5, "dual_pass_validation", "> 0.50"] in metrics["accuracy"]["targets"]
    assert [">=", 0.85, "planning", ">= 0.85"] in metrics["goal_achievement_rate"]["targets"]
    assert metrics["balance_delta"]["better"] == "<"
    # Types of which no run is here set no bars.
    assert not [bar for m in metrics.values() for bar in m["targets"] if bar[2] == "hyperparam_search"]
    # Only what is the same for every run has a line: single_pass depends on the run's own data.
    index = page(repo).data["index"]
    assert [line["name"] for line in index["strongest"]] == ["best_baseline"]
    at = list(metrics).index("accuracy")
    steps = [(run, values[at]) for _, run, values in index["strongest"][0]["steps"]]
    assert steps == [("3level_fusion", 0.58), ("3level_attention", 0.61)]


def test_runs_are_compared_by_fusion_mode_first(repo: Repo) -> None:
    name, values = page(repo).data["index"]["settings"][0]
    assert name == "fusion mode"
    assert sorted(values) == ["attention", "equal", "learned", "single pass"]


def test_the_last_line_of_a_run_speaks_for_it(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    running = edited(
        a_run(), status="running", final_metrics=None, best_val_accuracy=None, end_time=None,
        goal_achievement_rate=None, temporal_ordering_acc=None,
    )  # fmt: skip
    repo.write("training_log.jsonl", [running, edited(a_run(), entry__timestamp="2025-11-01T00:01:00Z")])
    data = page(repo).data
    [row] = data["index"]["runs"]
    assert (row[2], row[6]) == ("training_log.jsonl:2", "completed")
    assert data["runs-0"][0]["earlier"] == [["training_log.jsonl:1", "running"]]
    report(repo, "-o", "report.md")
    said = (repo.path / "report.md").read_text("utf-8")
    assert "**Total experiments: 1**" in said
    assert "1 line has a later line of the same run" in said


def test_what_the_gate_found_of_an_earlier_line_is_told_with_its_place(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    local = edited(a_run(), start_time="2025-11-01T02:00:00+02:00")
    repo.write(
        "training_log.jsonl",
        [local, edited(a_run(), corrects="planning_plain_20251101", reason="wrong offset")],
    )
    [told] = page(repo).data["runs-0"]
    problems = {rule: message for rule, _, message, _, _ in told["problems"]}
    assert problems["timestamp-not-utc"].startswith("training_log.jsonl:1: ")
    assert "Beside the verdicts, the gate found 1 error" in " ".join(" ".join(page(repo).words).split())


def test_lines_that_hold_no_run_are_counted_and_listed(repo: Repo) -> None:
    with open(repo.path / LOG, "ab") as file:
        file.write(
            b'{"timestamp": NaN}\n\n{"timestamp": "2025-11-09T10:00:31Z", "run_data": {"run_id": "torn_2'
        )
    result = report(repo, "-o", "report.md")
    assert result.out == "wrote report.md: 8 runs of 2 logs; 3 lines without a run, listed in it\n"
    said = (repo.path / "report.md").read_text("utf-8")
    assert "- 3 lines hold no run" in said
    assert "line is torn" in said
    words = " ".join(" ".join(page(repo).words).split())
    assert "3 lines hold no run" in words
    for line in (7, 8, 9):
        assert f"{LOG}:{line}" in words


def test_no_run_gives_an_honest_report(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    words = " ".join(" ".join(page(repo).words).split())
    assert "0 runs from 0 logs" in words
    assert "no log was found" in words
    repo.write("training_log.jsonl", b"")
    result = report(repo, "-o", "report.md")
    assert (result.code, result.out) == (0, "wrote report.md: 0 runs of 1 log\n")
    assert "The logs hold no run." in (repo.path / "report.md").read_text("utf-8")
    assert page(repo).data["index"]["runs"] == []


def test_huge_and_missing_values_are_told_as_they_are(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    huge = edited(
        a_run("planning_huge_20251102", 1),
        final_metrics__accuracy=1e300,
        final_metrics__cycle_loss=-1e-300,
        hyperparameters__seed=2**64 + 1,
        dataset_config__domain_params={"big": 10**400},
    )
    bare = {"timestamp": "2025-11-01T00:02:00Z", "run_data": {"run_id": "planning_bare_20251103"}}
    unnamed = {"run_data": {}}
    repo.write("training_log.jsonl", [huge, bare, unnamed])
    data = page(repo).data
    told = {row[1]: detail for row, detail in zip(data["index"]["runs"], data["runs-0"], strict=True)}
    fields = {name: value for _, rows in told["planning_huge_20251102"]["fields"] for name, value in rows}
    assert fields["seed"] == "18446744073709551617"
    assert fields["domain_params.big"].startswith("1000000000")
    assert fields["domain_params.big"].endswith("…")
    assert fields["accuracy"] == "1e+300"
    metrics = [metric["name"] for metric in data["index"]["metrics"]]
    rows = {row[1]: row for row in data["index"]["runs"]}
    assert rows["planning_huge_20251102"][14][metrics.index("accuracy")] == 1e300
    assert set(rows["planning_bare_20251103"][14]) == {None}
    assert rows["(no run id)"][7] is None
    report(repo, "-o", "report.md")
    said = (repo.path / "report.md").read_text("utf-8")
    assert "1e+300" in said
    assert "1 run has no valid time" in said


def test_runs_of_one_name_have_pages_of_their_own(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    for folder in ("a", "b"):
        repo.write(
            f"{folder}/baselines.jsonl", lab()[1][:1] if folder == "a" else [{**lab()[1][0], "branch": "x"}]
        )
    ids = [row[0] for row in page(repo).data["index"]["runs"]]
    assert ids == ["3level_fusion (a/baselines.jsonl:1)", "3level_fusion (b/baselines.jsonl:1)"]


def test_named_logs_alone_are_reported(repo: Repo) -> None:
    assert report(repo, "baselines.jsonl", "-o", "report.md").out == "wrote report.md: 2 runs of 1 log\n"
    data = page(repo, LOG).data["index"]
    assert {row[3] for row in data["runs"]} == {"training_log"}
    assert data["strongest"][0]["steps"], "the best baseline is there, although its log was not named"


@pytest.mark.skipif(not (SHARED / "logs").is_dir(), reason="../shared is not here")
def test_the_real_logs_give_a_report(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    for name, path in (("training_log.jsonl", LOG), ("baselines.jsonl", "baselines.jsonl")):
        repo.write(path, (SHARED / "logs" / name).read_bytes())
    data = page(repo).data["index"]
    assert len(data["runs"]) == 10
    assert data["settings"][0][0] == "fusion mode"


# --- the form of the page -------------------------------------------------------------------------------


def test_the_policy_allows_exactly_what_the_page_holds(repo: Repo) -> None:
    blocks = page(repo)
    [policy] = [
        a["content"] for tag, a in blocks.elements if a.get("http-equiv") == "Content-Security-Policy"
    ]

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    scripts = " ".join(hashed(text) for kind, text in blocks.scripts if kind is None)
    [style] = blocks.styles
    assert policy == (
        f"default-src 'none'; script-src {scripts}; style-src {hashed(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    for tag, attributes in blocks.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcdoc")
        ]
        assert (
            tag not in ("iframe", "object", "embed", "img", "base", "form")
            or attributes.get("id") == "filters"
        )
    links = [a["href"] or "" for tag, a in blocks.elements if tag in ("a", "link")]
    assert all(link.startswith("#") or link == "data:," for link in links)


def test_hostile_text_is_text_wherever_it_stands(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("training_log.jsonl", hostile_runs())
    known = {tag for tag, _ in page(repo).elements}
    assert known <= {
        "html", "head", "meta", "title", "link", "style", "body", "a", "div", "nav", "span", "button", "main",
        "header", "h1", "h2", "h3", "p", "section", "svg", "rect", "circle", "path", "ul", "li", "b", "table",
        "thead", "tbody", "tr", "th", "td", "small", "code", "noscript", "form", "label", "input", "details",
        "summary", "output", "select", "article", "footer", "script",
    }  # fmt: skip
    text = (repo.path / "report.html").read_text("utf-8")
    for kind, ours in page(repo).scripts:
        text = text if kind else text.replace(ours, "")
    # Only as text does any of it appear: never with its own angle brackets, separators or controls.
    for bad in (
        "<script>window.pwned",
        "<img",
        "<svg onload",
        "<style>*",
        "\u2028",
        "\u2029",
        "\u202e",
        "\x00",
        "\x1b",
    ):
        assert bad not in text
    assert "49" not in "".join(row[1] for row in page(repo).data["index"]["runs"]), "a template was filled in"
    assert page(repo).data["runs-0"][0]["notes"].startswith(HOSTILE[0])


def test_hostile_text_is_escaped_in_markdown(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("training_log.jsonl", hostile_runs())
    title = "<b>**[t](http://example.org)"
    assert report(repo, "-o", "report.md", "--title", title).code == 0
    said = (repo.path / "report.md").read_text("utf-8")
    assert set(re.findall(r"</?[A-Za-z!][^>]*>", said)) == {"<code>", "</code>"}
    for bad in (
        "window.pwned=1>",
        "[link]",
        "http:",
        "www.",
        "@someone",
        "`",
        "\u2028",
        "\u202e",
        "\x1b",
        "**bold",
    ):
        assert bad not in said
    widths = [row.count("|") for row in said.splitlines() if row.startswith("|") and "pwned" in row]
    assert widths
    tables = re.findall(r"(?:^\|.*\n)+", said, re.MULTILINE)
    assert all(len({row.count("|") for row in table.splitlines()}) == 1 for table in tables)


# --- where it is written --------------------------------------------------------------------------------


def refused(repo: Repo, target: str) -> str:
    result = report(repo, "-o", target)
    assert (result.code, result.out) == (2, "")
    return result.err


@pytest.mark.parametrize("target", ("report.txt", "report", LOG, "nsm-gate.yaml", ".html"))
def test_the_ending_says_the_form(target: str, repo: Repo) -> None:
    before = (repo.path / LOG).read_bytes()
    assert "call it FILE.html or FILE.md" in refused(repo, target)
    assert (repo.path / LOG).read_bytes() == before


def test_no_file_of_the_repository_is_overwritten(repo: Repo) -> None:
    repo.write("README.md", "# ours\n")
    repo.commit()
    assert "the output would overwrite a file of the repository" in refused(repo, "README.md")
    assert "the output would overwrite a file of the repository" in refused(repo, ".git/report.md")
    assert (repo.path / "README.md").read_text() == "# ours\n"


def test_no_log_is_overwritten(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write("nsm-gate.yaml", "rules: [rules/]\n")
    repo.write(
        "rules/notes.yaml",
        'log: notes\nfiles: ["**/*.md"]\nschema: notes.schema.json\nkey: [id]\nrun_id: id\n',
    )
    repo.write("rules/notes.schema.json", '{"type": "object", "properties": {"id": {"type": "string"}}}')
    repo.write("log.md", b'{"id": "a"}\n')
    assert "the output would overwrite a log" in refused(repo, "log.md")
    assert (repo.path / "log.md").read_bytes() == b'{"id": "a"}\n'


def test_no_link_is_followed(repo: Repo) -> None:
    victim = repo.path.parent / "victim.md"
    victim.write_text("mine\n")
    (repo.path / "soft.md").symlink_to(victim)
    os.link(victim, repo.path / "hard.md")
    (repo.path / "dangling.html").symlink_to(repo.path.parent / "none.html")
    for name in ("soft.md", "hard.md", "dangling.html"):
        assert "the output would overwrite a link" in refused(repo, name)
    assert victim.read_text() == "mine\n"
    assert not (repo.path.parent / "none.html").exists()


def test_what_is_no_file_or_has_no_folder_is_an_error(repo: Repo) -> None:
    (repo.path / "folder.md").mkdir()
    assert "cannot be written" in refused(repo, "folder.md")
    assert "the folder of the output does not exist" in refused(repo, "none/report.md")
    assert not (repo.path / "none").exists()


def test_an_earlier_report_is_replaced_in_one_step(repo: Repo) -> None:
    place = repo.path / "report.md"
    place.write_text("old\n")
    place.chmod(0o640)
    before = place.stat().st_ino
    assert report(repo, "-o", "report.md").code == 0
    assert place.read_text("utf-8").startswith("# Experiment report\n")
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert place.stat().st_ino != before
    assert not [name for name in os.listdir(repo.path) if name.startswith(".nsm-gate-")]


def test_a_refused_report_leaves_the_earlier_one(repo: Repo) -> None:
    (repo.path / "report.md").write_text("old\n")
    repo.write("nsm-gate.yaml", "extends: nothing-of-that-name\n")
    assert refused(repo, "report.md")
    assert (repo.path / "report.md").read_text() == "old\n"


def test_an_unknown_log_is_an_error(repo: Repo) -> None:
    result = report(repo, "none.jsonl", "-o", "report.md")
    assert (result.code, result.out) == (2, "")
    assert "none.jsonl" in result.err


def test_it_says_what_is_not_installed(repo: Repo) -> None:
    script = (
        "import sys; sys.modules[sys.argv.pop(1)] = None\n"
        "from nsm_gate.__main__ import program; sys.exit(program())"
    )
    for missing in ("jinja2", "vl_convert"):
        done = subprocess.run(
            [sys.executable, "-c", script, missing, "report", "-o", "report.html"],
            cwd=repo.path, env=environment(repo.path), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert "nsm-gate[report], which is not installed" in done.stderr
        assert "pip install 'nsm-gate[report]'" in done.stderr
        assert not (repo.path / "report.html").exists()
    # The table needs neither.
    assert report(repo, "-o", "report.md").code == 0


def test_the_same_logs_give_the_same_report(repo: Repo) -> None:
    for name in ("report.md", "report.html"):
        report(repo, "-o", name)
        first = (repo.path / name).read_bytes()
        report(repo, "-o", name)
        assert (repo.path / name).read_bytes() == first
        assert f"{NOW:%Y-%m-%d %H:%M} UTC".encode() in first


def test_a_clean_check_pays_nothing_for_it() -> None:
    asked = (
        "import sys, nsm_gate.cli, nsm_gate.commands.check\n"
        "print([m for m in sys.modules if m.startswith(('nsm_gate.report', 'jinja2', 'vl_convert'))])"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_example_has_a_markdown_report(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "lab")
    repo.write(LOG, (ROOT / "examples/nsm" / LOG).read_bytes())
    repo.write("baselines.jsonl", (ROOT / "examples/nsm/baselines.jsonl").read_bytes())
    assert report(repo, "-o", "report.md").code == 0
    said = (repo.path / "report.md").read_text("utf-8")
    for heading in ("Planning domain", "Causal domain", "Knowledge graph domain", "Fusion modes"):
        assert f"## {heading}\n" in said
    # The guide's fourth recipe: every run in the table of its domain, by its latest line.
    latest = {
        json.loads(line)["run_data"]["run_id"]: json.loads(line)["run_data"]
        for line in (repo.path / LOG).read_text("utf-8").splitlines()
    }
    for run_id in latest:
        assert said.count(f"| <code>{run_id.replace('_', '&#95;')}</code> |") == 1
