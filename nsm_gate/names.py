"""Words: what a person probably meant, and how many there are."""

from __future__ import annotations

from collections.abc import Collection

_REMEMBERED = 1024
_FOUND: dict[tuple[str, tuple[str, ...]], str | None] = {}
"""What was asked for and found: thousands of lines may have one mistake."""


def nearest(word: str, options: Collection[str]) -> str | None:
    """Return the option that looks most like a word, or None where none does."""
    import difflib  # not needed where nothing is misspelt

    asked = (word, tuple(options))
    if asked not in _FOUND:
        near = difflib.get_close_matches(word, asked[1], n=1, cutoff=0.6)
        if len(_FOUND) >= _REMEMBERED:
            _FOUND.clear()
        _FOUND[asked] = near[0] if near else None
    return _FOUND[asked]


def suggestion(word: str, options: Collection[str]) -> str:
    """Return `did you mean ...?`, or nothing."""
    near = nearest(word, options)
    return f"did you mean {near!r}?" if near else ""


def is_slip(word: str, other: str) -> bool:
    """Return whether two names differ by case and underscores, one letter, or a swap of two.

    Digits are meant: accuracy_class_2 is no slip of accuracy_class_1.
    """
    one, two = (name.replace("_", "").replace("-", "").lower() for name in (word, other))
    if one == two:
        return True
    if len(word) < 4 or abs(len(one) - len(two)) > 1:
        return False
    if len(one) == len(two):
        apart = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
        swap = len(apart) == 2 and one[apart[0]] == two[apart[1]] and one[apart[1]] == two[apart[0]]
        digits = any(one[i].isdigit() or two[i].isdigit() for i in apart)
        return (len(apart) == 1 or swap) and not digits
    long, short = (one, two) if len(one) > len(two) else (two, one)
    return any(long[:i] + long[i + 1 :] == short and not long[i].isdigit() for i in range(len(long)))


def plural(count: int, word: str, words: str = "") -> str:
    """Return `1 line`, `2 lines`; `words` where the plural does not end in s."""
    return f"{count:,} {word if count == 1 else words or f'{word}s'}"
