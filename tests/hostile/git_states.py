"""States of a repository: objects that lie or are gone, clones that lack some, and indexes and heads in disorder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.hostile.case import ANY, CLEAN, FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG
from tests.support import Repo, a_run, edited, lines

NEW = a_run("planning_new_20251102", 5)
WRONG = edited(NEW, findings="TODO")
ZEROS = "0" * 40


def state(
    name: str,
    make: Callable[[Scene], object],
    codes: tuple[int, ...] = NEVER_CLEAN,
    args: tuple[str, ...] = ("check",),
    **members: Any,
) -> Case:
    """Return a case: a repository in some state, with a line with a finding to judge unless `make` says otherwise."""
    members = {"rule": "missing-findings" if codes == FOUND else "", **members}
    return Case(**{"name": name, "args": args, "git": True, "make": make, "codes": codes, **members})


def staged(scene: Scene, *entries: Any) -> None:
    """Append entries and stage them."""
    scene.repo.append(LOG, *(entries or (WRONG,)))
    scene.repo.git("add", "-A")


def blob(scene: Scene, name: str = f"HEAD:{LOG}") -> Path:
    """Return where the loose object of a name lies."""
    oid = scene.repo.git("rev-parse", name)
    return scene.root / ".git/objects" / oid[:2] / oid[2:]


def overwrite(place: Path, data: bytes) -> None:
    place.chmod(0o644)
    place.write_bytes(data)


def _objects() -> Iterator[Case]:
    def broken(name: str, data: bytes | None, which: str = f"HEAD:{LOG}") -> Case:
        def make(scene: Scene) -> None:
            staged(scene)
            place = blob(scene, which)
            place.chmod(0o644)
            place.unlink() if data is None else place.write_bytes(data)

        # Another object of the right shape is judged for what it holds.
        swapped = "another" in name and "blob" in name
        return state(
            name,
            make,
            NEVER_CLEAN if swapped else REFUSED,
            ("check", "--staged"),
            file=LOG if "blob" in name else "",
        )

    for which, said in (
        (f"HEAD:{LOG}", "old blob"),
        (f":{LOG}", "staged blob"),
        ("HEAD^{tree}", "tree"),
        ("HEAD", "commit"),
    ):
        yield broken(f"{said} is gone", None, which)
        yield broken(f"{said} is empty", b"", which)
        yield broken(f"{said} is garbage", b"\x78\x9c" + b"\xff" * 50, which)
        yield broken(f"{said} is another object", zlib.compress(b"blob 5\0{}\n{}"), which)
        yield broken(f"{said} lies about its size", zlib.compress(b"blob 99999999999\0{}"), which)
        yield broken(f"{said} is of no type", zlib.compress(b"evil 2\0{}"), which)
    yield broken("old blob is a bomb of zeros", zlib.compress(b"blob 400000000\0" + bytes(1000)))

    def unreadable(scene: Scene) -> None:
        staged(scene)
        shutil.rmtree(scene.root / ".git/objects")

    def truncated_pack(scene: Scene) -> None:
        staged(scene)
        scene.repo.git("gc", "-q")
        for pack in (scene.root / ".git/objects/pack").glob("*.pack"):
            overwrite(pack, pack.read_bytes()[:40])

    def garbage_index_of_pack(scene: Scene) -> None:
        staged(scene)
        scene.repo.git("gc", "-q")
        for index in (scene.root / ".git/objects/pack").glob("*.idx"):
            overwrite(index, b"\xfftOc" + bytes(2000))

    def flipped_pack(scene: Scene) -> None:
        staged(scene)
        scene.repo.git("gc", "-q")
        for pack in (scene.root / ".git/objects/pack").glob("*.pack"):
            raw = bytearray(pack.read_bytes())
            for at in range(60, len(raw) - 20, 7):
                raw[at] ^= 0xFF
            overwrite(pack, bytes(raw))

    yield state("no objects at all", unreadable, REFUSED)
    yield state("a pack that is cut off", truncated_pack)
    yield state("a pack with a wrong index", garbage_index_of_pack)
    yield state("a pack with bits flipped", flipped_pack)

    def replaced(scene: Scene) -> None:
        """Rewrite an old line, and have git show the new blob for the old one."""
        old = scene.repo.git("rev-parse", f"HEAD:{LOG}")
        scene.repo.write(LOG, (scene.root / LOG).read_bytes().replace(b"0.61", b"0.99", 1))
        scene.repo.git("add", "-A")
        scene.repo.git("replace", old, scene.repo.git("rev-parse", f":{LOG}"))

    def replaced_commit(scene: Scene) -> None:
        old = scene.repo.git("rev-parse", "HEAD")
        scene.repo.write(LOG, (scene.root / LOG).read_bytes().replace(b"0.61", b"0.99", 1))
        scene.repo.git("add", "-A")
        tree = scene.repo.git("write-tree")
        scene.repo.git("replace", old, scene.repo.git("commit-tree", "-m", "x", tree))

    def grafted(scene: Scene) -> None:
        first = scene.repo.git("rev-parse", "HEAD")
        scene.repo.write(LOG, (scene.root / LOG).read_bytes().replace(b"0.61", b"0.99", 1))
        second = scene.repo.commit("rewrite")
        scene.repo.git("update-ref", "refs/heads/base", first)
        (scene.root / ".git/info").mkdir(exist_ok=True)
        (scene.root / ".git/info/grafts").write_text(f"{first} {second}\n")

    yield state(
        "a replaced blob hides a rewrite",
        replaced,
        FOUND,
        ("check", "--staged"),
        rule="history-rewritten",
        file=LOG,
    )
    yield state(
        "a replaced commit hides a rewrite",
        replaced_commit,
        FOUND,
        ("check", "--staged"),
        rule="history-rewritten",
        file=LOG,
    )
    yield state(
        "a graft hides a rewrite",
        grafted,
        FOUND,
        ("check", "--base", "base"),
        rule="history-rewritten",
        file=LOG,
    )


def made_commit(scene: Scene, raw: bytes) -> str:
    """Return the id of a commit object of any bytes, which becomes HEAD."""
    place = scene.outside / "object"
    place.write_bytes(raw)
    oid = scene.repo.git("hash-object", "-t", "commit", "-w", "--literally", str(place))
    (scene.root / ".git/refs/heads/main").write_text(oid + "\n")
    return oid


def made_tree(scene: Scene, *entries: tuple[bytes, bytes, str]) -> str:
    """Return the id of a tree object of any entries: mode, name, object id."""
    place = scene.outside / "object"
    place.write_bytes(
        b"".join(mode + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    )
    return scene.repo.git("hash-object", "-t", "tree", "-w", "--literally", str(place))


def loose_tree(scene: Scene, mode: bytes, name: bytes, oid: str) -> str:
    """Return the id of a tree object of one entry, written without git: for many of them."""
    content = mode + b" " + name + b"\0" + bytes.fromhex(oid)
    raw = b"tree %d\0" % len(content) + content
    made = hashlib.sha1(raw).hexdigest()
    place = scene.root / ".git/objects" / made[:2] / made[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(zlib.compress(raw))
    return made


def _commits() -> Iterator[Case]:
    who = b"a <a@b> 1700000000 +0000"

    def commit(name: str, raw: Callable[[str, str], bytes], codes: tuple[int, ...] = ANY) -> Case:
        def make(scene: Scene) -> None:
            made_commit(
                scene, raw(scene.repo.git("rev-parse", "HEAD^{tree}"), scene.repo.git("rev-parse", "HEAD"))
            )
            scene.repo.append(LOG, WRONG)

        return state(f"HEAD is a commit {name}", make, codes)

    for name, raw in {
        "without a tree": lambda tree, head: b"author " + who + b"\n\nx\n", "of nothing": lambda tree, head: b"", "of a tree that is gone": lambda tree, head: b"tree " + b"1" * 40 + b"\nauthor " + who + b"\ncommitter " + who + b"\n\nx\n", "whose tree is a commit": lambda tree, head: f"tree {head}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n",
        "of a parent that is gone": lambda tree, head: f"tree {tree}\nparent {'1' * 40}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n", "of a parent that is a tree": lambda tree, head: f"tree {tree}\nparent {tree}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n", "of a parent of zeros": lambda tree, head: f"tree {tree}\nparent {ZEROS}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n",
        "of a hundred same parents": lambda tree, head: f"tree {tree}\n".encode() + f"parent {head}\n".encode() * 100 + b"author " + who + b"\ncommitter " + who + b"\n\nx\n", "without an author": lambda tree, head: f"tree {tree}\nparent {head}\n\nx\n".encode(), "of a time beyond time": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author a <a@b> 99999999999999999999 +9999\ncommitter a <a@b> 99999999999999999999 +9999\n\nx\n",
        "of a time before time": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author a <a@b> -1 +0000\ncommitter a <a@b> -1 +0000\n\nx\n", "whose message says parent": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nparent " + b"1" * 40 + b"\n", "of a signature that says parent": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\ngpgsig -----\n parent " + b"1" * 40 + b"\n\nx\n",
        "of bytes": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author \xff\0 <\xfe> 1 +0\ncommitter " + who + b"\nencoding evil\n\n\xff\0\n", "of a long message": lambda tree, head: f"tree {tree}\nparent {head}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\n" + b"x" * 3_000_000,
    }.items():  # fmt: skip
        good = name in (
            "of a parent that is gone",
            "of a parent of zeros",
            "of a hundred same parents",
            "without an author",
            "of a time beyond time",
            "of a time before time",
            "whose message says parent",
            "of a signature that says parent",
            "of bytes",
            "of a long message",
        )
        yield commit(name, raw, FOUND if good else REFUSED)

    def tree(
        name: str,
        entries: Callable[[str], list[tuple[bytes, bytes, str]]],
        codes: tuple[int, ...] = NEVER_CLEAN,
        rule: str = "",
    ) -> Case:
        def make(scene: Scene) -> None:
            scene.repo.write("bad.jsonl", lines(WRONG))
            oid = scene.repo.git("hash-object", "-w", "bad.jsonl")
            (scene.root / "bad.jsonl").unlink()
            # The first commit is empty, so that every line of the tree is new.
            first = scene.repo.git(
                "commit-tree",
                "-m",
                "x",
                scene.repo.git("mktree", "--missing", "--batch", check=False)
                or "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
            )
            made = made_tree(scene, *entries(oid))
            made_commit(
                scene,
                f"tree {made}\nparent {first}\n".encode()
                + b"author "
                + who
                + b"\ncommitter "
                + who
                + b"\n\nx\n",
            )
            scene.repo.git("update-ref", "refs/heads/first", first)

        env = {"PRE_COMMIT": "1", "PRE_COMMIT_FROM_REF": "first", "PRE_COMMIT_TO_REF": "main"}
        return state(f"HEAD has a tree {name}", make, codes, env=env, rule=rule)

    log = b"training_log.jsonl"
    yield tree("with a log", lambda oid: [(b"100644", log, oid)], FOUND, "missing-findings")
    yield tree(
        "with a log twice",
        lambda oid: [(b"100644", log, oid), (b"100644", log, oid)],
        FOUND,
        "missing-findings",
    )
    yield tree("with a log of old permissions", lambda oid: [(b"100664", log, oid)])
    yield tree("with a log of odd permissions", lambda oid: [(b"100000", log, oid)])
    yield tree("with a log of mode zero", lambda oid: [(b"0", log, oid)])
    yield tree("with a log of padded mode", lambda oid: [(b"0100644", log, oid)])
    yield tree("with a log that is a link", lambda oid: [(b"120000", log, oid)], FOUND, "not-a-log")
    yield tree("with a log that is a submodule", lambda oid: [(b"160000", log, "1" * 40)], FOUND, "not-a-log")
    yield tree(
        "with a log that is a folder",
        lambda oid: [(b"40000", log, "4b825dc642cb6eb9a060e54bf8d69288fbee4904")],
        ANY,
    )
    yield tree("with a log that is a folder and no tree", lambda oid: [(b"40000", log, oid)])
    yield tree("with a log that is gone", lambda oid: [(b"100644", log, "1" * 40)], REFUSED)
    yield tree("with a log of null", lambda oid: [(b"100644", log, ZEROS)], REFUSED)
    for name in (b"..", b".", b".git", b"a/b", b"", b"\n", b"\xff", b"::error::x", b"x" * 5000):
        yield tree(
            f"with an entry {name[:12]!r}",
            lambda oid, name=name: sorted(
                [(b"100644", name, oid), (b"100644", log, oid)], key=lambda e: e[1]
            ),
        )
    yield tree(
        "with a log up", lambda oid: [(b"100644", b"../training_log.jsonl", oid), (b"100644", log, oid)]
    )

    def deep(scene: Scene) -> None:
        scene.repo.write(LOG, lines(WRONG))
        oid, mode, name = scene.repo.git("hash-object", "-w", LOG), b"100644", log
        for _ in range(1500):
            oid, mode, name = loose_tree(scene, mode, name, oid), b"40000", b"d"
        made_commit(scene, f"tree {oid}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n")

    def bomb(scene: Scene) -> None:
        """Make a tree of 10^10 files out of eleven objects."""
        scene.repo.write(LOG, lines(WRONG))
        oid, mode = scene.repo.git("hash-object", "-w", LOG), b"100644"
        for _ in range(10):
            oid, mode = made_tree(scene, *((mode, b"f%d" % number, oid) for number in range(10))), b"40000"
        made_commit(scene, f"tree {oid}\n".encode() + b"author " + who + b"\ncommitter " + who + b"\n\nx\n")

    yield state("HEAD has a tree 1500 deep", deep, FOUND, rule="history-rewritten", process=True)
    yield state("HEAD has a tree of ten thousand million files", bomb, REFUSED, process=True)


def _heads() -> Iterator[Case]:
    def head(content: bytes) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            staged(scene)
            (scene.root / ".git/HEAD").write_bytes(content)

        return make

    for name, content in {"empty": b"", "garbage": b"\xff\0\n", "a branch that is not there": b"ref: refs/heads/none\n", "itself": b"ref: HEAD\n", "a path": b"ref: ../../etc/passwd\n", "a file of git": b"ref: config\n", "a commit that is gone": b"1" * 40 + b"\n", "zeros": ZEROS.encode() + b"\n", "a megabyte": b"ref: refs/heads/" + b"a" * 1_000_000, "a command": b"ref: refs/heads/::error::x\n", "an option": b"ref: --output=x\n", "short": b"abc\n"}.items():  # fmt: skip
        unborn_branch = name in ("a branch that is not there", "a megabyte", "a command")
        yield state(
            f"HEAD is {name}", head(content), FOUND if unborn_branch else REFUSED, ("check", "--staged")
        )
        if len(name) % 2:
            yield state(f"HEAD is {name}, every line", head(content), FOUND, ("check", "--all"), file=LOG)

    def unborn(scene: Scene) -> None:
        shutil.rmtree(scene.root / ".git")
        scene.repo.git("init", "-q", "-b", "main")
        scene.repo.append(LOG, WRONG)

    def bare(scene: Scene) -> None:
        shutil.rmtree(scene.root)
        scene.root.mkdir()
        scene.repo.git("init", "-q", "--bare", "-b", "main")

    def bare_flag(scene: Scene) -> None:
        staged(scene)
        scene.repo.git("config", "core.bare", "true")

    def gitfile(content: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            scene.repo.append(LOG, WRONG)
            shutil.rmtree(scene.root / ".git")
            (scene.root / ".git").write_text(content)

        return make

    def detached(scene: Scene) -> None:
        scene.repo.git("checkout", "-q", "--detach")
        staged(scene)

    for args in (("check",), ("check", "--staged"), ("check", "--all"), ("check", "--base", "HEAD")):
        yield state(
            f"nothing is committed: {' '.join(args)}", unborn, REFUSED if "--base" in args else FOUND, args
        )
        yield state(f"a bare repository: {' '.join(args)}", bare, REFUSED, args)
        yield state(f"a repository that says it is bare: {' '.join(args)}", bare_flag, REFUSED, args)
    yield state("a detached HEAD", detached, FOUND, file=LOG)
    for name, content in {"nothing": "", "garbage": "\0\0", "itself": "gitdir: .git\n", "nowhere": "gitdir: ../nowhere\n", "a system folder": "gitdir: /etc\n", "a command": "gitdir: ::error::x\n", "a megabyte": "gitdir: " + "x" * 1_000_000, "a newline": "gitdir: a\nb\n"}.items():  # fmt: skip
        yield state(f".git is a file of {name}", gitfile(content), REFUSED)

    def git_is(act: Callable[[Path], object]) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            scene.repo.append(LOG, WRONG)
            shutil.rmtree(scene.root / ".git")
            act(scene.root / ".git")

        return make

    yield state(".git is a pipe", git_is(os.mkfifo), REFUSED, process=True)
    yield state(".git is an empty folder", git_is(Path.mkdir), FOUND, file=LOG)  # git passes it over, too
    yield state(".git is a link to itself", git_is(lambda place: place.symlink_to(".git")), REFUSED)
    yield state(".git is a link to a system folder", git_is(lambda place: place.symlink_to("/etc")), REFUSED)

    def two_trees(scene: Scene) -> None:
        other = scene.outside / "work"
        scene.repo.git("worktree", "add", "-q", "--detach", str(other))
        (other / LOG).write_bytes(b"")
        shutil.rmtree(other)
        staged(scene)

    yield state("a worktree that is gone", two_trees, FOUND)


def _indexes() -> Iterator[Case]:
    def index(act: Callable[[Scene, Path], object]) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            staged(scene)
            act(scene, scene.root / ".git/index")

        return make

    def cut(scene: Scene, place: Path) -> None:
        place.write_bytes(place.read_bytes()[:50])

    for name, act in {
        "garbage": lambda scene, place: place.write_bytes(b"\xff" * 100), "cut off": cut, "of a later version": lambda scene, place: place.write_bytes(b"DIRC\0\0\0\x63\0\0\0\0" + bytes(20)), "of four thousand million entries": lambda scene, place: place.write_bytes(b"DIRC\0\0\0\x02\xff\xff\xff\xff" + bytes(20)), "of a hash that is wrong": lambda scene, place: place.write_bytes(place.read_bytes()[:-5] + b"xxxxx"),
    }.items():  # fmt: skip
        yield state(
            f"the index is {name}",
            index(act),
            args=("check", "--staged"),
            codes=ANY if name == "of a hash that is wrong" else NEVER_CLEAN,
        )

    def folder(scene: Scene, place: Path) -> None:
        place.unlink()
        place.mkdir()

    yield state("the index is a folder", index(folder), args=("check", "--staged"))
    yield state(
        "the index is gone",
        index(lambda scene, place: place.unlink()),
        FOUND,
        ("check", "--staged"),
        rule="history-rewritten",
    )
    yield state(
        "the index is empty",
        index(lambda scene, place: place.write_bytes(b"")),
        NEVER_CLEAN,
        ("check", "--staged"),
    )
    yield state(
        "the index is locked",
        index(lambda scene, place: (scene.root / ".git/index.lock").write_text("")),
        FOUND,
        ("check", "--staged"),
    )
    for version in ("2", "3", "4"):
        yield state(
            f"the index is of version {version}",
            index(
                lambda scene, place, version=version: scene.repo.git(
                    "update-index", "--index-version", version
                )
            ),
            FOUND,
            ("check", "--staged"),
        )
    # Git marks the shared part as used, whoever reads it.
    yield state(
        "the index is split",
        index(lambda scene, place: scene.repo.git("update-index", "--split-index")),
        FOUND,
        ("check", "--staged"),
        writes=None,
    )

    def split_gone(scene: Scene, place: Path) -> None:
        scene.repo.git("update-index", "--split-index")
        for shared in (scene.root / ".git").glob("sharedindex.*"):
            shared.unlink()

    yield state("the shared part of the index is gone", index(split_gone), NEVER_CLEAN, ("check", "--staged"))

    def flagged(flag: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            scene.repo.git("update-index", flag, LOG)
            scene.repo.append(LOG, WRONG)

        return make

    yield state("the log is assumed unchanged", flagged("--assume-unchanged"), FOUND)
    yield state("the log is skipped in the work tree", flagged("--skip-worktree"), FOUND)

    def entry(mode: str, oid: str | None = None) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            target = oid or scene.repo.git("rev-parse", f"HEAD:{LOG}")
            scene.repo.git("update-index", "--add", "--cacheinfo", f"{mode},{target},{LOG}")

        return make

    yield state(
        "a link is staged for the log",
        entry("120000"),
        FOUND,
        ("check", "--staged"),
        rule="not-a-log",
        file=LOG,
    )
    yield state(
        "a submodule is staged for the log",
        entry("160000", "1" * 40),
        FOUND,
        ("check", "--staged"),
        rule="not-a-log",
        file=LOG,
    )
    yield state(
        "a blob that is gone is staged", entry("100644", "1" * 40), REFUSED, ("check", "--staged"), file=LOG
    )

    def conflict(scene: Scene) -> None:
        scene.repo.git("checkout", "-q", "-b", "other")
        scene.repo.append(LOG, NEW)
        scene.repo.commit("theirs")
        scene.repo.git("checkout", "-q", "main")
        scene.repo.append(LOG, WRONG)
        scene.repo.commit("ours")
        scene.repo.git("merge", "-q", "other", check=False)

    yield state("the log is in conflict, staged", conflict, REFUSED, ("check", "--staged"), file=LOG)
    yield state("the log is in conflict", conflict, FOUND, ("check", "--all"), rule="invalid-json", file=LOG)

    def intended(scene: Scene) -> None:
        scene.repo.write("other/training_log.jsonl", lines(WRONG))
        scene.repo.git("add", "--intent-to-add", "other/training_log.jsonl")

    yield state(
        "a log is intended only", intended, FOUND, ("check", "--all"), file="other/training_log.jsonl"
    )

    def pseudo(name: str, content: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            staged(scene)
            (scene.root / ".git" / name).write_text(content)

        return make

    for content in (
        "",
        "garbage\n",
        ZEROS + "\n",
        "1" * 40 + "\n",
        "--all\n",
        "\0" * 50,
        "HEAD\n" * 10_000,
        "\x1b[31m\n",
    ):
        yield state(
            f"MERGE_HEAD holds {content[:12]!r} of {len(content)}",
            pseudo("MERGE_HEAD", content),
            NEVER_CLEAN,
            ("check", "--staged"),
        )
    for name in ("CHERRY_PICK_HEAD", "REBASE_HEAD", "BISECT_LOG", "AUTO_MERGE", "shallow"):
        yield state(f"{name} holds garbage", pseudo(name, "garbage\n"), NEVER_CLEAN, ("check", "--staged"))

    def many(scene: Scene) -> None:
        oid = scene.repo.git("rev-parse", f"HEAD:{LOG}")
        rows = "".join(f"100644 {oid} 0\tx/{number:05d}.txt\n" for number in range(20_000)).encode()
        subprocess.run(
            ["git", "update-index", "--index-info"],
            cwd=scene.root,
            env=scene.repo.env,
            input=rows,
            check=True,
        )
        staged(scene)

    yield state("twenty thousand files are staged", many, ANY, ("check", "--staged"))


def _clones() -> Iterator[Case]:
    def pointer(scene: Scene) -> None:
        scene.repo.write(
            LOG, "version https://git-lfs.github.com/spec/v1\noid sha256:" + "1" * 64 + "\nsize 12345\n"
        )
        scene.repo.git("add", "-A")

    def pointer_long(scene: Scene) -> None:
        scene.repo.write(LOG, "version https://git-lfs.github.com/spec/v1\n" + "x" * 10_000 + "\n")
        scene.repo.git("add", "-A")

    yield state("an LFS pointer", pointer, FOUND, ("check", "--staged"), rule="not-a-log", file=LOG)
    yield state("an LFS pointer of much else", pointer_long, FOUND, rule="not-a-log", file=LOG)

    def submodule(scene: Scene) -> None:
        inner = Repo.init(scene.root / "sub", env=scene.repo.env)
        inner.write("training_log.jsonl", lines(WRONG))
        inner.commit("inner")
        scene.repo.write(
            ".gitmodules",
            '[submodule "x"]\n\tpath = sub\n\turl = ext::sh -c touch% marker\n\tupdate = !touch marker\n',
        )
        scene.repo.git("add", "-A", check=False)

    yield state("a submodule with a log in it", submodule, ANY)
    yield state("a submodule with a log in it, every line", submodule, ANY, ("check", "--all"))
    yield state(
        "a submodule, its log named", submodule, NEVER_CLEAN, ("check", "--all", "sub/training_log.jsonl")
    )

    def again(
        *options: str, after: Callable[[Scene], object] = lambda scene: None
    ) -> Callable[[Scene], None]:
        """Return what makes the root a clone of itself."""

        def make(scene: Scene) -> None:
            scene.repo.append(LOG, NEW)
            scene.repo.commit("second")
            scene.repo.git("config", "uploadpack.allowFilter", "true")
            source = scene.outside / "source"
            scene.root.rename(source)
            Repo.clone(Repo(source, scene.repo.env), scene.root, *options)
            after(scene)

        return make

    def appended(scene: Scene) -> None:
        scene.repo.append(LOG, edited(WRONG, run_id="planning_third_20251103"))

    yield state("a shallow clone", again("--depth=1", after=appended), FOUND)
    yield state(
        "a shallow clone, an older base",
        again("--depth=1"),
        REFUSED,
        ("check", "--base", "HEAD~1"),
        file="HEAD~1",
    )
    yield state(
        "a partial clone, an older base",
        again("--filter=blob:none"),
        REFUSED,
        ("check", "--base", "HEAD~1"),
        file=LOG,
    )
    yield state(
        "a treeless clone, an older base", again("--filter=tree:0"), REFUSED, ("check", "--base", "HEAD~1")
    )
    yield state(
        "a partial clone whose source is gone",
        again("--filter=blob:none", after=lambda scene: shutil.rmtree(scene.outside / "source")),
        REFUSED,
        ("check", "--base", "HEAD~1"),
    )
    yield state(
        "a clone without a checkout", again("--no-checkout"), FOUND, rule="history-rewritten", file=LOG
    )
    yield state("a sparse clone without the log", again("--sparse"), ANY)

    def sparse(scene: Scene) -> None:
        scene.repo.write("other/x.txt", "x")
        scene.repo.commit("x")
        scene.repo.git("sparse-checkout", "set", "other")
        assert not (scene.root / LOG).exists()

    def sparse_index(scene: Scene) -> None:
        sparse(scene)
        scene.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "other")

    yield state("a sparse checkout without the log", sparse, CLEAN, ("check", "--all"), says='"lines": 2')
    # Git keeps the folders that it expands to read such an index.
    yield state(
        "a sparse index without the log",
        sparse_index,
        CLEAN,
        ("check", "--all"),
        says='"lines": 2',
        writes=None,
    )

    def borrowed(scene: Scene) -> None:
        staged(scene)
        objects = scene.root / ".git/objects"
        objects.rename(scene.outside / "objects")
        (objects / "info").mkdir(parents=True)
        (objects / "info/alternates").write_text(f"{scene.outside}/objects\n")

    def alternates(content: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            staged(scene)
            place = scene.root / ".git/objects/info/alternates"
            place.parent.mkdir(exist_ok=True)
            place.write_text(content)

        return make

    yield state("objects borrowed from elsewhere", borrowed, FOUND)
    for name, content in {"nowhere": "/nowhere\n", "itself": "../objects\n", "a system folder": "/etc\n", "garbage": "\xff\0\n", "a command": "::error::x\n", "a quoted newline": '"a\\nb"\n', "thousands": "/nowhere\n" * 5000, "a device": "/dev/zero\n"}.items():  # fmt: skip
        yield state(f"objects borrowed from {name}", alternates(content), FOUND)

    def sha256(scene: Scene) -> None:
        shutil.rmtree(scene.root)
        scene.root.mkdir()
        scene.repo.git("init", "-q", "-b", "main", "--object-format=sha256")
        scene.repo.append(LOG, NEW)
        scene.repo.commit("first")
        scene.repo.append(LOG, edited(WRONG, run_id="planning_third_20251103"))

    def other_owner(scene: Scene) -> None:
        staged(scene)
        if os.getuid() == 0:
            os.chown(scene.root, 12345, 12345)
            os.chown(scene.root / ".git", 12345, 12345)

    yield state("objects named by SHA-256", sha256, FOUND)
    yield state("a repository of another user", other_owner, ANY)


CASES = through("git states", (*_objects(), *_commits(), *_heads(), *_indexes(), *_clones()))
