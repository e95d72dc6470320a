"""What the gate is measured against."""

from __future__ import annotations

import importlib.util
import platform
import sys
from pathlib import Path

from benchmarks.places import SCHEMA, program
from benchmarks.processes import BenchError, Command

_ORJSON = """
import sys, orjson
for line in open(sys.argv[1], "rb"):
    orjson.loads(line)
"""
_REFERENCE = """
import json, sys, jsonschema
validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1], "rb")))
for line in open(sys.argv[2], "rb"):
    if not validator.is_valid(json.loads(line)):
        sys.exit(1)
"""


def interpreter(folder: Path) -> Command:
    """Return the bare start of the interpreter."""
    return Command([sys.executable, "-c", "pass"], folder)


def check_jsonschema(record: Path) -> Command:
    """Return check-jsonschema on one record."""
    return Command([program("check-jsonschema"), "--schemafile", str(SCHEMA), str(record)], record.parent)


def orjson_loop(log: Path) -> Command:
    """Return a bare loop of orjson.loads over the lines of a log."""
    return Command([sys.executable, "-c", _ORJSON, str(log)], log.parent)


def reference_loop(log: Path) -> Command:
    """Return a loop of the reference implementation over the lines of a log."""
    return Command([sys.executable, "-c", _REFERENCE, str(SCHEMA), str(log)], log.parent)


def native_schema(log: Path) -> Command:
    """Return the native JSON Schema program on a log, in its fast mode: the first error ends it, none is explained.

    Its own launcher is a Python process that starts the program; it is started itself, to be fair.

    Raises:
        BenchError: It is not installed, or not made for this machine.
    """
    found = importlib.util.find_spec("sourcemeta_jsonschema")
    if found is None or found.origin is None:
        raise BenchError("sourcemeta-jsonschema is not installed: use make bench")
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    binary = Path(found.origin).parent / f"jsonschema-{platform.system().lower()}-{machine}"
    if not binary.exists():
        raise BenchError(f"sourcemeta-jsonschema has no {binary.name}")
    return Command([str(binary), "validate", "--fast", str(SCHEMA), str(log)], log.parent)
