"""Read a file of an old format as lines of JSON: JSON Lines, one JSON array, or CSV with a header."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

import jiter

from nsm_gate.errors import GateError
from nsm_gate.lines import Lines
from nsm_gate.mapping import Old

_BOM = b"\xef\xbb\xbf"


def read_old(data: bytes, path: str, form: str, delimiter: str) -> list[Old]:
    """Return the entries of an old file, in order; blank lines of it are none.

    Args:
        data: Its content.
        path: Its name.
        form: `jsonl`, `json` or `csv`; empty where name and content tell.
        delimiter: What separates the cells of a CSV file.

    Raises:
        GateError: The file as a whole cannot be read.
    """
    data = data.removeprefix(_BOM)
    if not form:
        array = data.lstrip(b" \t\r\n").startswith(b"[")
        form = "csv" if path.lower().endswith(".csv") else "json" if array else "jsonl"
    if form == "csv":
        return list(_rows(_decoded(data, path), path, delimiter))
    return list(_items(data, path) if form == "json" else _lines(data))


def _decoded(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GateError("the file is not UTF-8", "save it as UTF-8", path, line) from None


def _lines(data: bytes) -> Iterator[Old]:
    for number, raw in enumerate(Lines(data), 1):
        if raw.strip(b" \t\r\f\v"):
            yield Old(number, raw, raw.removesuffix(b"\r").decode("utf-8", "backslashreplace"))


def _items(data: bytes, path: str) -> Iterator[Old]:
    try:
        # What a number may not be is told of its entry.
        found = jiter.from_json(data, allow_inf_nan=True, catch_duplicate_keys=True)
    except ValueError as error:
        raise GateError(f"not JSON: {error}", "give one JSON array, or JSON Lines", path) from None
    if not isinstance(found, list):
        raise GateError("the file holds no JSON array", "give one JSON array, or JSON Lines", path)
    for number, item in enumerate(found, 1):
        text = json.dumps(item, ensure_ascii=False)
        yield Old(number, text.encode("utf-8", "backslashreplace"), text)


def _rows(text: str, path: str, delimiter: str) -> Iterator[Old]:
    source = io.StringIO(text, newline="")
    taken: list[str] = []

    def watched() -> Iterator[str]:
        for row in source:
            taken.append(row)
            yield row

    reader = csv.reader(watched(), delimiter=delimiter, strict=True)
    header: Sequence[str] | None = None
    line = 1
    try:
        for cells in reader:
            original, begin = "".join(taken).rstrip("\r\n"), line
            taken.clear()
            line = reader.line_num + 1
            if not cells:
                continue
            if header is None:
                header = _header(cells, path, begin)
                continue
            fault = ""
            if len(cells) > len(header):
                fault = f"the row has {len(cells)} cells, the header has {len(header)}"
            entry = {name: cell or None for name, cell in zip(header, cells, strict=False)}
            yield Old(begin, json.dumps(entry, ensure_ascii=False).encode(), original, fault)
    except csv.Error as error:
        raise GateError(
            f"not CSV: {error}", "put cells that hold quotes or breaks in quotes", path, line
        ) from None


def _header(cells: Sequence[str], path: str, line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    for column, name in enumerate(names, 1):
        if not name:
            raise GateError(f"column {column} has no name", "name every column in the first row", path, line)
        if names.index(name) + 1 < column:
            raise GateError(f"two columns are called {name!r}", "rename one of them", path, line)
    return names
