"""Refs: what is named as a base, on the command line and by the variables of runners and CI systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.hostile.case import FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG
from tests.support import a_run, edited

NEW = a_run("planning_new_20251102", 5)
WRONG = edited(NEW, findings="TODO")
"""What is appended: a line with a finding, so that exit 0 would mean that it was not judged."""

NAMES = (
    "--output={outside}/written", "--all", "-h", "--help", "-1", "--", "-", "--upload-pack={outside}/evil", "--exec={outside}/evil", "-c core.fsmonitor={outside}/evil", "@{-1}", "@{u}", "@{upstream}", "@{push}", "@{99999999999}", "HEAD@{999}", "HEAD@{yesterday}", "HEAD@{now", "HEAD~99999999", "HEAD~99999999999999999999", "HEAD^99", "HEAD^{tree}", "HEAD^{blob}", "HEAD^{nonsense}",
    "HEAD:", f"HEAD:{LOG}", "HEAD:../../etc/passwd", ":", ":0:x", f":{LOG}", ":1:" + LOG, ":/log", ":/(a+)+$", ":/\\(.*\\)\\1\\1\\1\\1", "HEAD^{/log", "HEAD^{/nothing like it}", "HEAD^!", "HEAD^@", "^HEAD", "HEAD..HEAD", "HEAD...HEAD", "..", "...", "HEAD HEAD", "HEAD\tHEAD", "HEAD\nHEAD", "HEAD\rx", "\n", " ", "\u2028", "\u202eDAEH", "HEAD\u200b", "ＨＥＡＤ", "head", "HEAD/", "/HEAD",
    "./HEAD", "refs/heads/../../HEAD", "refs/heads/main.lock", "refs/heads/", "refs", "0" * 40, "0" * 64, "1" * 40, "deadbeef" * 5, "g" * 40, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "4b825dc642cb6eb9a060e54bf8d69288fbee4904", "a" * 3, "a" * 5000, "a" * 300_000, "é" * 3000, "::error::forged", "##[error]forged", "##vso[task.complete]x", "\x1b[31mHEAD", "$(touch marker)", "`touch marker`", "; touch marker", "| touch marker", "%s%n", "{0}", "https://example.org/x.git", "file:///etc/passwd", "ext::sh -c touch% marker",
    "origin", "origin/main", "stash", "FETCH_HEAD", "MERGE_HEAD", "ORIG_HEAD", "AUTO_MERGE", "config", "index", "../root/.git/HEAD", "~", "*", "main*", "refs/heads/*", "?", "[a-z]", "@", "@@", "@{", "@{}", "}", "^", "^{", "^{}", "~~", "HEAD^{commit}^{commit}^{commit}", "HEAD^{object}", "HEAD^{tag}",
)  # fmt: skip
GOOD = ("@", "HEAD^{commit}^{commit}^{commit}", "HEAD^{object}")
"""Names of the one commit there is."""


def _start(scene: Scene) -> None:
    scene.script()
    scene.repo.append(LOG, WRONG)


def _options() -> Iterator[Case]:
    for name in NAMES:
        codes = FOUND if name in GOOD else NEVER_CLEAN
        yield Case(
            name=f"--base={name[:40]!r} of {len(name)}",
            args=("check", f"--base={name}"),
            git=True,
            make=_start,
            codes=codes,
        )
    for name in (name for name in NAMES[::5] if len(name) < 128 << 10):  # more no variable of a process holds
        for variables in (("NSM_GATE_BASE",), ("PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF")):
            env = dict.fromkeys((*variables, "PRE_COMMIT")[: len(variables) * 2 - 1], name) | (
                {"PRE_COMMIT": "1"} if len(variables) > 1 else {}
            )
            # A range from the commit to itself appends nothing.
            codes = (0, 1, 2) if name in GOOD else NEVER_CLEAN
            yield Case(
                name=f"{variables[0]}={name[:40]!r}",
                args=("check",),
                env=env,
                git=True,
                make=_start,
                codes=codes,
            )
    for value in ("", "HEAD"):
        yield Case(
            name=f"as two words {value!r}",
            args=("check", "--base", value),
            git=True,
            make=_start,
            codes=FOUND if value else REFUSED,
        )

    def wordy(scene: Scene) -> None:
        _start(scene)
        scene.repo.git("commit", "-q", "--allow-empty", "-m", "a" * 20_000)

    for pattern in (r"\(a*\)*\1\1b", r"\(.*\)\1\1\1\1\1x", "a*" * 60 + "b"):
        for name in (f":/{pattern}", f"HEAD^{{/{pattern}}}"):
            yield Case(
                name=f"search for {name[:40]!r}",
                args=("check", f"--base={name}"),
                git=True,
                make=wordy,
                codes=NEVER_CLEAN,
                process=True,
            )


def _named(name: str, target: str = "HEAD") -> Any:
    """Return what makes a ref of a hostile name, past the checks of git's own commands."""

    def make(scene: Scene) -> None:
        _start(scene)
        place = scene.root / ".git" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(scene.repo.git("rev-parse", target) + "\n")

    return make


