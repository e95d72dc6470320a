"""Mutation testing: changes the code in small ways, and sees whether tests notice.

`make mutants` changes the four modules that decide what is judged and how, and tries each change with the quick tests
of its module. A change that no test notices must stand in `tests/mutants.txt`, with the reason why that is right; any
other is a failure, and so is a row there of a change that a test notices.

mutmut makes the changes: all of them stand in one copy of the code, and a variable chooses one. The tests are run
here: its own runner copies whole folders, where it fails at a link to nowhere, and asks for tests by names that pytest
does not find again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build" / "mutants"
EXPLAINED = ROOT / "tests" / "mutants.txt"
NEEDED = ("nsm_gate", "rules", "schemas", "pyproject.toml", "README.md")
MODULES = {
    "changes": ("test_changes",),
    "criteria": ("test_criteria", "test_references"),
    "expressions": ("test_expressions",),
    "jsonl": ("test_jsonl",),
}
"""Module of the package -> its tests."""
# Chains of hundreds of parts recurse too deeply where every call goes through another; made-up values take long.
SLOW = "not longest and not test8 and not any_text and not taking_a_value and not no_value and not damaged and not at_its_columns"
PATIENCE = 120.0
"""Seconds after which a mutant hangs, which a test run notices, too; they are counted by themselves."""
NOTICED, UNNOTICED, HANGS = "noticed", "not noticed", "hang"


def lay_out() -> list[str]:
    """Copy what is changed and what tests it, and have it changed; return the names of the mutants."""
    shutil.rmtree(TREE, ignore_errors=True)
    (TREE / "tests").mkdir(parents=True)
    for name in NEEDED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, TREE / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, TREE / name)
    tests = ("__init__", "support", *(name for names in MODULES.values() for name in names))
    for name in tests:
        shutil.copy(ROOT / "tests" / f"{name}.py", TREE / "tests")
    # It makes all mutants before it runs any test; that there is none of this name is not an error then.
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", "none"]
    subprocess.run(command, cwd=TREE, capture_output=True, check=False)
    listed = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    said = subprocess.run(listed, cwd=TREE, capture_output=True, text=True, check=True).stdout
    return sorted(re.findall(r"^\s*(\S+__mutmut_\d+): ", said, re.MULTILINE))


def outcome(name: str) -> str:
    """Return NOTICED where a test fails with a mutant, HANGS where none ends; without a name, as the code is."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _tested(name)
        finally:
            os._exit(code)
    since = time.monotonic()
    while time.monotonic() - since < PATIENCE:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return NOTICED if status else UNNOTICED
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HANGS


def _tested(name: str) -> int:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.environ["MUTANT_UNDER_TEST"] = name
    import pytest

    modules = [name.split(".")[1]] if name else list(MODULES)
    files = [f"tests/{test}.py" for module in modules for test in MODULES[module]]
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", SLOW, *files]))


def explained() -> dict[str, str]:
    """Return mutant -> why no test notices it; a row is `mutant: reason`."""
    rows = [row for row in EXPLAINED.read_text(encoding="utf-8").splitlines() if row and row[0] != "#"]
    return {name: reason for name, _, reason in (row.partition(": ") for row in rows)}


def main() -> int:
    """Try the mutants, or some of them; return 1 where one is not as it is listed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="try N of them (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    args = parser.parse_args()
    names = lay_out()
    os.chdir(TREE / "mutants")
    # The mutants are found before the package as it is installed.
    sys.path[:] = [str(TREE / "mutants"), *(place for place in sys.path if Path(place).resolve() != ROOT)]
    for module in [m for m in sys.modules if m.partition(".")[0] in ("nsm_gate", "tests")]:
        del sys.modules[module]
    if outcome("") != UNNOTICED:
        print("a test fails, or all take too long, without any change: nothing can be told")
        return 2
    chosen = names
    if args.sample:
        chosen = random.Random(args.seed).sample(names, min(args.sample, len(names)))
    listed, counts, odd = explained(), Counter[str](), 0
    for name in chosen:
        found = outcome(name)
        counts[found] += 1
        if (found == UNNOTICED) is not (name in listed):
            odd += 1
            said = "no test notices" if found == UNNOTICED else "a test notices what is listed"
            print(f"{said}: {name}", flush=True)
    for name in sorted(set(listed) - set(names)):
        odd += 1
        print(f"there is no such mutant: {name}")
    print(f"{len(chosen)} of {len(names)} mutants tried: {dict(counts)}; {len(listed)} are explained")
    return int(odd > 0)


if __name__ == "__main__":
    sys.exit(main())
