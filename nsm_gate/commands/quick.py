"""Reads the plain command lines of hooks and CI without argparse, which takes 10 ms to load and set up.

It knows an option by the declaration that argparse gets, and understands it in one way only: written out
in full, each value beside its option. Of any other word, and of any declaration that it does not know, it
says nothing: then argparse reads the command line, and tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import SimpleNamespace

from nsm_gate.nouns import Any

_KINDS = {"store", "append", "store_true"}
_SAID = {"action", "choices", "default", "help", "metavar", "type"}


class _Option:
    """An option that was declared.

    Attributes:
        name: What its value is called.
        group: Which options exclude each other; 0 for one that excludes none.
    """

    def __init__(self, flags: Sequence[str], said: dict[str, Any], group: int) -> None:
        long = next((flag for flag in flags if flag.startswith("--")), flags[0])
        self.name = long.lstrip("-").replace("-", "_")
        self.kind = said.get("action", "store")
        self.choices: Collection[str] | None = said.get("choices")
        self.default = said.get("default", False if self.kind == "store_true" else None)
        self.converts = "type" in said
        self.group = group


class Declared:
    """Takes declarations like a parser of argparse, and reads a command line by them."""

    def __init__(self) -> None:
        """Declare nothing yet."""
        self._options: dict[str, _Option] = {}
        self._lists: list[str] = []
        self._groups = 0
        self._known = True

    def add_argument(self, *flags: str, **said: Any) -> None:
        """Declare an argument, as `argparse.ArgumentParser.add_argument` does."""
        self._add(flags, said, 0)

    def add_mutually_exclusive_group(self) -> _Group:
        """Declare options of which one may be given."""
        self._groups += 1
        return _Group(self, self._groups)

    def _add(self, flags: Sequence[str], said: dict[str, Any], group: int) -> None:
        if not flags[0].startswith("-"):
            self._lists.append(flags[0])
            self._known &= said.get("nargs") == "*" and not said.keys() - {"nargs", "help", "metavar"}
            return
        self._known &= said.get("action", "store") in _KINDS and not said.keys() - _SAID
        option = _Option(flags, said, group)
        self._options |= dict.fromkeys(flags, option)

    def read(self, words: Sequence[str], **more: str) -> SimpleNamespace | None:
        """Return the values of all arguments, or None where argparse must read the words.

        Args:
            words: What follows the command.
            more: Further values to return beside them.
        """
        if not self._known:
            return None
        values: dict[str, Any] = {name: [] for name in self._lists}
        values |= {option.name: option.default for option in self._options.values()}
        groups: set[int] = set()
        rest = iter(words)
        for word in rest:
            flag, joined, value = word.partition("=")
            option = self._options.get(flag)
            if option is None or option.converts or option.group in groups:
                return None
            if joined and option.kind == "store_true":
                return None
            groups |= {option.group} - {0}
            if option.kind == "store_true":
                values[option.name] = True
                continue
            if not joined:
                value = next(rest, "")
            elif not flag.startswith("--"):
                return None
            if not value or value.startswith("-"):
                return None
            if option.choices is not None and value not in option.choices:
                return None
            values[option.name] = value if option.kind == "store" else [*(values[option.name] or ()), value]
        return SimpleNamespace(**values, **more)


class _Group:
    def __init__(self, declared: Declared, number: int) -> None:
        self._declared = declared
        self._number = number

    def add_argument(self, *flags: str, **said: Any) -> None:
        self._declared._add(flags, said, self._number)
