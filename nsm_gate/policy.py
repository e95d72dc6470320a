"""Everything that the YAML says, as frozen nouns: what to check, how gravely, and what success is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from nsm_gate.expressions import Node
from nsm_gate.model import Json, Path, Severity
from nsm_gate.nouns import Any, NamedTuple


class Branch(NamedTuple):
    """One arm of a criterion: the test that holds where the condition does.

    Attributes:
        condition: None where it always applies.
        test: The test, over the criterion's run.
        expected: The test as the YAML writes it.
    """

    condition: Node | None
    test: Node
    expected: str


class Criterion(NamedTuple):
    """A success test of an experiment type, a domain or a log kind.

    Attributes:
        name: The word that verdicts and waivers use.
        branches: The first whose condition holds is judged.
        when: Where it is false the criterion does not apply.
        subject: The path that the verdict observes, or None for a free assertion.
        source: Where the number comes from.
        defined_at: `file:line`.
        law: Canonical text of everything that decides the outcome; its hash identifies the criterion.
        rules_from: `head` or `base`: whose rules state it.
    """

    name: str
    branches: tuple[Branch, ...]
    when: Node | None
    subject: tuple[str, ...] | None
    source: str
    defined_at: str
    law: str
    rules_from: str = "head"

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Yield every path that its expressions read; some more than once."""
        nodes = [branch.test for branch in self.branches]
        nodes += [b.condition for b in self.branches if b.condition is not None]
        for node in (*nodes, *(() if self.when is None else (self.when,))):
            yield from node.paths()


class UseDomain(NamedTuple):
    """A place among a type's criteria that takes in those of the run's domain."""

    name: str


class Reference(NamedTuple):
    """Another run that criteria may compare with.

    Attributes:
        log: Name of the log kind that it is picked from.
        where: What a candidate must satisfy; `this` is the judged run.
        same: Paths that must hold the same value in both runs.
        pick: `max` or `min`.
        by: The metric that the pick looks at.
        none: What holds where there is no such run: unknown, pass, warn or fail.
        law: Canonical text of everything that decides the pick.
        pairs: The parts of `where` that say that a candidate's path equals one of the judged run.
        rest: The other parts of `where`.
    """

    name: str
    log: str
    where: Node | None
    same: tuple[tuple[str, ...], ...]
    pick: str
    by: tuple[str, ...]
    defined_at: str
    none: str = "unknown"
    description: str = ""
    law: str = ""
    pairs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    rest: Node | None = None


class Assertion(NamedTuple):
    """A law between fields of one entry; only what is known to be false is reported.

    Attributes:
        when: Where this is not true, the law is not asked for.
        at: The path that the finding points at.
        message: The fact; the values that were read are added to it.
        law: Canonical text of everything that decides.
    """

    name: str
    test: Node
    when: Node | None
    at: Path
    message: str
    hint: str
    defined_at: str = ""
    law: str = ""


class LogKind(NamedTuple):
    """A sort of log file. Paths lead from the entry's root.

    Attributes:
        schema_name: As the log kind names it.
        schema_path: Where it lies, as it is shown.
    """

    name: str
    description: str
    files: tuple[str, ...]
    schema_name: str
    schema: Mapping[str, Any]
    run: Path = ()
    key: tuple[Path, ...] = ()
    status: Path | None = None
    domain: Path | None = None
    experiment_type: Path | None = None
    logged: Path | None = None
    start: Path | None = None
    end: Path | None = None
    seconds: Path | None = None
    naive_is_utc: bool = False
    findings: Path | None = None
    error_message: Path | None = None
    corrects: Path | None = None
    reason: Path | None = None
    hyperparameters: Path | None = None
    required_hyperparameters: tuple[str, ...] = ()
    architecture: Path | None = None
    results: Path | None = None
    configuration: tuple[Path, ...] = ()
    class_accuracies: tuple[Path, ...] = ()
    task_loss: Path | None = None
    run_id: Path | None = None
    history: tuple[str, ...] | None = None
    names: Mapping[str, tuple[Path, ...]] = {}
    rates: Mapping[str, Path] = {}
    references: Mapping[str, Reference] = {}
    assertions: tuple[Assertion, ...] = ()
    criteria: tuple[Criterion | UseDomain, ...] = ()
    severity: Mapping[str, Severity] = {}
    defined_at: str = ""
    schema_path: str = ""

    @property
    def times(self) -> tuple[Path, ...]:
        """Return the paths of all time stamps."""
        return tuple(path for path in (self.logged, self.start, self.end) if path)


