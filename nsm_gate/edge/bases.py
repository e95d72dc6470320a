"""Which base and which head: the first row of the table that applies.

`--staged` (the hook) while something is staged; `--base`; NSM_GATE_BASE; the range that a hook runner
names; what a CI system says; then what git itself shows. A base that cannot be resolved is an error with
the fetch command that helps, never a silent pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from nsm_gate.edge import ci
from nsm_gate.edge.files import CommitTree, IndexTree, WorkTree
from nsm_gate.edge.git import Git
from nsm_gate.edge.trees import Tree
from nsm_gate.errors import GateError
from nsm_gate.nouns import NamedTuple

_DEFAULTS = ("refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")
_LOCAL = ("refs/heads/main", "refs/heads/master")


class Comparison(NamedTuple):
    """Head and bases of a judgement.

    Attributes:
        head: What the logs are now.
        bases: Commits whose lines are old; several for a merge, none where every line is judged.
        published: Commits whose lines must all still be there.
        base: The base in words (`merge base of origin/main: 1a2b3c4`).
        why: Why this base was taken.
        merge: Whether the change joins branches.
    """

    head: Tree
    bases: tuple[str, ...]
    published: tuple[str, ...]
    base: str
    why: str
    merge: bool = False


def resolve(
    git: Git | None,
    work: WorkTree,
    environ: Mapping[str, str],
    *,
    every_line: bool = False,
    staged: bool = False,
    base: str | None = None,
) -> Comparison:
    """Return what to compare with what.

    Args:
        git: The repository, or None outside of one.
        work: The files on disk.
        environ: The environment's variables.
        every_line: `--all`.
        staged: `--staged`.
        base: `--base`.

    Raises:
        GateError: The base cannot be resolved.
    """
    if every_line:
        return Comparison(work, (), (), "none", "--all judges every line")
    if git is None:
        if base is not None or staged:
            option = "--staged" if base is None else "--base"
            raise GateError(
                f"{option} needs a git repository, and there is none here", "judge every line with --all"
            )
        return Comparison(work, (), (), "none", "outside git every line is judged")
    return _Resolver(git, work, environ).resolve(staged, base)


def shared(git: Git, head: Tree) -> tuple[str, ...]:
    """Return the commits that hold what others have of HEAD's history.

    Where no remote and no default branch says what that is, everything that is committed counts; of a
    commit that is judged by itself, its base alone tells.

    Args:
        git: The repository.
        head: What is judged.
    """
    commit = git.commit("HEAD")
    if commit is None:
        return ()
    resolver = _Resolver(git, WorkTree(git.root, git), {})
    if isinstance(head, CommitTree) and resolver.upstream("")[1] is None:
        return ()
    return resolver.published(commit)


class _Resolver:
    def __init__(self, git: Git, work: WorkTree, environ: Mapping[str, str]) -> None:
        self.git = git
        self.work = work
        self.environ = environ
        self.head = git.commit("HEAD")
        if self.head is None and not git.is_unborn():
            hint = "git fsck says what is wrong; fetch it again, or judge every line with --all"
            raise GateError("git cannot read the commit that HEAD names", hint)

    def resolve(self, staged: bool, base: str | None) -> Comparison:
        hook = ci.hook_range(self.environ)
        # A push is checked by its range, even while something else happens to be staged.
        if staged and hook is None and self.something_staged():
            return self.staged("--staged")
        if base is not None:
            return self.named(base, f"--base {base}")
        override = self.environ.get("NSM_GATE_BASE", "")
        if override:
            return self.named(override, "NSM_GATE_BASE overrides the base")
        if hook is not None:
            return self.range(hook)
        said = ci.said(self.environ)
        if said is not None and self.head is not None:
            return self.continuous(said)
        if self.something_staged():
            return self.staged("something is staged")
        return self.local()

    # --- rows of the table ----------------------------------------------------------------------

    def staged(self, why: str) -> Comparison:
        head = IndexTree(self.git, self.work.limit)
        if self.head is None:
            return Comparison(head, (), (), "none", f"{why}, and nothing is committed yet")
        parents = (self.head, *self.git.merge_heads())
        label = f"HEAD: {_short(self.head)}"
        if len(parents) > 1:
            label = f"the parents of the merge: {', '.join(_short(p) for p in parents)}"
            why += ", and a merge is under way"
        published = tuple(dict.fromkeys(oid for parent in parents for oid in self.published(parent)))
        return Comparison(head, parents, published, label, why, merge=len(parents) > 1)

    def named(self, name: str, why: str) -> Comparison:
        wanted = self.commit(name, why)
        head = self.require_head()
        found = self.common(wanted, head, name)
        return self.against(found, f"merge base of {name}: {_short(found)}", why, self.work)

    def range(self, hook: ci.Said) -> Comparison:
        if hook.kind == "hook-push":
            last = self.commit(hook.head, hook.source)
            why = "the push sends the whole history"
            return Comparison(CommitTree(self.git, last, self.work.limit), (), (), "none", why)
        first = self.commit(hook.base, hook.source)
        last = self.commit(hook.head, "PRE_COMMIT_TO_REF")
        found = self.common(first, last, hook.base)
        tree = CommitTree(self.git, last, self.work.limit)
        label = f"merge base of {_name(hook.base)}: {_short(found)}"
        made = self.against(found, label, f"{hook.source} names the range", tree, head=last)
        # A branch that merged the default branch is not blamed for the lines that came with it.
        for name in _DEFAULTS:
            default = self.git.commit(name)
            merged = self.git.merge_base(default, last) if default else None
            if merged is not None:
                break
        else:
            return made
        if self.git.merge_base(merged, found) == merged:
            return made
        published = tuple(dict.fromkeys((*made.published, merged)))
        label += f" and of {_name(name)}: {_short(merged)}"
        return made._replace(bases=(found, merged), published=published, base=label)

    def continuous(self, said: ci.Said) -> Comparison:
        head = self.require_head()
        tree = CommitTree(self.git, head, self.work.limit)
        if said.kind == "pull-request":
            return self.pull_request(said, head, tree)
        if said.kind == "push":
            return self.push(said, head, tree)
        found = self.commit(said.base, said.source)
        return self.exact(found, f"{said.source}: {_short(found)}", f"{said.source} names the base", tree)

    def pull_request(self, said: ci.Said, head: str, tree: Tree) -> Comparison:
        why = "pull request"
        parents = self.git.parents(head)
        # The ref names the merge even where a workflow checks out the pull request's head instead.
        if said.ref.endswith("/merge") and len(parents) == 2 and said.tip in ("", parents[1]):
            if self.git.commit(parents[0]) is None:
                fetch = f"git fetch --no-tags --depth=2 origin {head}"
                raise GateError(
                    f"the base {_short(parents[0])} is not in this shallow clone",
                    f"fetch it: {fetch}  (or check out with fetch-depth: 2)",
                )
            label = f"HEAD^1 of the merge ref: {_short(parents[0])}"
            # GitHub's own merge commit joins nothing that the pull request did not.
            merge = self.merges(parents[0], parents[1])
            return Comparison(tree, (parents[0],), (parents[0],), label, why, merge)
        wanted = self.commit(said.base, said.source)
        if wanted == head and said.tip not in ("", head):
            raise GateError(
                "the base of the pull request is checked out, not its head",
                f"check out its head: {_short(said.tip)}",
            )
        found = self.common(wanted, head, said.base)
        return self.exact(found, f"merge base of {said.source}: {_short(found)}", why, tree)

    def push(self, said: ci.Said, head: str, tree: Tree) -> Comparison:
        before = self.git.commit(said.base) if said.base and set(said.base) != {"0"} else None
        if before is not None:
            return self.exact(before, f"{said.source}: {_short(before)}", "GitHub push", tree)
        new = not said.base or set(said.base) == {"0"}
        if not new and self.git.shallow:
            fetch = f"git fetch --no-tags --depth=1 origin {said.base}"
            raise GateError(
                f"the base {_short(said.base)} of the push is not in this shallow clone", f"fetch it: {fetch}"
            )
        reason = "a new branch" if new else f"its before {_short(said.base)} is gone"
        return self.default_base(said.default_branch, f"GitHub push, {reason}", tree, head)

    def local(self) -> Comparison:
        if self.head is None:
            return Comparison(self.work, (), (), "none", "nothing is committed yet")
        return self.default_base("", "nothing is staged", self.work, self.head)

    def default_base(self, default: str, why: str, tree: Tree, head: str) -> Comparison:
        name, upstream = self.upstream(default)
        if default and upstream is not None and name != f"origin/{default}" and self.git.shallow:
            raise self.unfetched(f"origin/{default}", "the default branch")
        if default and upstream is None:
            raise self.unfetched(f"origin/{default}", "the default branch")
        automatic = ci.in_ci(self.environ) or ci.under_hook_runner(self.environ)
        if upstream is not None:
            found = self.common(upstream, head, name)
            if found != head or not automatic:
                return self.against(found, f"merge base of {name}: {_short(found)}", why, tree, head=head)
            why += f", and the merge base of {name} is HEAD"
        elif not automatic:
            return self.against(
                head, f"HEAD: {_short(head)}", f"{why}, and there is no upstream branch", tree
            )
        parents = self.git.parents(head)
        if not parents:
            return Comparison(tree, (), (), "none", f"{why}; HEAD is the first commit")
        if self.git.commit(parents[0]) is None:
            fetch = f"git fetch --no-tags --depth=2 origin {head}"
            raise GateError("the first parent of HEAD is not in this shallow clone", f"fetch it: {fetch}")
        return self.exact(parents[0], f"first parent: {_short(parents[0])}", why, tree)

    # --- parts ----------------------------------------------------------------------------------

    def against(self, base: str, label: str, why: str, tree: Tree, head: str | None = None) -> Comparison:
        """Compare with a base; published is what the upstream has, and the base where that is older."""
        kept = self.published(head or self.require_head())
        if not any(oid == base or self.git.merge_base(oid, base) == oid for oid in kept):
            kept = (*kept, base)
        return Comparison(tree, (base,), kept, label, why, self.merges(base, head))

    def exact(self, base: str, label: str, why: str, tree: Tree) -> Comparison:
        """Compare with a base that others have: everything in it must still be there."""
        return Comparison(tree, (base,), (base,), label, why, self.merges(base, None))

    def merges(self, base: str, head: str | None) -> bool:
        tip = head or self.require_head()
        if tip == base:
            return False
        # The commit itself says that it merges, even where a shallow clone has cut its parents off.
        return len(self.git.parents(tip)) > 1 or self.git.joins_branches(base, tip)

    def published(self, commit: str) -> tuple[str, ...]:
        """Return the parts of a commit's history that others have; the commit itself, if nobody says.

        What the default branch published stays published on a branch that has an upstream of its own.
        """
        _, upstream = self.upstream("")
        remote = next((oid for oid in map(self.git.commit, _DEFAULTS) if oid is not None), None)
        tips = dict.fromkeys(oid for oid in (upstream, remote) if oid is not None)
        found = [self.git.merge_base(tip, commit) for tip in tips]
        return tuple(dict.fromkeys(oid for oid in found if oid is not None)) or (commit,)

    def upstream(self, default: str) -> tuple[str, str | None]:
        own = None if default else self.git.upstream()
        if own is not None:
            return "the upstream", own
        names = [f"refs/remotes/origin/{default}"] if default else []
        for name in (*names, *_DEFAULTS, *_LOCAL):
            found = self.git.commit(name)
            if found is not None:
                return _name(name), found
        return "", None

    def common(self, one: str, head: str, name: str) -> str:
        found = self.git.merge_base(one, head)
        if found is None:
            shown = _name(name)
            if self.git.shallow:
                raise GateError(
                    f"{shown} and HEAD have no common commit in this shallow clone",
                    "fetch the history: git fetch --no-tags --unshallow origin",
                )
            raise GateError(f"{shown} and HEAD have no common commit", "name another base with --base")
        return found

    def commit(self, name: str, source: str) -> str:
        # A CI checkout often has the remote's branch only: main then means origin/main.
        found = self.git.commit(name) or (self.git.commit(f"refs/remotes/origin/{name}") if name else None)
        if found is not None:
            return found
        if not name:
            raise GateError(f"{source} names no base", "name one with --base")
        raise self.unfetched(name, source)

    def unfetched(self, name: str, source: str) -> GateError:
        """Return the error for a revision that this clone lacks, with the command that fetches it."""
        short = name.removeprefix("refs/remotes/").removeprefix("refs/heads/").removeprefix("origin/")
        depth = "--unshallow " if self.git.shallow else ""
        plain = all(c.isalnum() or c in "/._-" for c in short) and not short.startswith("-")
        if short.startswith(("HEAD", "@")) or not plain:
            what = ""
        elif len(short) == 40 and short.isalnum():
            what = f" {short}"
        else:
            what = f" +refs/heads/{short}:refs/remotes/origin/{short}"
        return GateError(
            f"{name!r} ({source}) is no commit of this clone",
            f"fetch it: git fetch --no-tags {depth}origin{what}",
        )

    def require_head(self) -> str:
        if self.head is None:
            raise GateError("nothing is committed yet", "commit first, or judge every line with --all")
        return self.head

    def something_staged(self) -> bool:
        if self.head is None:
            return bool(self.git.index())
        if self.git.merge_heads():
            return True
        return self.git.index() != self.git.tree(self.head)


def _short(oid: str) -> str:
    return oid[:7]


def _name(name: str) -> str:
    for prefix in ("refs/remotes/", "refs/heads/"):
        name = name.removeprefix(prefix)
    if name == "@{upstream}":
        return "the upstream"
    return _short(name) if len(name) == 40 and name.isalnum() else name
