"""What a process notes can be read by another, and is cut rather than spilt."""

from __future__ import annotations

import mmap

import pytest

from nsm_gate.whereabouts import CELL, Notes, Place, mark, read


def test_a_new_line_forgets_what_was_done_on_the_one_before_it_and_a_new_file_its_lines() -> None:
    memory = bytearray(CELL)
    notes = Notes(memory)
    assert read(memory, 0) == Place("", 0, "")
    notes.file("runs/a.jsonl")
    notes.line(2**40)
    notes.doing(mark("rule schema"))
    assert read(memory, 0) == Place("runs/a.jsonl", 2**40, "rule schema")
    notes.line(8)
    assert read(memory, 0) == Place("runs/a.jsonl", 8, "")
    notes.file("b")
    assert read(memory, 0) == Place("b", 0, "")


def test_processes_keep_apart(tmp_path: object) -> None:
    memory = mmap.mmap(-1, 3 * CELL)
    cells = [Notes(memory, number) for number in range(3)]
    for number, notes in enumerate(cells):
        notes.file(str(number) * 5000)
        notes.doing(mark("é" * 5000))
        notes.line(number + 1)
        notes.doing(mark("é" * 5000))
    for number in range(3):
        place = read(memory, number)
        assert set(place.file) == {str(number)}
        assert place.line == number + 1
        assert set(place.doing) <= {"é", "\N{REPLACEMENT CHARACTER}"}
        assert 200 < len(place.doing) < 500


def test_what_is_rare_is_noted_while_it_is_done() -> None:
    memory = bytearray(CELL)
    notes = Notes(memory)
    notes.doing(mark("outer"))
    with notes.busy("inner"):
        assert read(memory, 0).doing == "inner"
    assert read(memory, 0).doing == "outer"
    failing: dict[str, str] = {}
    with pytest.raises(KeyError), notes.busy("inner"):
        failing.pop("x")
    assert read(memory, 0).doing == "outer"


def test_lines_that_are_made_up_do_not_count() -> None:
    memory = bytearray(CELL)
    notes = Notes(memory)
    notes.file("log.jsonl")
    notes.line(5)
    with notes.instead("rules/a.yaml", 12):
        notes.line(1)
        notes.doing(mark("rule schema"))
        assert read(memory, 0) == Place("rules/a.yaml", 12, "rule schema")
    assert read(memory, 0) == Place("log.jsonl", 5, "")
    notes.line(6)
    assert read(memory, 0) == Place("log.jsonl", 6, "")


def test_a_name_that_is_not_utf_8_is_noted_all_the_same() -> None:
    memory = bytearray(CELL)
    Notes(memory).file("a\udcff.jsonl")
    assert read(memory, 0).file == "a?.jsonl"
