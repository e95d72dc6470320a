"""Settings of a repository that have git run programs, read files or reach elsewhere: none of them may."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from tests.hostile.case import CLEAN, FOUND, NEVER_CLEAN, REFUSED, Case, Scene, through
from tests.hostile.stage import LOG
from tests.support import Repo, a_run, edited, lines

WRONG = edited(a_run("planning_new_20251102", 5), findings="TODO")
WAYS = (("check", "--staged"), ("check",), ("check", "--base", "HEAD"), ("check", "--all"))

PROGRAMS = (
    "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy", "core.alternateRefsCommand", "core.hooksPath", "credential.helper", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "merge.evil.driver", "gpg.program", "gpg.ssh.program", "gpg.x509.program", "sequence.editor", "web.browser", "man.viewer",
    "pager.cat-file", "pager.rev-parse", "pager.ls-files", "pager.ls-tree", "pager.rev-list", "pager.merge-base", "pager.config", "alias.cat-file", "alias.rev-parse", "alias.ls-files", "alias.ls-tree", "alias.merge-base", "uploadpack.packObjectsHook", "trailer.x.command", "interactive.diffFilter", "difftool.evil.cmd", "mergetool.evil.cmd", "sendemail.smtpServer", "instaweb.httpd", "receive.procReceiveRefs", "remote.origin.uploadpack", "remote.origin.vcs", "core.worktreeConfig",
)  # fmt: skip


def setting(
    name: str,
    make: Callable[[Scene], object],
    codes: tuple[int, ...] = FOUND,
    args: tuple[str, ...] = ("check",),
    **members: Any,
) -> Case:
    """Return a case: a setting, and a line with a finding that is staged, so that exit 0 would mean it was missed."""

    def laid(scene: Scene) -> None:
        scene.repo.append(LOG, WRONG)
        scene.repo.git("add", "-A")
        make(scene)

    return Case(
        **{
            "name": name,
            "args": args,
            "git": True,
            "make": laid,
            "codes": codes,
            "rule": "missing-findings" if codes == FOUND else "",
            **members,
        }
    )


def write(scene: Scene, text: str) -> None:
    """Append to the repository's configuration as a file: git would refuse, or obey, some of it."""
    with open(scene.root / ".git/config", "a", encoding="utf-8") as file:
        file.write(text)


def _value(scene: Scene, key: str, value: str) -> None:
    scene.repo.git("config", key, value)
    (scene.root / ".git/info").mkdir(exist_ok=True)
    (scene.root / ".git/info/attributes").write_text(
        "* filter=evil diff=evil merge=evil working-tree-encoding=UTF-16 ident\n"
    )


def _programs() -> Iterator[Case]:
    for number, key in enumerate(PROGRAMS):

        def make(scene: Scene, key: str = key) -> None:
            _value(scene, key, str(scene.script()))

        def shell(scene: Scene, key: str = key) -> None:
            _value(scene, key, f"!touch {scene.marker}; cat")

        yield setting(f"program in {key}", make, args=WAYS[number % 4])
        if number % 3 == 0:
            yield setting(f"shell in {key}", shell, args=WAYS[(number + 1) % 4])

    def every(scene: Scene) -> None:
        for key in PROGRAMS:
            if key != "core.hooksPath":
                _value(scene, key, str(scene.script()))
        _value(scene, "core.hooksPath", str(scene.outside))
        for name in (
            "post-index-change",
            "reference-transaction",
            "fsmonitor-watchman",
            "query-watchman",
            "post-checkout",
            "pre-commit",
            "proc-receive",
        ):
            scene.script(name)

    for args in (
        *WAYS,
        ("explain", "planning_one_20251101"),
        ("rules", "impact", "--base", "HEAD"),
        ("new", "domain_exploration", "--domain", "planning"),
        ("textconv", LOG),
        ("config", "show"),
    ):
        codes = FOUND if args[0] == "check" else CLEAN
        yield setting(f"every program at once: {' '.join(args)[:30]}", every, codes, args)

    def hooks(scene: Scene) -> None:
        for name in (
            "post-index-change",
            "reference-transaction",
            "fsmonitor-watchman",
            "query-watchman",
            "post-checkout",
            "pre-commit",
            "pre-auto-gc",
            "post-rewrite",
        ):
            folder = scene.root / ".git/hooks"
            folder.mkdir(exist_ok=True)
            (folder / name).write_text(scene.script().read_text())
            (folder / name).chmod(0o755)

    def bare_hooks(scene: Scene) -> None:
        """Lay a bare repository with a monitor of its own where the gate may be run."""
        write(scene, f"[core]\n\tfsmonitor = {scene.script()}\n\tuntrackedCache = true\n")

    for args in WAYS:
        yield setting(f"hooks: {' '.join(args)}", hooks, args=args)
        yield setting(f"monitor and untracked cache: {' '.join(args)}", bare_hooks, args=args)

    def attributes(scene: Scene) -> None:
        _value(scene, "filter.evil.clean", str(scene.script()))
        scene.repo.git("config", "filter.evil.required", "true")
        scene.repo.write(
            ".gitattributes",
            "*.jsonl filter=evil text eol=crlf working-tree-encoding=UTF-16LE-BOM diff=evil merge=binary ident export-subst -delta\n",
        )
        with open(scene.root / LOG, "ab") as file:
            file.write(b"\r\n")  # has the gate ask git how it stores the file

    for args in WAYS:
        yield setting(f"attributes of every sort: {' '.join(args)}", attributes, NEVER_CLEAN, args)


