"""docs/from-the-guide.md: the guide's snippets and our commands say the same, on the sample and on the real logs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.guide import GUIDE, PAGE, Section, guide_blocks, project, run_commands, run_snippet, sections
from tests.guide_results import BROKEN, COMPARED, ELSEWHERE
from tests.support import ROOT, Repo, gate

SECTIONS = sections()
READING = [section for section in SECTIONS if section.title not in ELSEWHERE]


@pytest.mark.parametrize("section", READING, ids=lambda section: section.title)
@pytest.mark.parametrize("name", ["sample", "real"])
def test_the_commands_find_what_the_snippet_computes(section: Section, name: str, tmp_path: Path) -> None:
    place = project(name, tmp_path)
    documents = run_commands(section, place, every_line=True)
    COMPARED[section.title](run_snippet(section, place), documents)


@pytest.mark.parametrize(
    "section", [s for s in SECTIONS if s.title in BROKEN], ids=lambda section: section.title
)
def test_the_commands_find_the_mistakes_that_the_snippet_finds(section: Section, tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/training_log.jsonl").write_bytes(BROKEN[section.title])
    snippet = run_snippet(section, tmp_path)
    assert snippet.out
    assert not snippet.error
    documents = run_commands(section, tmp_path, every_line=True)
    assert documents[0]["summary"]["exit_code"] == 1
    COMPARED[section.title](snippet, documents)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_the_snippet_is_the_guide_s_word_for_word(section: Section) -> None:
    assert section.block in [block for _, block in guide_blocks()]


def test_every_section_has_commands_and_is_compared() -> None:
    titles = [section.title for section in SECTIONS]
    assert sorted(titles) == sorted([*COMPARED, *ELSEWHERE])
    assert set(BROKEN) <= set(COMPARED)
    assert all((ROOT / f"tests/{module}.py").is_file() for module in ELSEWHERE.values())
    assert [section.title for section in SECTIONS if not section.commands] == []
    for section in SECTIONS:
        assert all(command.startswith(("nsm-gate ", "modal volume get ")) for command in section.commands)
        assert any(command.startswith("nsm-gate ") for command in section.commands)


def test_every_block_of_the_guide_is_on_the_page_in_the_guide_s_order() -> None:
    assert [section.block for section in SECTIONS] == [block for _, block in guide_blocks()]


def test_a_new_type_takes_the_guide_s_steps_and_the_page_s_commands(tmp_path: Path) -> None:
    guide_blocks()  # skips where the guide is not there
    text, guide = (path.read_text(encoding="utf-8") for path in (PAGE, GUIDE))
    part = text.partition("\n## Contributing\n")[2].partition("\n## ")[0]
    asked = re.findall(
        r"^\d\. (.*)$", guide.partition("\n## Contributing\n")[2].partition("\n## ")[0], re.MULTILINE
    )
    assert re.findall(r"^\| (\*\*.*?) \| ", part, re.MULTILINE) == asked
    assert len(asked) == 5
    repo = Repo.init(tmp_path / "lab")
    commands = re.findall(r"^\$ nsm-gate (.*)$", part, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        done = gate(*command.split(), cwd=repo.path, env=repo.env)
        assert done.code == 0, done
    assert json.loads(done.out)["run_data"]["experiment_type"] == "ablation"


def test_every_section_of_the_guide_is_on_the_page() -> None:
    """Blocks or not: but for what the guide says of itself."""
    guide_blocks()  # skips where the guide is not there
    here = {
        line[3:].lower() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("## ")
    }
    there = {
        line[3:].lower() for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("## ")
    }
    assert there - here == {"overview"}
    assert here <= there
