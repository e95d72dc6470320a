"""docs/from-the-guide.md: the guide's snippets and our commands say the same, on the sample and on the real logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guide import Section, guide_blocks, project, run_commands, run_snippet, sections
from tests.guide_results import BROKEN, COMPARED, ELSEWHERE, NOTHING_COMPUTED, TO_COME
from tests.support import ROOT

SECTIONS = sections()
READING = [section for section in SECTIONS if section.title not in ELSEWHERE]


@pytest.mark.parametrize("section", READING, ids=lambda section: section.title)
@pytest.mark.parametrize("name", ["sample", "real"])
def test_the_commands_find_what_the_snippet_computes(section: Section, name: str, tmp_path: Path) -> None:
    place = project(name, tmp_path)
    documents = run_commands(section, place, every_line=True)
    if section.title in COMPARED:
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


def test_every_section_has_commands_and_is_compared_or_says_why_not() -> None:
    titles = [section.title for section in SECTIONS]
    assert sorted(titles) == sorted({*COMPARED, *NOTHING_COMPUTED, *ELSEWHERE})
    assert not set(COMPARED) & set(NOTHING_COMPUTED)
    assert set(BROKEN) <= set(COMPARED)
    assert all((ROOT / f"tests/{module}.py").is_file() for module in ELSEWHERE.values())
    assert [section.title for section in SECTIONS if not section.commands] == []
    assert all(command.startswith("nsm-gate ") for section in SECTIONS for command in section.commands)


def test_every_block_of_the_guide_is_on_the_page_or_known_to_be_missing() -> None:
    here = {section.block for section in SECTIONS}
    missing = {heading for heading, block in guide_blocks() if block not in here}
    assert missing == TO_COME
