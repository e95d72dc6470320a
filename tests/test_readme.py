"""What the README says is true: its examples run, its generated parts are current."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from tests import generated, screenshots
from tests.support import ROOT, Repo, a_run, edited, gate

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def block(start: str) -> str:
    """Return the one code block that begins with these words."""
    (found,) = [text for _, text in BLOCKS if text.startswith(start)]
    return found


def test_the_generated_parts_are_current() -> None:
    assert generated.outdated(write=False) == []


def test_the_configuration_and_the_rules_file_are_accepted_and_judge(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("nsm-gate.yaml", block("# nsm-gate.yaml"))
    repo.write("rules/ablation.yaml", block("# rules/ablation.yaml"))
    ablation = edited(
        a_run(),
        experiment_type="ablation",
        architecture={"variant": "no_cycle", "passes": 1},
        hyperparameters__use_dual_pass=False,
    )
    repo.write("training_log.jsonl", [ablation])
    result = repo.check("--all")
    # The waiver of the example names a run that this log does not have.
    assert (result.code, result.rules()) == (0, [("waiver-unused", 10)])
    assert {
        name: result.outcomes(1)[name] for name in ("accuracy", "balance_delta", "cycle_loss", "effect")
    } == {
        "accuracy": "met",
        "balance_delta": "met",
        "cycle_loss": "met",
        "effect": "not-applicable",
    }


@pytest.mark.parametrize("command", re.findall(r"^\$ nsm-gate (.*?)(?:\s+#.*)?$", README, re.MULTILINE))
def test_every_command_runs(command: str, tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.write("training_log.jsonl", [a_run()])
    repo.commit()
    result = gate(
        *shlex.split(command),
        cwd=repo.path,
        env=repo.env,
        stdin=(repo.path / "training_log.jsonl").read_bytes(),
    )
    assert (result.code, result.err) == (0, "")
    if command.startswith("check"):
        assert "0 errors, 0 warnings" in result.out


def test_the_hook_stanza_names_hooks_that_exist() -> None:
    stanza = yaml.safe_load(block("default_install_hook_types"))
    named = [hook["id"] for hook in stanza["repos"][0]["hooks"]]
    offered = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert named == list(offered)
    for hook in offered.values():
        assert set(stanza["default_install_hook_types"]) <= set(hook["stages"])


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_formats_named_are_the_formats_there_are() -> None:
    from nsm_gate.render import FORMATS

    said = README.partition("`--output-format` takes ")[2].partition(", may")[0]
    assert re.findall(r"`(\w+)`", said) == list(FORMATS)


def test_the_picture_shows_what_the_command_prints(tmp_path: Path) -> None:
    """Word for word: how Rich draws it may differ between its versions."""
    screenshots.draw(tmp_path)
    printed = "".join(generated.failing_check().split("\n", 2)[2].removesuffix("```").split())
    for svg in (tmp_path / "check.svg", screenshots.IMAGES / "check.svg"):
        root = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
        space = "{http://www.w3.org/2000/svg}"
        rows: dict[float, list[tuple[float, str]]] = {}
        for text in root.iter(f"{space}text"):
            if "clip-path" in text.attrib:
                place = float(text.attrib["y"]), float(text.attrib["x"])
                rows.setdefault(place[0], []).append((place[1], "".join(text.itertext())))
        drawn = "".join(word for y in sorted(rows) for _, word in sorted(rows[y]))
        assert "".join(drawn.replace("\xa0", " ").split()) == printed
        assert "http" not in re.sub(r'xmlns="[^"]*"|<!--.*?-->', "", svg.read_text(encoding="utf-8"))