class ExperimentType(NamedTuple):
    """A sort of experiment and what success means for it.

    Attributes:
        requires: Run-relative paths; the word `domain_metrics` asks for those of the run's domain.
    """

    name: str
    description: str
    requires: tuple[str, ...]
    criteria: tuple[Criterion | UseDomain, ...]
    references: Mapping[str, Reference]
    defined_at: str

    @property
    def asks_domain_metrics(self) -> bool:
        """Return whether a completed run must have its domain's metrics."""
        return "domain_metrics" in self.requires


class Domain(NamedTuple):
    """A data set family: its metrics and their targets."""

    name: str
    description: str
    metrics: tuple[str, ...]
    criteria: tuple[Criterion | UseDomain, ...]
    defined_at: str


class Example(NamedTuple):
    """An entry of a rules file with the verdicts that it is to get.

    Attributes:
        owner: The kind of the file (`log`, `experiment_type` or `domain`) and its name.
        log: The log kind that the entry is of.
        before: What was logged before it, oldest first, by log kind.
        expect: Criterion -> outcome.
        findings: Rules that report on the entry, beside those of verdicts.
        path: The rules file.
        line: Its line there.
    """

    name: str
    owner: tuple[str, str]
    log: str
    entry: Mapping[str, Json]
    before: Mapping[str, tuple[Mapping[str, Json], ...]]
    expect: Mapping[str, str]
    findings: tuple[str, ...]
    path: str
    line: int


class Waiver(NamedTuple):
    """A finding accepted by a named owner, for a reason, until a date."""

    rule: str
    run: str | None
    path: str | None
    line: int | None
    owner: str
    reason: str
    expires: date
    defined_at: str

    @property
    def about(self) -> str:
        """Return what it is about, in words."""
        if self.run is None:
            return f"{self.path} line {self.line}"
        return f"run {self.run}" + (f" of {self.path}" if self.path else "")


class SeverityRule(NamedTuple):
    """A severity that the configuration sets: for all, a log kind, or a type of a log kind."""

    rule: str
    severity: Severity
    log: str | None = None
    experiment_type: str | None = None
    defined_at: str = ""


class Limits(NamedTuple):
    """Sizes beyond which nothing is read, in bytes, and how long a judgement may stand still, in seconds."""

    line: int = 1 << 20
    file: int = 256 << 20
    seconds: float = 60.0


class Policy(NamedTuple):
    """All rules of one judgement.

    Attributes:
        source: Where it comes from, in words (`the nsm pack`, `nsm-gate.yaml`).
        examples: Those of every rules file, where they were asked for.
        folders: Those of the repository's rules, from its root.
        places: Setting of the configuration -> `file:line` where it is set.
        pinned: How the pack's hash begins, as the configuration agrees to it; empty where it does not.
        fingerprint: SHA-256 of the packs that it builds on, where it is pinned or examples were asked for.
        enforced: Rules that no command line may leave out.
        pack: The package whose pack enforces them, or an empty string.
    """

    logs: Mapping[str, LogKind]
    experiment_types: Mapping[str, ExperimentType]
    domains: Mapping[str, Domain]
    exclude: tuple[str, ...] = ()
    severities: tuple[SeverityRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    limits: Limits = Limits()
    source: str = "the nsm pack"
    examples: tuple[Example, ...] = ()
    folders: tuple[str, ...] = ()
    places: Mapping[str, str] = {}
    pinned: str = ""
    fingerprint: str = ""
    enforced: frozenset[str] = frozenset()
    pack: str = ""

    def severity(
        self,
        rule: str,
        log: str,
        experiment_type: str | None,
        default: Severity,
        wish: Severity | None = None,
    ) -> Severity:
        """Return a rule's severity.

        The configuration's most specific word wins, then the log kind's, then the check's wish for
        the case at hand, then the default.
        """
        best: tuple[int, Severity] | None = None
        for entry in self.severities:
            if entry.rule != rule or (entry.log and entry.log != log):
                continue
            if entry.experiment_type and entry.experiment_type != experiment_type:
                continue
            rank = bool(entry.log) + bool(entry.experiment_type)
            if best is None or rank >= best[0]:
                best = (rank, entry.severity)
        if best is not None:
            return best[1]
        kind = self.logs.get(log)
        usual = default if wish is None else wish
        return kind.severity.get(rule, usual) if kind else usual