def _leading_elsewhere() -> Iterator[Case]:
    def config(text: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            evil = scene.outside / "evil.config"
            evil.write_text(
                f"[core]\n\tfsmonitor = {scene.script()}\n\tpager = {scene.script()}\n[alias]\n\tcat-file = !{scene.script()}\n"
            )
            write(scene, text.replace("{outside}", str(scene.outside)).replace("{evil}", str(scene.script())))

        return make

    odd = NEVER_CLEAN
    for name, text, codes in (
        ("an include", "[include]\n\tpath = {outside}/evil.config\n", FOUND), ("an include where it is", '[includeIf "gitdir:**"]\n\tpath = {outside}/evil.config\n', FOUND), ("an include on a branch", '[includeIf "onbranch:main"]\n\tpath = {outside}/evil.config\n', FOUND), ("an include by a remote", '[includeIf "hasconfig:remote.*.url:**"]\n\tpath = {outside}/evil.config\n', FOUND),
        ("an include of itself", "[include]\n\tpath = config\n", REFUSED), ("an include of nothing", "[include]\n\tpath = {outside}/nowhere\n", FOUND), ("an include of a system file", "[include]\n\tpath = /etc/passwd\n", odd), ("an include of a folder", "[include]\n\tpath = /\n", odd), ("an include of the environment", "[include]\n\tpath = /proc/self/environ\n", odd), ("a broken section", "[core\n", REFUSED), ("a broken value", '[core]\n\tx = "\n', odd), ("binary", "\x00\x01\x02\n", odd), ("a megabyte", "[x]\n\ty = " + "z" * 1_000_000 + "\n", FOUND), ("fifty thousand settings", "[x]\n" + "\ty = z\n" * 50_000, FOUND),
        ("a later format", "[core]\n\trepositoryformatversion = 99\n", REFUSED), ("an unknown extension", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tevil = true\n", REFUSED), ("another hash", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n", odd), ("another store of refs", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n", odd), ("a work tree elsewhere", "[core]\n\tworktree = {outside}\n", odd), ("a work tree of the system", "[core]\n\tworktree = /etc\n", odd), ("a work tree nowhere", "[core]\n\tworktree = /nowhere/x\n", odd),
        ("no file modes", "[core]\n\tfileMode = false\n\tsymlinks = false\n\tignoreCase = true\n\tprecomposeUnicode = true\n", FOUND), ("every line ending", "[core]\n\tautocrlf = true\n\teol = crlf\n\tsafecrlf = true\n", FOUND), ("a wish for a boolean", "[core]\n\tautocrlf = maybe\n\tbare = perhaps\n", odd), ("odd quoting", "[core]\n\tquotePath = true\n[color]\n\tui = always\n[column]\n\tui = always\n", FOUND), ("no checks of objects", "[fsck]\n\tskipList = /dev/zero\n[core]\n\tcompression = 99\n", odd), ("tiny memory", "[core]\n\tpackedGitLimit = 1\n\tbigFileThreshold = 1\n\tpackedGitWindowSize = 1\n\tdeltaBaseCacheLimit = 1\n", odd), ("replaced objects wanted", "[core]\n\tuseReplaceRefs = true\n", FOUND),
        ("another commit graph", "[core]\n\tcommitGraph = true\n\tmultiPackIndex = true\n\tsplitIndex = true\n[index]\n\tsparse = true\n\tthreads = 99999\n", FOUND), ("log of signatures", "[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {evil}\n", FOUND), ("safe folders", "[safe]\n\tdirectory = *\n\tbareRepository = explicit\n", FOUND), ("traces", "[trace2]\n\teventTarget = {outside}/trace\n\tnormalTarget = {outside}/trace\n", FOUND), ("advice", "[advice]\n\tgraftFileDeprecated = false\n", FOUND), ("ambiguous words", "[core]\n\twarnAmbiguousRefs = true\n\tabbrev = 4\n", FOUND), ("aliases of all", "".join(f"[alias]\n\t{word} = !{{evil}}\n" for word in ("cat-file", "rev-parse", "ls-files", "ls-tree", "rev-list", "merge-base", "config", "log")), FOUND),
        ("addresses turned", '[url "ext::sh -c {evil}% "]\n\tinsteadOf = https://\n[protocol "ext"]\n\tallow = always\n', FOUND),
    ):  # fmt: skip
        yield setting(f"configuration: {name}", config(text), codes)

    def pipe(name: str) -> Callable[[Scene], None]:
        def make(scene: Scene) -> None:
            place = scene.root / name
            place.parent.mkdir(exist_ok=True)
            place.unlink(missing_ok=True)
            os.mkfifo(place)

        return make

    def excludes(scene: Scene) -> None:
        os.mkfifo(scene.outside / "pipe")
        scene.repo.git("config", "core.excludesFile", str(scene.outside / "pipe"))
        scene.repo.git("config", "core.attributesFile", str(scene.outside / "pipe"))

    # Such things come with a folder, not with a clone: that they end at all is what counts.
    for name in (
        ".gitignore",
        ".gitattributes",
        ".git/info/exclude",
        ".git/info/attributes",
        ".git/info/sparse-checkout",
        ".git/MERGE_HEAD",
        ".git/config.worktree",
    ):
        yield setting(f"a pipe for {name}", pipe(name), FOUND, process=True)
    yield setting("a pipe for what is ignored", excludes, FOUND, process=True)


def _remotes() -> Iterator[Case]:
    def promised(url: str, **settings: str) -> Callable[[Scene], None]:
        """Lose an object that a promisor remote is to give back, by a program."""

        def make(scene: Scene) -> None:
            script = str(scene.script())
            repo: Repo = scene.repo
            repo.git("config", "core.repositoryFormatVersion", "1")
            repo.git("config", "extensions.partialClone", "origin")
            for key, value in {
                "url": url,
                "promisor": "true",
                "partialclonefilter": "blob:none",
                "fetch": "+refs/heads/*:refs/remotes/origin/*",
                **settings,
            }.items():
                repo.git(
                    "config",
                    f"remote.origin.{key}",
                    value.replace("{evil}", script).replace("{outside}", str(scene.outside)),
                )
            for scheme in ("ext", "file", "ssh", "http"):
                repo.git("config", f"protocol.{scheme}.allow", "always")
            repo.git("config", "core.sshCommand", script)
            repo.git("config", "credential.helper", script)
            oid = repo.git("rev-parse", f"HEAD:{LOG}")
            place = scene.root / ".git/objects" / oid[:2] / oid[2:]
            place.chmod(0o644)
            place.unlink()

        return make

    for name, url, more in (
        ("a program", "ext::sh -c '{evil}'", {}), ("a program with a path", "ext::{evil} %S", {}), ("ssh", "ssh://host/x", {}), ("ssh with an option", "ssh://-oProxyCommand={evil}/x", {}), ("a web address", "http://127.0.0.1:9/x.git", {}), ("a folder with a program", "{outside}", {"uploadpack": "{evil}"}), ("a helper", "evil::x", {"vcs": "evil"}), ("git", "git://127.0.0.1:9/x", {}), ("a file address", "file://{outside}", {"uploadpack": "{evil}"}), ("itself", ".", {}), ("an option", "--upload-pack={evil}", {}),
    ):  # fmt: skip
        yield setting(f"promised by {name}", promised(url, **more), REFUSED, ("check", "--staged"), file=LOG)


def _inside() -> Iterator[Case]:
    def nested(scene: Scene) -> None:
        """Lay a bare repository in a folder of the log, as a clone can bring it."""
        inner = scene.root / "experiments" / "inner"
        scene.repo.git("init", "-q", "--bare", str(inner))
        with open(inner / "config", "a", encoding="utf-8") as file:
            file.write(f"[core]\n\tworktree = ..\n\tbare = false\n\tfsmonitor = {scene.script()}\n")
        (inner / "training_log.jsonl").write_bytes(lines(WRONG))

    yield setting("a bare repository inside", nested, NEVER_CLEAN)
    yield setting("a bare repository inside, every line", nested, NEVER_CLEAN, ("check", "--all"))
    yield setting("a bare repository inside, named", nested, REFUSED, ("check", "experiments/inner"))
    yield setting(
        "a bare repository inside, its log named",
        nested,
        REFUSED,
        ("check", "experiments/inner/training_log.jsonl"),
    )


CASES = through("repository configuration", (*_programs(), *_leading_elsewhere(), *_remotes(), *_inside()))