def _real() -> Iterator[Case]:
    for name in (
        "refs/heads/-x",
        "refs/heads/--output=x",
        "refs/heads/a..b",
        "refs/heads/x y",
        "refs/heads/::error::x",
        "refs/heads/\x1b[31m",
        "refs/heads/\u202e",
        "refs/heads/" + "a" * 200,
        "refs/heads/" + "/".join(["a"] * 500),
        "refs/remotes/origin/-h",
        "refs/tags/HEAD",
        "refs/heads/HEAD",
        "HEAD2",
        "refs/heads/x.lock",
        "refs/heads/@{u}",
    ):
        last = name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
        yield Case(
            name=f"ref called {last[:30]!r}",
            args=("check", f"--base={last}"),
            git=True,
            make=_named(name),
            codes=NEVER_CLEAN,
        )

    def text(content: str, name: str = "refs/heads/odd") -> Any:
        def make(scene: Scene) -> None:
            _start(scene)
            (scene.root / ".git" / name).write_text(content)

        return make

    for name, content in {
        "empty": "", "not hex": "x" * 40, "short": "abc\n", "of nobody": "1" * 40 + "\n", "symbolic to itself": "ref: refs/heads/odd\n", "symbolic to HEAD": "ref: HEAD\n", "symbolic up": "ref: ../../../etc/passwd\n", "symbolic to a file": "ref: config\n", "symbolic to nothing": "ref: \n", "NULs": "\0" * 41, "megabyte": "1" * 1_000_000, "two lines": "1" * 40 + "\n" + "2" * 40 + "\n",
    }.items():  # fmt: skip
        codes = FOUND if name == "symbolic to HEAD" else NEVER_CLEAN
        yield Case(
            name=f"ref that is {name}",
            args=("check", "--base=odd"),
            git=True,
            make=text(content),
            codes=codes,
        )
    for name, content in {"blob": f"HEAD:{LOG}", "tree": "HEAD^{tree}"}.items():
        yield Case(
            name=f"ref to a {name}",
            args=("check", "--base=odd"),
            git=True,
            make=_named("refs/heads/odd", content),
            codes=REFUSED,
            file="odd",
        )

    def loop(scene: Scene) -> None:
        _start(scene)
        for one, other in (("a", "b"), ("b", "a")):
            (scene.root / f".git/refs/heads/{one}").write_text(f"ref: refs/heads/{other}\n")

    def default(scene: Scene) -> None:
        """Point the remote's default branch at something that is no commit."""
        _start(scene)
        folder = scene.root / ".git/refs/remotes/origin"
        folder.mkdir(parents=True)
        (folder / "HEAD").write_text("ref: ../../../../config\n")

    def tags(scene: Scene) -> None:
        """Wrap the commit into thirty tags."""
        _start(scene)
        scene.repo.git("tag", "-a", "-m", "t", "t0", "HEAD")
        for number in range(1, 30):
            scene.repo.git("tag", "-a", "-m", "t", f"t{number}", f"t{number - 1}")

    def packed(scene: Scene) -> None:
        _start(scene)
        oid = scene.repo.git("rev-parse", "HEAD")
        rows = "".join(f"{oid} refs/heads/b{number:06d}\n" for number in range(50_000))
        (scene.root / ".git/packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{rows}")

    def broken_pack(scene: Scene) -> None:
        _start(scene)
        (scene.root / ".git/packed-refs").write_bytes(b"\xff\0garbage\n" * 100)

    def upstream(value: str) -> Any:
        def make(scene: Scene) -> None:
            _start(scene)
            scene.repo.git("config", "branch.main.remote", value)
            scene.repo.git("config", "branch.main.merge", value)

        return make

    yield Case(
        name="refs in a circle", args=("check", "--base=a"), git=True, make=loop, codes=REFUSED, file="'a'"
    )
    yield Case(
        name="a default branch that leads out", args=("check",), git=True, make=default, codes=NEVER_CLEAN
    )
    yield Case(
        name="thirty tags around the commit",
        args=("check", "--base=t29"),
        git=True,
        make=tags,
        codes=FOUND,
        file=LOG,
    )
    yield Case(
        name="fifty thousand packed refs",
        args=("check", "--base=b049999"),
        git=True,
        make=packed,
        codes=FOUND,
        file=LOG,
    )
    yield Case(
        name="packed refs of garbage", args=("check", "--base=b"), git=True, make=broken_pack, codes=REFUSED
    )
    for value in ("", ".", "--upload-pack=x", "ext::sh -c x", "refs/heads/nowhere", "../../x"):
        yield Case(
            name=f"upstream of {value!r}", args=("check",), git=True, make=upstream(value), codes=NEVER_CLEAN
        )


CASES = through("refs", (*_options(), *_real()))
