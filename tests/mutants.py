"""Mutation testing: changes the code in small ways, and sees whether tests notice.

`make mutants` changes the four modules that decide what is judged and how, and tries each change with those of some
quick tests that call what is changed, each time in a fork of a process that has collected them. A change that no test
notices must stand in `tests/mutants.txt`, with the reason why that is right; any other is a failure, and so is a row
there of a change that a test notices.

mutmut makes the changes: all of them stand in one copy of the code, and a variable chooses one. The tests are run
here: its own runner copies whole folders, where it fails at a link to nowhere, and asks for tests by names that pytest
does not find again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path

import pytest

from nsm_gate.edge.workers import cores

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build" / "mutants"
EXPLAINED = ROOT / "tests" / "mutants.txt"
NEEDED = ("nsm_gate", "rules", "schemas", "pyproject.toml", "README.md")
TESTS = (
    "test_changes", "test_criteria", "test_references", "test_expressions", "test_jsonl", "test_cases", "test_check",
)  # fmt: skip
# Chains of hundreds of parts recurse too deeply where every call goes through another; made-up values take long.
SLOW = "not longest and not test8 and not any_text and not taking_a_value and not no_value and not damaged and not at_its_columns"
MEMORY = 4 << 30
"""Bytes that a process may take: a change can make a loop that never ends, and keeps all that it makes."""
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
    for file in (ROOT / "tests").glob("*.py"):
        shutil.copy(file, TREE / "tests")
    # It makes all mutants before it runs any test; that there is none of this name is not an error then.
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", "none"]
    subprocess.run(command, cwd=TREE, capture_output=True, check=False)
    for name in ("examples", "tests/cases"):
        shutil.copytree(ROOT / name, TREE / "mutants" / name, symlinks=True)
    listed = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    said = subprocess.run(listed, cwd=TREE, capture_output=True, text=True, check=True).stdout
    return sorted(re.findall(r"^\s*(\S+__mutmut_\d+): ", said, re.MULTILINE))


class Trials:
    """A plugin of pytest that, once the tests are collected, tries mutants, each in a fork, with the tests that reach it.

    Attributes:
        found: Mutant -> NOTICED, UNNOTICED or HANGS; None where a test fails as the code is.
    """

    def __init__(self, names: Sequence[str], say: Callable[[str, str], None]) -> None:
        """Try these; `say` is told of each outcome as it comes."""
        self.names, self.say = names, say
        self.found: dict[str, str] | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try them, as many at a time as there are cores."""
        reached = self._reached(session.items)
        if reached is None:
            return True
        self.found = {}
        running: dict[int, tuple[str, float]] = {}
        left = list(reversed(self.names))
        while left or running:
            while left and len(running) < cores():
                name = left.pop()
                seconds, items = reached.get(name.rpartition("__mutmut_")[0], (0.0, []))
                running[_forked(name, items)] = name, time.monotonic() + 20 + 10 * seconds
            time.sleep(0.01)
            for child, (name, end) in list(running.items()):
                done, status = os.waitpid(child, os.WNOHANG)
                if done or time.monotonic() > end:
                    if not done:
                        os.kill(child, signal.SIGKILL)
                        os.waitpid(child, 0)
                    del running[child]
                    self.found[name] = HANGS if not done else NOTICED if status else UNNOTICED
                    self.say(name, self.found[name])
        return True

    def _reached(self, items: list[pytest.Item]) -> dict[str, tuple[float, list[pytest.Item]]] | None:
        """Return function -> seconds and tests that call it, the quickest first; None where a test fails."""
        notes = Path("reached.json").resolve()
        _, status = os.waitpid(_forked("stats", items, notes), 0)
        if status:
            return None
        found: dict[str, tuple[float, list[pytest.Item]]] = {}
        timed = zip(json.loads(notes.read_text()), items, strict=True)
        for (seconds, called), item in sorted(timed, key=lambda row: float(row[0][0])):
            for name in called:
                total, tests = found.get(name, (0.0, []))
                found[name] = total + seconds, [*tests, item]
        return found


class Calls:
    """Functions that were called, in this process and in those that it forks."""

    def __init__(self) -> None:
        """Note them in a file of no name."""
        self._file = tempfile.TemporaryFile("ab+", buffering=0)  # noqa: SIM115 - closed in noted()
        self._seen: set[str] = set()

    def add(self, name: str) -> None:
        """Note a call, as mutmut asks for it."""
        if name not in self._seen:
            self._seen.add(name)
            self._file.write(name.encode() + b"\n")

    def noted(self) -> list[str]:
        """Return the names, and forget them."""
        self._file.seek(0)
        names = set(self._file.read().decode().split())
        self._file.close()
        return sorted(names)


def _forked(name: str, items: list[pytest.Item], notes: Path | None = None) -> int:
    """Run tests with a mutant in a fork, until one fails; return its process. Note seconds and calls of each test."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if not notes:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.environ["MUTANT_UNDER_TEST"] = name
        state = importlib.import_module("mutmut.state").state()
        noted = []
        for item, following in zip_longest(items, items[1:]):  # nothing notices what no test reaches
            state._stats = calls = Calls()
            since = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            noted.append((time.monotonic() - since, calls.noted()))
            if item.session.testsfailed:
                if notes:
                    print(f"\n{item.nodeid} fails without any change", flush=True)
                break
        else:
            code = 0
        if notes:
            notes.write_text(json.dumps(noted))
    finally:
        os._exit(code)


def explained() -> dict[str, str]:
    """Return mutant -> why no test notices it; a row is `mutant: reason`."""
    rows = [row for row in EXPLAINED.read_text(encoding="utf-8").splitlines() if row and row[0] != "#"]
    return {name: reason for name, _, reason in (row.partition(": ") for row in rows)}


def main() -> int:
    """Try the mutants, or some of them; return 1 where one is not as it is listed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="try N of them (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", default="", metavar="REGEX", help="those whose names match (default: all)")
    args = parser.parse_args()
    names = lay_out()
    os.chdir(TREE / "mutants")
    # The mutants are found before the package as it is installed.
    sys.path[:] = [str(TREE / "mutants"), *(place for place in sys.path if Path(place).resolve() != ROOT)]
    for module in [m for m in sys.modules if m.partition(".")[0] in ("nsm_gate", "tests")]:
        del sys.modules[module]
    chosen = [name for name in names if re.search(args.only, name)]
    if args.sample:
        chosen = random.Random(args.seed).sample(chosen, min(args.sample, len(chosen)))
    listed, odd = explained(), 0

    def say(name: str, found: str) -> None:
        nonlocal odd
        if (found == UNNOTICED) is not (name in listed):
            odd += 1
            said = "no test notices" if found == UNNOTICED else "a test notices what is listed"
            print(f"{said}: {name}", flush=True)

    trials = Trials(chosen, say)
    files = [f"tests/{test}.py" for test in TESTS]
    pytest.main(["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", SLOW, *files], [trials])
    if trials.found is None:
        print("a test fails without any change: nothing can be told")
        return 2
    for name in sorted(set(listed) - set(names)):
        odd += 1
        print(f"there is no such mutant: {name}")
    print(
        f"{len(chosen)} of {len(names)} mutants tried: {dict(Counter(trials.found.values()))}; {len(listed)} are explained"
    )
    return int(odd > 0)


if __name__ == "__main__":
    sys.exit(main())
