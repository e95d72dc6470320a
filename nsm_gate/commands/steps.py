"""The steps of a set-up: what is written, what is there already, what is left to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nsm_gate.commands.setup_texts import block, block_in
from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.edge.writing import Taken, amend, create, standing
from nsm_gate.nouns import dataclass
from nsm_gate.render.untrusted import plain


@dataclass(frozen=True, slots=True)
class Write:
    """A file to be made, or a block to be appended to one.

    Attributes:
        text: The file, or the block.
        before: What the file holds, where it is appended to.
    """

    path: str
    text: str
    before: bytes | None = None

    def after(self) -> bytes:
        """Return what the file is to hold."""
        if self.before is None:
            return self.text.encode()
        # As the rest of the file, which an editor on Windows may have written.
        newline = b"\r\n" if b"\r\n" in self.before else b"\n"
        gap = b"" if not self.before or self.before.endswith(b"\n") else newline
        gap += newline if self.before.strip() else b""
        return self.before + gap + self.text.encode().replace(b"\n", newline)


@dataclass(frozen=True, slots=True)
class Keep:
    """A file that has all it needs."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class Leave:
    """A file that is not touched, and what its owner should add."""

    path: str
    why: str
    text: str


Step = Write | Keep | Leave


def whole(root: str, path: str, text: str, lacks: Callable[[str], str]) -> Step:
    """Return the step for a file that is written whole.

    Args:
        root: The repository's root.
        path: The file.
        text: What it is to hold.
        lacks: Says what the content of a file that is there lacks, or nothing.
    """
    found = standing(root, path)
    if found is None:
        return Write(path, text)
    if isinstance(found, Taken):
        return Leave(path, found.reason, text)
    content = found.decode("utf-8", "replace").replace("\r\n", "\n")
    missing = "" if content == text else lacks(content)
    return Leave(path, f"it exists, and {missing}", text) if missing else Keep(path, "nothing to add")


def marked(root: str, path: str, text: str) -> Step:
    """Return the step for a block that is appended to a file once."""
    made = block(path, text)
    found = standing(root, path)
    if found is None:
        return Write(path, made)
    if isinstance(found, Taken):
        return Leave(path, found.reason, text)
    try:
        old = block_in(path, found.decode("utf-8").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        return Leave(path, "it is not UTF-8", text)
    if old is None:
        return Write(path, made, found)
    if old.rstrip("\n") == made.rstrip("\n"):
        return Keep(path, "its nsm-gate block is up to date")
    return Leave(path, "its nsm-gate block differs from what would be written today", made)


def carried_out(steps: Iterable[Step], root: str, dry: bool, world: Surroundings) -> bool:
    """Carry the steps out, or show them; return whether one writes something."""
    some = False
    for step in steps:
        path = plain(step.path)
        if isinstance(step, Keep):
            _say(world, f"unchanged: {path} ({step.why})")
            continue
        if isinstance(step, Leave):
            _say(world, f"left alone: {path}: {plain(step.why)}. Add what it lacks of this:", step.text)
            continue
        some = True
        whole_file = step.before is None
        if dry:
            _say(world, f"would {'write' if whole_file else 'append to'} {path}:", step.text)
            continue
        if step.before is None:
            create(root, step.path, step.after())
        else:
            amend(root, step.path, step.before, step.after())
        _say(world, f"{'wrote' if whole_file else 'appended a block to'} {path}")
    return some


def _say(world: Surroundings, row: str, text: str = "") -> None:
    world.stdout.write(f"{row}\n")
    if text:
        rows = (plain(row, 2000) for row in text.rstrip("\n").split("\n"))
        world.stdout.write("\n" + "".join(f"    {row}".rstrip() + "\n" for row in rows) + "\n")
