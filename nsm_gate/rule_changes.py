"""What differs between two policies, piece by piece: criteria, severities, waivers, schemas and the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date

from nsm_gate.expressions import Comparison, Literal, Name
from nsm_gate.model import Severity
from nsm_gate.nouns import Final, NamedTuple
from nsm_gate.policy import Assertion, Criterion, LogKind, Policy, Reference, UseDomain
from nsm_gate.values import order

Key = tuple[str, str, str]
"""What a piece is, its name, and what keeps it apart from another of that name: a type and a domain may be
called alike. `("criterion", "accuracy of dual_pass_validation", "type")`."""

_OWN: Final = {"name", "description", "schema", "names", "rates", "references", "assertions", "criteria"}
"""Members of a log kind that are pieces of their own, or decide nothing."""


class Piece(NamedTuple):
    """A part of a policy that can change.

    Attributes:
        law: Canonical text; equal texts decide alike.
        shown: What a person reads of it.
        place: `file:line`.
        criterion: The criterion itself, where it is one.
        until: The last day of a waiver.
    """

    law: str
    shown: str
    place: str
    criterion: Criterion | None = None
    until: date | None = None


class RuleChange(NamedTuple):
    """A piece that was added, removed or changed.

    Attributes:
        what: `criterion`, `severity`, `waiver`, ...
        name: Which one.
        before: The piece in the old policy, or None.
        after: The piece in the new one, or None.
    """

    what: str
    name: str
    before: Piece | None
    after: Piece | None

    @property
    def direction(self) -> str:
        """Return `looser` or `stricter` where that can be told from the rules alone, else nothing."""
        if self.what == "criterion":
            if self.after is None:
                return "looser"
            if self.before is None:
                return "stricter"
            return _moved(self.before.criterion, self.after.criterion)
        if self.what == "severity" and self.before is not None and self.after is not None:
            moved = Severity.of(self.after.law) - Severity.of(self.before.law)
            return "looser" if moved < 0 else "stricter" if moved > 0 else ""
        if self.before is not None and self.after is not None and self.before.until and self.after.until:
            later = self.after.until > self.before.until
            return "looser" if later else "stricter" if self.after.until < self.before.until else ""
        if self.what in ("waiver", "exclude") and (self.before is None) != (self.after is None):
            return "looser" if self.before is None else "stricter"
        if self.what in ("assertion", "requirement") and (self.before is None) != (self.after is None):
            return "looser" if self.after is None else "stricter"
        return ""

    @property
    def sentence(self) -> str:
        """Return the change in words."""
        if self.before is None and self.after is not None:
            said = f"{self.what} {self.name} is new: {self.after.shown}"
        elif self.after is None and self.before is not None:
            said = f"{self.what} {self.name} is gone: it was {self.before.shown}"
        elif self.before is not None and self.after is not None:
            said = f"{self.what} {self.name} changed"
            if self.before.shown != self.after.shown:
                said += f" from {self.before.shown} to {self.after.shown}"
            elif self.what == "criterion":
                said += " in its condition or in what it compares with"
        else:
            said = f"{self.what} {self.name}"
        return f"{said} ({self.direction})" if self.direction else said


def differences(old: Policy, new: Policy, defaults: Mapping[str, Severity]) -> list[RuleChange]:
    """Return what the new policy says otherwise than the old one, in the order of the pieces.

    Args:
        old: The policy before.
        new: The policy after.
        defaults: Rule -> the severity that it has where nobody sets one.
    """
    before, after = pieces(old), pieces(new)
    found = [
        RuleChange(key[0], key[1], before.get(key), after.get(key))
        for key in {**before, **after}
        if key not in before or key not in after or before[key].law != after[key].law
    ]
    return [*found, *_severities(old, new, defaults)]


def _severities(old: Policy, new: Policy, defaults: Mapping[str, Severity]) -> Iterator[RuleChange]:
    """Yield the severities that differ in effect, wherever one of the policies sets them."""
    before, after = _set(old), _set(new)
    for key in {**before, **after}:
        rule, log, kind = key
        words = [policy.severity(rule, log, kind, defaults[rule]).word for policy in (old, new)]
        if words[0] == words[1]:
            continue
        (name, place), *_ = (held[key] for held in (after, before) if key in held)
        sides = [
            Piece(word, word if key in held or word != defaults[rule].word else f"{word} (default)", place)
            for word, held in zip(words, (before, after), strict=True)
        ]
        yield RuleChange("severity", name, *sides)


def _set(policy: Policy) -> dict[tuple[str, str, str | None], tuple[str, str]]:
    """Return (rule, log kind, type) -> name and place of each severity that a policy sets."""
    found: dict[tuple[str, str, str | None], tuple[str, str]] = {}
    for item in policy.severities:
        name = ".".join(part for part in (item.rule, item.log, item.experiment_type) if part)
        found[item.rule, item.log or "", item.experiment_type] = (name, item.defined_at)
    for kind in policy.logs.values():
        for rule in kind.severity:
            found.setdefault((rule, kind.name, None), (f"{rule} of {kind.name}", kind.defined_at))
    return found


def pieces(policy: Policy) -> dict[Key, Piece]:
    """Return every part of a policy that decides something, by name."""
    found: dict[Key, Piece] = {}
    for kind in policy.logs.values():
        found |= _of_log(kind)
        found |= _criteria(kind.criteria, kind.name, "log", kind.defined_at)
        found |= _references(kind.references, kind.name, "log")
    for experiment in policy.experiment_types.values():
        place, name = experiment.defined_at, experiment.name
        found["experiment type", name, ""] = Piece("", "defined", place)
        for need in experiment.requires:
            found["requirement", f"{need} of {name}", ""] = Piece("", "required", place)
        found |= _criteria(experiment.criteria, name, "type", place)
        found |= _references(experiment.references, name, "type")
    for domain in policy.domains.values():
        found["domain", domain.name, ""] = Piece(
            json.dumps(domain.metrics), f"metrics {', '.join(domain.metrics) or 'none'}", domain.defined_at
        )
        found |= _criteria(domain.criteria, domain.name, "domain", domain.defined_at)
    # What lasts longest is what counts, where one thing is waived twice.
    for waiver in sorted(policy.waivers, key=lambda waiver: waiver.expires):
        shown = f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"
        about = f"{waiver.rule} for {waiver.about}"
        found["waiver", about, ""] = Piece(
            str(waiver.expires), shown, waiver.defined_at, until=waiver.expires
        )
    for index, glob in enumerate(policy.exclude):
        place = policy.places.get(f"exclude.{index}", policy.places.get("exclude", ""))
        found["exclude", glob, ""] = Piece("", "not checked", place)
    for name in ("line", "file", "seconds"):
        value = (
            f"{getattr(policy.limits, name):g}" if name == "seconds" else str(getattr(policy.limits, name))
        )
        place = policy.places.get(f"limits.{name}", policy.places.get("limits", ""))
        found["limit", name, ""] = Piece(value, value, place)
    found["pack", "of the rules", ""] = Piece(
        f"{policy.source}{policy.pinned}", policy.source, policy.places.get("extends", "")
    )
    return found


def _of_log(kind: LogKind) -> dict[Key, Piece]:
    found: dict[Key, Piece] = {}
    plain = {
        name: _plain(value)
        for name, value in kind._asdict().items()
        if name not in _OWN and name not in ("severity", "defined_at")
    }
    for member, value in plain.items():
        if value not in (None, "", [], {}, False):
            text = json.dumps(value)
            shown = text if len(text) <= 80 else f"{text[:79]}…"
            found["log kind", f"{kind.name}: {member}", ""] = Piece(text, shown, kind.defined_at)
    schema = json.dumps(kind.schema, sort_keys=True)
    found["schema", kind.schema_name, kind.name] = Piece(schema, "what entries must be", kind.defined_at)
    for name, places in kind.names.items():
        shown = " or ".join(".".join(place) for place in places)
        found["name", f"{name} of {kind.name}", ""] = Piece(shown, shown, kind.defined_at)
    for name, place in kind.rates.items():
        found["rate", f"{name} of {kind.name}", ""] = Piece(".".join(place), ".".join(place), kind.defined_at)
    for law in kind.assertions:
        found["assertion", f"{law.name} of {kind.name}", ""] = _assertion(law)
    return found


def _assertion(law: Assertion) -> Piece:
    return Piece(law.law, law.message, law.defined_at)


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _criteria(
    items: tuple[Criterion | UseDomain, ...], owner: str, whose: str, place: str
) -> dict[Key, Piece]:
    found: dict[Key, Piece] = {}
    for item in items:
        key = ("criterion", f"{item.name} of {owner}", whose)
        if isinstance(item, Criterion):
            shown = ", else ".join(branch.expected for branch in item.branches)
            found[key] = Piece(item.law, f'"{shown}"', item.defined_at, item)
        else:
            found[key] = Piece("use domain", "the criteria of the run's domain", place)
    return found


def _references(references: Mapping[str, Reference], owner: str, whose: str) -> dict[Key, Piece]:
    return {
        ("reference", f"{name} of {owner}", whose): Piece(
            reference.law,
            f"{reference.pick}({'.'.join(reference.by)}) of {reference.log}",
            reference.defined_at,
        )
        for name, reference in references.items()
    }


def _moved(old: Criterion | None, new: Criterion | None) -> str:
    """Return which way a plain threshold moved; nothing where the forms differ."""
    if old is None or new is None or (old.when is None) != (new.when is None):
        return ""
    bars = [list(_bars(criterion)) for criterion in (old, new)]
    if len(bars[0]) != 1 or len(bars[1]) != 1 or bars[0][0][:2] != bars[1][0][:2]:
        return ""
    (_, operator, low), (_, _, high) = bars[0][0], bars[1][0]
    ranked = order(low, high)
    if not isinstance(ranked, int) or ranked == 0 or operator[0] not in "<>":
        return ""
    return "looser" if (ranked > 0) == (operator[0] == ">") else "stricter"


def _bars(criterion: Criterion) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Yield the threshold of each branch that compares a name with a constant."""
    for branch in criterion.branches:
        test = branch.test
        if isinstance(test, Comparison) and isinstance(test.first, Name) and len(test.rest) == 1:
            operator, bar = test.rest[0]
            if isinstance(bar, Literal):
                yield test.first.path, operator, bar.constant
