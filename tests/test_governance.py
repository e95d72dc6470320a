"""Ways to bend the gate, each tried for real: what stops or reports it, and what nothing here can see.

docs/governance.md lists them, and names these tests. A change is judged as its pull request is: on the
merge ref, with the event that GitHub hands over.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from nsm_gate.checks import BY_ID
from tests.support import (
    ROOT,
    Repo,
    Result,
    a_baseline,
    a_run,
    edited,
    environment,
    gate,
    lines,
    with_command,
)
from tests.test_bases import github, merge_ref, pull_request, push_event

PAGE = (ROOT / "docs" / "governance.md").read_text(encoding="utf-8")
LOG, BASELINES, CONFIG = "training_log.jsonl", "baselines.jsonl", "nsm-gate.yaml"
SWEEP = 'experiment_type: sweep\ncriteria:\n  accuracy: "> 0.60"\n'
LOOSER = SWEEP.replace("0.60", "0.50")
OWN = {CONFIG: "rules: [rules]\n", "rules/sweep.yaml": SWEEP}
STRICT = {**OWN, CONFIG: "rules: [rules]\nseverity: {criterion-missed: error}\n"}
BEST = """experiment_type: sweep
references:
  best:
    from: training_log
    where: status == "completed"
    pick: max(accuracy)
    none: unknown
criteria:
  accuracy: "> best.accuracy"
"""
PROBES = {
    CONFIG: "rules: [rules]\n",
    "rules/probes.yaml": (
        'log: probes\nfiles: ["**/probes.jsonl"]\nschema: probe.json\nkey: [probe]\nrun_id: probe\n'
        'criteria: {score: "> 0.5"}\n'
    ),
    "rules/probe.json": json.dumps(
        {"type": "object", "required": ["probe", "score"], "properties": {"probe": {"type": "string"}}}
    ),
}

Files = Mapping[str, Any]


class Project:
    """A repository with a protected branch, main, and a branch that a pull request proposes."""

    def __init__(self, folder: Path, files: Files, *entries: Any) -> None:
        self.folder = folder
        self.repo = Repo.init(folder / "r")
        self.on("2025-10-15")
        self.write(files, *entries)
        self.repo.commit("base")
        self.repo.git("checkout", "-q", "-b", "topic")

    def on(self, day: str) -> None:
        """Let git's clock stand at a day."""
        self.repo.env |= {f"GIT_{who}_DATE": f"{day}T00:00:00Z" for who in ("AUTHOR", "COMMITTER")}

    def write(self, files: Files, *entries: Any, log: str = LOG) -> None:
        """Write files, where `...` removes one, and append entries to a log."""
        for name, data in files.items():
            if data is ...:
                (self.repo.path / name).unlink()
            else:
                self.repo.write(name, data)
        if entries:
            self.repo.append(log, *entries)

    def propose(self, files: Files, *entries: Any, log: str = LOG, args: tuple[str, ...] = ()) -> Result:
        """Commit a change on the branch; return what CI says of its pull request."""
        self.write(files, *entries, log=log)
        self.repo.commit("proposed")
        return self.ci(*args)

    def ci(self, *args: str, **env: str) -> Result:
        """Return what CI says of the pull request, on the merge ref."""
        merge_ref(self.repo)
        result = self.repo.check(*args, env={**pull_request(self.repo, self.folder), **env})
        self.repo.git("checkout", "-q", "-f", "topic")
        return result

    def land(self) -> None:
        """Merge the pull request, and begin the next one."""
        self.repo.git("checkout", "-q", "main")
        self.repo.git("merge", "-q", "--no-ff", "--no-edit", "topic")
        self.repo.git("checkout", "-q", "-B", "topic")

    def push(self, files: Files, *entries: Any, log: str = LOG) -> Result:
        """Commit to main directly; return what CI says of the push."""
        self.repo.git("checkout", "-q", "main")
        before = self.repo.git("rev-parse", "HEAD")
        self.write(files, *entries, log=log)
        self.repo.commit("pushed")
        return self.repo.check(env=github(self.repo, self.folder, "push", push_event(self.repo, before)))

    def impact(self, *args: str) -> Result:
        """Return what `rules impact` says of the branch."""
        return gate("rules", "impact", "--base", "main", *args, cwd=self.repo.path, env=self.repo.env)


@pytest.fixture
def project(tmp_path: Path) -> Any:
    return lambda files, *entries: Project(tmp_path, files, *entries)


def sweep(accuracy: float, number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a run of the type sweep."""
    made = a_run(f"sweep_run{number}_20251101", number)
    return edited(
        made, **{"experiment_type": "sweep", **result(accuracy), **changes}
    )  # what a test changes wins


def result(accuracy: float) -> dict[str, Any]:
    return {"best_val_accuracy": accuracy, "final_metrics__accuracy": accuracy}


def search(accuracy: float, number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a run of hyperparam_search, which is to beat the best baseline."""
    made = a_run(f"hyperparam_run{number}_20251101", number)
    history = {"experiment_type": "hyperparam_search", "metrics_history": [0.9, 0.8, 0.7]}
    return edited(made, **{**history, **result(accuracy), **changes})


def passes(delta: float, number: int = 1, *, dual: bool) -> dict[str, Any]:
    """Return a run of dual_pass_validation, which is to be better balanced than the best single-pass run."""
    made = a_run(f"dual_pass_run{number}_20251101", number)
    changes = {
        "experiment_type": "dual_pass_validation", "hyperparameters__use_dual_pass": dual,
        "architecture": {"variant": "x", "passes": 1 + dual}, "final_metrics__class_balance_delta": delta,
        "final_metrics__accuracy_class_0": round(0.61 - delta / 2, 4),
        "final_metrics__accuracy_class_1": round(0.61 + delta / 2, 4),
    }  # fmt: skip
    if dual:
        changes["hyperparameters__fusion_mode"] = "learned"
    return edited(made, **changes)


BAD = edited(a_run("planning_bad_20251101", 1), findings="")

# --- what came of it ---------------------------------------------------------------------------------


def stopped(said: Result, *rules: str) -> Result:
    """Hold that CI fails, by errors of exactly these rules."""
    assert (said.code, said.err) == (1, "")
    found = {f["rule"] for f in said.findings if f["severity"] == "error" and f["waived"] is None}
    assert found == set(rules), said.findings
    return said


def refused(said: Result, *words: str) -> Result:
    """Hold that nothing is judged, exit code 2, and that the message has these words."""
    assert said.code == 2, said.out
    for word in words:
        assert word in said.err, said.err
    return said


def reported(said: Result, *rules: str) -> Result:
    """Hold that CI passes, with findings of exactly these rules."""
    assert (said.code, said.err) == (0, "")
    assert {f["rule"] for f in said.findings} == set(rules), said.findings
    return said


def shown(said: Result) -> Result:
    """Hold that CI passes without any finding; the test says what the report shows all the same."""
    assert (said.code, said.err, said.findings) == (0, "", [])
    return said


def unseen(said: Result) -> Result:
    """Hold that CI passes without any finding, and that the report gives nothing away."""
    return shown(said)


def messages(said: Result, rule: str) -> str:
    return "\n".join(f["message"] for f in said.findings if f["rule"] == rule)


def verdict(said: Result, criterion: str, line: int) -> dict[str, Any]:
    (found,) = [
        v for v in said.json["verdicts"] if (v["criterion"], v["line"]) == (criterion, line)
        and v["path"].endswith(LOG)
    ]  # fmt: skip
    return dict(found)


# --- the rules: in one change with the run ----------------------------------------------------------


def test_a_criterion_is_loosened_together_with_its_run(project: Any) -> None:
    p = project(OWN, a_run())
    said = stopped(p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55)), "rules-changed")
    assert 'changed from "> 0.60" to "> 0.50" (looser)' in messages(said, "rules-changed")
    assert "missed by the rules of the base, and met only by this change's own rule" in said.out
    judged = verdict(said, "accuracy", 2)
    assert (judged["outcome"], judged["expected"], judged["rules_from"]) == ("missed", "> 0.60", "base")
    # A person reads why, on the page of the pull request and in the log of the job.
    merge_ref(p.repo)
    env = pull_request(p.repo, p.folder)
    for form in ("text", "github"):
        told = gate("check", "--output-format", form, cwd=p.repo.path, env=env)
        assert told.code == 1
        assert "met only by this change's own rule, > 0.50" in told.out
    # And rules impact shows the flip.
    impact = p.impact("--fail-on-loosening")
    assert impact.code == 1
    assert "accuracy: missed → met" in impact.out
    assert "1 run turns from missed to met" in impact.out


def test_a_criterion_is_loosened_first_and_its_run_logged_later(project: Any) -> None:
    p = project({**OWN, CONFIG: "rules: [rules]\nseverity: {not-preregistered: error}\n"}, a_run())
    p.on("2025-11-20")
    said = reported(p.propose({"rules/sweep.yaml": LOOSER}), "rules-changed")
    assert "(looser)" in messages(said, "rules-changed")
    assert p.impact("--fail-on-loosening").code == 1
    p.land()
    p.on("2025-11-21")
    said = stopped(p.propose({}, sweep(0.55)), "not-preregistered")
    assert "accuracy was first committed 2025-11-20" in messages(said, "not-preregistered")
    # Without that rule, nothing is left to see.
    unseen(p.ci("--ignore", "not-preregistered"))


def test_a_criterion_is_removed(project: Any) -> None:
    sparse = "experiment_type: sweep\ncriteria: {}\n"
    said = stopped(project(OWN, a_run()).propose({"rules/sweep.yaml": sparse}, sweep(0.55)), "rules-changed")
    assert "which this change takes out" in said.out


def test_the_file_of_a_type_is_deleted(project: Any) -> None:
    p = project(OWN, a_run())
    said = stopped(p.propose({"rules/sweep.yaml": ..., CONFIG: ""}, sweep(0.55)), "rules-changed")
    assert verdict(said, "accuracy", 2)["outcome"] == "missed"


def test_a_type_is_replaced(project: Any) -> None:
    easy = 'experiment_type: domain_exploration\nreplace: true\ncriteria: {accuracy: "> 0.10"}\n'
    run = edited(a_run("planning_low_20251101", 1), **result(0.5))
    said = stopped(project(OWN, a_run()).propose({"rules/easy.yaml": easy}, run), "rules-changed")
    assert verdict(said, "accuracy", 2)["outcome"] == "missed"


def test_a_condition_is_made_false(project: Any) -> None:
    never = 'experiment_type: sweep\ncriteria:\n  accuracy: {assert: "> 0.60", when: status == "failed"}\n'
    said = stopped(project(OWN, a_run()).propose({"rules/sweep.yaml": never}, sweep(0.55)), "rules-changed")
    assert "this change's rules no longer ask it of this run" in said.out


def test_a_criterion_is_made_unknown(project: Any) -> None:
    nowhere = "log: training_log\nnames: {accuracy: [final_metrics.test_accuracy]}\n"
    said = stopped(project(OWN, a_run()).propose({"rules/log.yaml": nowhere}, sweep(0.55)), "rules-changed")
    assert "unknown by this change's own rule: final_metrics.test_accuracy is absent" in said.out


def test_a_name_is_pointed_at_another_metric(project: Any) -> None:
    other = "log: training_log\nnames: {accuracy: [final_metrics.accuracy_class_1]}\n"
    said = stopped(project(OWN, a_run()).propose({"rules/log.yaml": other}, sweep(0.55)), "rules-changed")
    assert "name accuracy of training_log changed" in messages(said, "rules-changed")
    assert verdict(said, "accuracy", 2)["observed"] == 0.55


@pytest.mark.parametrize("count", [1, 2])
def test_a_reference_is_narrowed(project: Any, count: int) -> None:
    # On the very line where the old condition stood, or on another.
    narrow = BEST.replace('status == "completed"', "hyperparameters.seed == 7")
    narrow = narrow.replace("references:\n", "references:\n" + "\n" * (count - 1))
    p = project({**OWN, "rules/sweep.yaml": BEST}, a_run())
    said = stopped(p.propose({"rules/sweep.yaml": narrow}, sweep(0.55)), "rules-changed")
    assert verdict(said, "accuracy", 2)["reference"]["run"] == "planning_plain_20251101"
    assert "reference best of sweep changed" in said.out


def test_a_missing_reference_is_made_to_pass(project: Any) -> None:
    p = project({**OWN, "rules/sweep.yaml": BEST})
    passing = BEST.replace("none: unknown", "none: pass")
    said = stopped(p.propose({"rules/sweep.yaml": passing}, sweep(0.55)), "rules-changed")
    assert verdict(said, "accuracy", 1)["outcome"] == "unknown"
    assert "unknown by the rules of the base, and met only by this change's own rule" in said.out


def test_a_type_gets_a_reference_of_a_name_that_is_taken(project: Any) -> None:
    # The type's own reference would go before the log kind's.
    weak = """experiment_type: dual_pass_validation
references:
  single_pass: {from: training_log, where: hyperparameters.seed == 7, pick: min(balance_delta), none: pass}
"""
    p = project(OWN, passes(0.10, dual=False))
    said = stopped(p.propose({"rules/dual.yaml": weak}, passes(0.2, 2, dual=True)), "rules-changed")
    judged = verdict(said, "fusion_effectiveness", 2)
    assert (judged["outcome"], judged["reference"]["run"]) == ("missed", "dual_pass_run1_20251101")
    assert "reference single_pass of dual_pass_validation is new" in messages(said, "rules-changed")


def test_a_reference_is_named_like_a_metric(project: Any) -> None:
    # It would stand in the metric's place, and is no number.
    hiding = "log: training_log\nreferences:\n  accuracy: {from: training_log, pick: max(cycle_loss), none: pass}\n"
    said = project(OWN, a_run()).propose({"rules/log.yaml": hiding}, sweep(0.55))
    refused(said, "rules/log.yaml:3:3: reference 'accuracy' is called as what it would be compared with")


def test_a_loosened_criterion_hides_behind_another_of_its_name(project: Any) -> None:
    # A type and a domain may be called alike, and both may have a criterion accuracy.
    p = project({**OWN, "rules/planning.yaml": 'domain: planning\ncriteria: {accuracy: "> 0.10"}\n'}, a_run())
    behind = 'domain: sweep\ncriteria: {accuracy: "> 0.60"}\n'
    said = p.propose({"rules/sweep.yaml": LOOSER, "rules/behind.yaml": behind}, sweep(0.55))
    stopped(said, "rules-changed")
    assert 'criterion accuracy of sweep changed from "> 0.60" to "> 0.50" (looser)' in messages(
        said, "rules-changed"
    )
    assert "met only by this change's own rule" in said.out


def test_a_weakened_reference_hides_behind_another_of_its_name(project: Any) -> None:
    best = "references:\n  best_baseline: {from: baselines, pick: max(accuracy), none: unknown}\n"
    p = project(
        {
            CONFIG: "rules: [rules]\nseverity: {not-preregistered: error}\n",
            BASELINES: [a_baseline(), a_baseline("weak", 21, metrics__accuracy=0.56)],
            "rules/decoy.yaml": f"experiment_type: decoy\n{best}", "rules/log.yaml": f"log: training_log\n{best}",
        }
    )  # fmt: skip
    p.on("2025-11-20")
    said = reported(
        p.propose({"rules/log.yaml": f"log: training_log\n{best}".replace("max", "min")}), "rules-changed"
    )
    assert "criterion accuracy of hyperparam_search changed" in messages(said, "rules-changed")
    p.land()
    p.on("2025-11-21")
    stopped(p.propose({}, search(0.57)), "not-preregistered")


def test_a_schema_is_widened(project: Any) -> None:
    p = project(PROBES, *[])
    p.write({}, {"probe": "a", "score": 0.6}, log="probes.jsonl")
    p.repo.commit()
    p.land()
    wide = json.loads(PROBES["rules/probe.json"]) | {"required": ["probe"]}
    said = stopped(
        p.propose({"rules/probe.json": json.dumps(wide)}, {"probe": "b"}, log="probes.jsonl"), "schema"
    )
    assert "schema probe.json changed" in messages(said, "rules-changed")


def test_a_schema_is_narrowed_under_logged_lines(project: Any) -> None:
    p = project(PROBES)
    p.write({}, {"probe": "a", "score": 0.6}, log="probes.jsonl")
    p.repo.commit()
    p.land()
    narrow = json.loads(PROBES["rules/probe.json"]) | {"required": ["probe", "score", "layer"]}
    said = p.propose({"rules/probe.json": json.dumps(narrow)})
    (found,) = [f for f in stopped(said, "schema-evolution").findings if f["rule"] == "schema-evolution"]
    assert (found["path"], found["line"], found["run"]) == ("probes.jsonl", 1, "a")


def test_a_severity_is_lowered(project: Any) -> None:
    said = stopped(project(STRICT, a_run()).propose({CONFIG: OWN[CONFIG]}, sweep(0.55)), "criterion-missed")
    assert "severity criterion-missed changed from error to warning (default) (looser)" in messages(
        said, "rules-changed"
    )


def test_severities_are_lowered_for_a_type_of_its_own(project: Any) -> None:
    quiet = "".join(f"  {rule}: {{training_log: {{easy: ignore}}}}\n" for rule in BY_ID)
    p = project(OWN, a_run())
    files = {CONFIG: f"rules: [rules]\nseverity:\n{quiet}", "rules/easy.yaml": "experiment_type: easy\n"}
    stopped(p.propose(files, edited(BAD, experiment_type="easy")), "missing-findings")


def test_the_log_is_excluded(project: Any) -> None:
    said = stopped(project(OWN, a_run()).propose({CONFIG: 'exclude: ["**"]\n'}, BAD), "missing-findings")
    assert "exclude ** is new: not checked (looser)" in messages(said, "rules-changed")


def test_the_globs_of_a_log_kind_are_changed(project: Any) -> None:
    nothing = 'log: training_log\nfiles: ["nothing.jsonl"]\n'
    said = stopped(project(OWN, a_run()).propose({"rules/log.yaml": nothing}, BAD), "missing-findings")
    assert "log kind training_log: files changed" in messages(said, "rules-changed")


def test_a_limit_makes_the_strongest_runs_unreadable(project: Any) -> None:
    strong = edited(a_run(), dataset_config__domain_params={"note": "x" * 3000})
    p = project({**STRICT, "rules/sweep.yaml": BEST.replace("unknown", "pass")}, strong)
    low = {CONFIG: STRICT[CONFIG] + "limits: {line: 2000}\n"}
    # In one change with the run, the base's limit counts; by itself, it is reported.
    stopped(p.propose(low, sweep(0.55)), "criterion-missed")
    p.repo.git("reset", "-q", "--hard", "main")
    said = reported(p.propose(low), "rules-changed")
    assert "limit line changed from 1048576 to 2000" in messages(said, "rules-changed")
    assert "line is 4,00" in p.impact().out or "over the limit of 2,000" in p.impact().out
    p.land()
    said = p.propose({}, sweep(0.55))
    unseen(said)
    stopped(p.repo.check("--all"), "invalid-json")


def test_a_run_is_waived_by_its_own_change(project: Any) -> None:
    said = stopped(project(OWN, a_run()).propose({CONFIG: waiving("2026-12-31")}, BAD), "missing-findings")
    assert "is new: agreed (me, until 2026-12-31) (looser)" in messages(said, "rules-changed")


def waiving(until: str, more: str = "") -> str:
    run = (
        f"{{rule: missing-findings, run: planning_bad_20251101, owner: me, reason: agreed, expires: {until}}}"
    )
    return f"rules: [rules]\nwaivers:\n  - {run}\n{more}"


def test_a_run_is_waived_in_advance(project: Any) -> None:
    p = project(OWN, a_run())
    said = reported(p.propose({CONFIG: waiving("2026-12-31")}), "rules-changed")
    # Where every line is judged, a waiver that waives nothing is reported as well.
    p.land()
    reported(p.repo.check("--all"), "waiver-unused")
    said = reported(p.propose({}, BAD), "missing-findings")
    assert said.findings[0]["waived"] == "agreed (me, until 2026-12-31)"
    assert said.json["summary"]["waived"] == 1


def test_a_waiver_lasts_for_ever(project: Any) -> None:
    p = project(OWN, a_run())
    said = reported(
        p.propose({CONFIG: waiving("9999-12-31")}, a_run("planning_next_20251101", 2)), "rules-changed"
    )
    assert "until 9999-12-31" in messages(said, "rules-changed")
    p.land()
    p.write({}, BAD)
    later = datetime(2999, 1, 1, tzinfo=timezone.utc)
    assert p.repo.check("--base", "main", now=later).findings[0]["waived"] is not None


def test_a_waiver_has_no_owner(project: Any) -> None:
    ownerless = waiving("2026-12-31").replace("owner: me, ", "")
    refused(project(OWN, a_run()).propose({CONFIG: ownerless}, BAD), f"{CONFIG}:3:5", "owner")


def test_a_waiver_is_used_after_its_last_day(project: Any) -> None:
    p = project({**OWN, CONFIG: waiving("2026-05-31")}, a_run())
    said = stopped(p.propose({}, BAD), "missing-findings")
    assert "ended on 2026-05-31" in messages(said, "waiver-expired")


def test_a_waiver_is_prolonged_by_a_second_one(project: Any) -> None:
    p = project({**OWN, CONFIG: waiving("2026-05-31")}, a_run())
    old = waiving("2026-05-31").rpartition("waivers:\n")[2]
    said = reported(p.propose({CONFIG: waiving("2099-12-31", old)}), "rules-changed", "waiver-expired")
    assert "changed from agreed (me, until 2026-05-31) to agreed (me, until 2099-12-31) (looser)" in messages(
        said, "rules-changed"
    )


def test_a_second_configuration_is_added(project: Any) -> None:
    said = project(OWN, a_run()).propose({"pyproject.toml": '[tool.nsm-gate]\nexclude = ["**"]\n'}, BAD)
    refused(said, "both nsm-gate.yaml and [tool.nsm-gate] in pyproject.toml configure the gate")


def test_another_configuration_is_named(project: Any) -> None:
    p = project(OWN, a_run())
    easy = {"easy.yaml": 'exclude: ["**"]\n'}
    refused(p.propose(easy, BAD, args=("--config", "easy.yaml")), "configuration 'easy.yaml' is not there")
    # Where the base has the file, the base's words count.
    p = Project(p.folder / "other", {**OWN, "easy.yaml": "rules: [rules]\n"}, a_run())
    stopped(p.propose(easy, BAD, args=("--config", "easy.yaml")), "missing-findings")


def test_the_first_configuration_excludes_everything(project: Any) -> None:
    said = stopped(project({}, a_run()).propose({CONFIG: 'exclude: ["**"]\n'}, BAD), "missing-findings")
    assert "exclude ** is new" in messages(said, "rules-changed")


ANY = {"rules/any.json": "{}"}


def test_the_pack_is_no_longer_extended(project: Any) -> None:
    lax = 'log: training_log\nfiles: ["**/training_log.jsonl"]\nschema: any.json\nkey: [timestamp]\n'
    files = {CONFIG: "extends: none\nrules: [rules]\n", "rules/log.yaml": lax, **ANY}
    said = stopped(project(OWN, a_run()).propose(files, BAD), "missing-findings")
    assert "pack of the rules changed" in messages(said, "rules-changed")


def test_a_log_kind_of_its_own_claims_the_log(project: Any) -> None:
    lax = 'log: a_lax_log\nfiles: ["**/training_log.jsonl"]\nschema: any.json\nkey: [timestamp]\n'
    p = project(OWN, a_run())
    stopped(p.propose({"rules/log.yaml": lax, **ANY}, BAD), "missing-findings")
    # The pack's log kinds come first where the head's rules judge, too.
    stopped(p.push({"rules/log.yaml": lax, **ANY}, BAD), "missing-findings")


def test_the_rules_of_the_base_are_broken_on_purpose(project: Any) -> None:
    broken = {"rules/sweep.yaml": SWEEP + "nonsense: 1\n"}
    p = project(OWN, a_run())
    refused(p.propose(broken), "rules/sweep.yaml:4:1")
    # Merged all the same, it holds up everything until it is mended, the change that mends it too.
    p.land()
    said = refused(
        p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55)),
        "rules/sweep.yaml:4:1: the rules of the base", "cannot be read, so nothing is judged",
        "a maintainer mends them on the base branch; --rules-from head judges by the head's rules",
    )  # fmt: skip
    assert said.json["error"]["path"] == "rules/sweep.yaml"
    said = reported(p.push({"rules/sweep.yaml": SWEEP}), "rules-changed")
    assert "the rules of the base cannot be read, so nobody can tell what changed" in said.out


def test_a_new_type_asks_for_nothing(project: Any) -> None:
    easy = 'experiment_type: easy\ncriteria: {accuracy: "> 0.0"}\n'
    p = project(OWN, a_run())
    said = reported(p.propose({"rules/easy.yaml": easy}, sweep(0.2, experiment_type="easy")), "rules-changed")
    assert "experiment type easy is new" in messages(said, "rules-changed")
    judged = verdict(said, "accuracy", 2)
    assert (judged["outcome"], judged["experiment_type"], judged["rules_from"]) == ("met", "easy", "head")


def test_a_domain_is_invented(project: Any) -> None:
    p = project(OWN, a_run())
    none = {"goal_achievement_rate": ..., "temporal_ordering_acc": ...}
    run = edited(a_run("easy_first_20251101", 1), domain="easy", dataset_config__domain="easy", **none)
    said = reported(p.propose({"rules/easy.yaml": "domain: easy\n"}, run), "rules-changed")
    assert messages(said, "rules-changed") == "domain easy is new: metrics none"
    # Without a file that defines it, no domain is known by that name.
    p.repo.git("reset", "-q", "--hard", "main")
    stopped(p.propose({}, run), "schema")


def test_a_rules_file_is_made_a_link(project: Any, tmp_path: Path) -> None:
    p = project(OWN, a_run())
    (tmp_path / "easy.yaml").write_text(LOOSER)
    (p.repo.path / "rules/sweep.yaml").unlink()
    (p.repo.path / "rules/sweep.yaml").symlink_to(tmp_path / "easy.yaml")
    refused(p.propose({}, sweep(0.55)), "rules/sweep.yaml: it is not a regular file")


def test_what_reports_changed_rules_is_switched_off(project: Any) -> None:
    p = project(STRICT, a_run())
    off = STRICT[CONFIG].replace("error}", "error, rules-changed: ignore}")
    said = reported(p.propose({CONFIG: off}), "rules-changed")
    assert "severity rules-changed changed from notice (default) to ignore (looser)" in said.out
    p.land()
    # From then on a changed rule is not reported; the base's rules judge all the same.
    said = stopped(p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55)), "criterion-missed")
    assert messages(said, "rules-changed") == ""


def test_a_branch_starts_before_a_rule_was_tightened(project: Any) -> None:
    p = project({**STRICT, "rules/sweep.yaml": LOOSER}, a_run())
    p.push({"rules/sweep.yaml": SWEEP})
    p.repo.git("checkout", "-q", "topic")
    said = stopped(p.propose({}, sweep(0.55)), "criterion-missed")
    assert verdict(said, "accuracy", 2)["expected"] == "> 0.60"
    # A workflow that checks out the branch instead of the merge is judged by where the branch began.
    unseen(p.repo.check(env=pull_request(p.repo, p.folder)))


# --- the rules of packs --------------------------------------------------------------------------------

PACK = "nsm-gate-pack.yaml"
EXTENDS = "extends: my_lab_pack\n"
HELD = "pack: my_lab_pack\nseverity: {run-id-format: error}\nenforce: [run-id-format]\n"
ILL_NAMED = a_run("Planning 7", 1)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, pack: str) -> Path:
    """Install a package that ships a pack; it must never be imported."""
    site = Repo(folder / "site")
    site.write("my_lab_pack/__init__.py", "raise SystemExit('a pack was imported')\n")
    site.write(f"my_lab_pack/{PACK}", pack)
    monkeypatch.setattr(sys, "path", [str(site.path), *sys.path])
    return site.path


def test_the_pack_is_upgraded(project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, HELD)
    p = project({CONFIG: f"{EXTENDS}pack: {'f' * 12}\n"}, a_run())
    agreed = messages(p.repo.check(), "rules-changed").rpartition(" ")[2]
    p.push({CONFIG: f"{EXTENDS}pack: {agreed}\n"})
    p.repo.git("checkout", "-q", "-B", "topic")
    assert p.repo.check().findings == []
    install(tmp_path, monkeypatch, "pack: my_lab_pack\n")
    said = reported(p.propose({}, ILL_NAMED), "rules-changed", "run-id-format")
    assert "the pack is not the one that pack: agrees to" in messages(said, "rules-changed")
    # Without `pack:`, a looser pack is nobody's business.
    p.push({CONFIG: EXTENDS})
    p.repo.git("checkout", "-q", "-B", "topic")
    unseen(p.propose({}, a_run("planning_next_20251101", 2)))


def test_a_pack_is_brought_along(project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, HELD)
    p = project({CONFIG: EXTENDS}, a_run())
    own = {
        "my_lab_pack/__init__.py": "",
        f"my_lab_pack/{PACK}": "pack: my_lab_pack\nseverity: {run-id-format: ignore}\n",
    }
    stopped(p.propose(own, ILL_NAMED), "run-id-format")
    # Nor is it used where Python finds it first, or finds no other.
    monkeypatch.setattr(sys, "path", [str(p.repo.path), *sys.path])
    stopped(p.ci(), "run-id-format")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path / "site")])
    refused(p.ci(), "in the repository that is judged, or the current folder")


def test_an_enforced_rule_is_lowered(project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, HELD)
    p = project({CONFIG: EXTENDS}, a_run())
    lower = {CONFIG: f"{EXTENDS}severity: {{run-id-format: warning}}\n"}
    refused(
        p.propose(lower, ILL_NAMED), "'run-id-format' is lowered to warning, but my_lab_pack enforces error"
    )


def test_the_pack_that_enforces_is_left(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, HELD)
    p = project({CONFIG: EXTENDS}, a_run())
    said = stopped(p.propose({CONFIG: "extends: nsm\n"}, ILL_NAMED), "run-id-format")
    assert "pack of the rules changed" in messages(said, "rules-changed")
    p.repo.git("reset", "-q", "--hard", "main")
    reported(p.propose({CONFIG: "extends: nsm\n"}), "rules-changed")
    p.land()
    reported(p.propose({}, ILL_NAMED), "run-id-format")


# --- the evidence: lines that are there ---------------------------------------------------------------


def two() -> list[dict[str, Any]]:
    return [a_run(), a_run("planning_second_20251101", 1)]


def test_a_logged_line_is_edited(project: Any) -> None:
    said = stopped(
        project({}, *two()).propose({LOG: [edited(a_run(), **result(0.9)), two()[1]]}), "history-rewritten"
    )
    assert "run_data.best_val_accuracy was 0.61, is now 0.9" in messages(said, "history-rewritten")


def test_a_logged_line_is_written_in_other_bytes(project: Any) -> None:
    other = lines(*two()).replace(b'": ', b'":', 1)
    said = stopped(project({}, *two()).propose({LOG: other}), "history-rewritten")
    assert "the same values in other bytes" in messages(said, "history-rewritten")


def test_a_logged_line_is_deleted(project: Any) -> None:
    stopped(project({}, *two()).propose({LOG: two()[1:]}), "history-rewritten")


def test_the_commit_of_a_run_is_reverted(project: Any) -> None:
    p = project({}, a_run())
    p.write({}, two()[1])
    p.repo.commit("logged")
    p.land()
    p.repo.git("revert", "--no-edit", "-m", "1", "HEAD")
    stopped(p.ci(), "history-rewritten")


def test_the_log_is_deleted(project: Any) -> None:
    said = stopped(project({}, *two()).propose({LOG: ...}), "history-rewritten")
    assert "the log was deleted, with 2 published lines" in said.out


def test_the_log_is_renamed(project: Any) -> None:
    said = stopped(project({}, *two()).propose({LOG: ..., "old/runs.jsonl": two()}), "history-rewritten")
    assert "the log was renamed to old/runs.jsonl" in said.out


def test_a_line_is_inserted(project: Any) -> None:
    between = [two()[0], a_run("planning_third_20251101", 2), two()[1]]
    stopped(project({}, *two()).propose({LOG: between}), "inserted-line")


def test_lines_are_reordered(project: Any) -> None:
    said = stopped(project({}, *two()).propose({LOG: two()[::-1]}), "history-rewritten")
    assert "line was moved" in said.out


def test_a_line_is_inserted_by_a_branch_that_merges(project: Any) -> None:
    # Above a strong run, which then was not logged earlier: joining two branches may do just that.
    p = project({**OWN, "rules/sweep.yaml": BEST.replace("unknown", "pass")}, a_run())
    p.repo.git("checkout", "-q", "-b", "side")
    p.repo.write("notes.txt", "x")
    p.repo.commit("side")
    p.repo.git("checkout", "-q", "topic")
    p.repo.git("merge", "-q", "--no-ff", "--no-edit", "side")
    said = reported(p.propose({LOG: [sweep(0.55, 0), a_run()]}), "inserted-line")
    assert verdict(said, "accuracy", 1)["outcome"] == "met"


def test_a_merge_drops_lines(project: Any) -> None:
    p = project({}, a_run())
    p.push({}, two()[1])
    p.repo.git("checkout", "-q", "topic")
    p.write({}, a_run("planning_third_20251101", 2))
    p.repo.commit("logged")
    p.repo.git("merge", "-q", "--no-ff", "--no-edit", "-s", "ours", "main")
    stopped(p.ci(), "history-rewritten")
    # Pushed without a pull request, it shows as well.
    before = p.repo.git("rev-parse", "main")
    stopped(
        p.repo.check(env=github(p.repo, p.folder, "push", push_event(p.repo, before))), "history-rewritten"
    )


def test_a_branch_is_pushed_by_force(project: Any) -> None:
    p = project({}, *two())
    old = p.repo.git("rev-parse", "main")
    p.repo.git("checkout", "-q", "main")
    p.repo.write(LOG, two()[:1])
    p.repo.git("add", "-A")
    p.repo.git("commit", "-q", "--amend", "--no-edit")
    p.repo.commit("and on")
    event = push_event(p.repo, old, forced=True)
    stopped(p.repo.check(env=github(p.repo, p.folder, "push", event)), "history-rewritten")
    # A checkout that did not fetch what was there before cannot tell; it says so.
    other = Repo.clone(p.repo, p.folder / "ci", "--single-branch")
    env = github(other, p.folder, "push", event)
    shown(other.check(env=env))
    assert f"its before {old[:7]} is gone" in gate("check", cwd=other.path, env=env).out


def test_a_line_is_edited_before_it_is_merged(project: Any) -> None:
    p = project({}, a_run())
    p.propose({}, two()[1])
    unseen(p.propose({LOG: [a_run(), edited(two()[1], **result(0.9))]}))


# --- the evidence: corrections and copies -------------------------------------------------------------


def test_a_correction_weakens_a_baseline(project: Any) -> None:
    p = project({BASELINES: [a_baseline(metrics__accuracy=0.6), a_baseline("other", metrics__accuracy=0.56)]})
    weaker = a_baseline(day=21, metrics__accuracy=0.56, corrects="3level_fusion", reason="scored again")
    p.repo.append(BASELINES, weaker)
    said = shown(p.propose({}, search(0.58)))
    assert verdict(said, "accuracy", 1)["outcome"] == "met"
    # The correction is a line of its own in the report; what it corrects stays in the log.
    assert [(log["path"], log["appended"]) for log in said.json["logs"]] == [(BASELINES, 1), (LOG, 1)]


def test_a_correction_improves_a_run(project: Any) -> None:
    p = project(OWN, sweep(0.55))
    better = edited(
        sweep(0.65), entry__timestamp="2025-11-02T00:00:00Z", corrects="sweep_run1_20251101", reason="x"
    )
    said = shown(p.propose({}, better))
    assert said.json["logs"][0]["appended"] == 1
    # Without naming what it corrects, it is a second story about one run.
    p.repo.git("reset", "-q", "--hard", "main")
    stopped(p.propose({}, edited(better, corrects=..., reason=...)), "duplicate-run")


def test_one_run_is_logged_in_two_files(project: Any) -> None:
    p = project({}, a_run())
    stopped(p.propose({}, edited(a_run(), **result(0.9)), log=f"elsewhere/{LOG}"), "duplicate-run")


def test_a_run_is_copied_under_another_id(project: Any) -> None:
    twin = edited(a_run(), run_id="planning_twin_20251101")
    reported(project({}, a_run()).propose({}, twin), "duplicate-record")


# --- the evidence: values ------------------------------------------------------------------------------


def test_a_member_is_written_twice(project: Any) -> None:
    p = project({}, a_run())
    twice = lines(two()[1]).replace(b'"accuracy": 0.61', b'"accuracy": 0.1, "accuracy": 0.61')
    stopped(p.propose({LOG: lines(a_run()) + twice}), "duplicate-member")


@pytest.mark.parametrize(
    "value, rule", [("NaN", "invalid-json"), ("1e999", "invalid-json"), ('"0.9"', "schema"), ("61", "schema")]
)
def test_a_metric_is_no_rate(project: Any, value: str, rule: str) -> None:
    p = project({}, a_run())
    odd = lines(two()[1]).replace(b'"accuracy": 0.61', b'"accuracy": ' + value.encode())
    said = p.propose({LOG: lines(a_run()) + odd})
    stopped(said, {"invalid-json": "invalid-json", "schema": "schema"}[rule])
    assert all(v["outcome"] != "met" for v in said.json["verdicts"] if v["criterion"] == "accuracy")


def test_a_metric_is_left_null(project: Any) -> None:
    run = edited(two()[1], final_metrics__cycle_loss=None)
    reported(project({}, a_run()).propose({}, run), "criterion-unknown")


def test_the_best_epoch_stands_in_for_the_last(project: Any) -> None:
    p = project(OWN, a_run())
    said = shown(p.propose({}, sweep(0.55, final_metrics__accuracy=None, best_val_accuracy=0.65)))
    assert verdict(said, "accuracy", 2)["pointer"] == "/run_data/best_val_accuracy"


def test_a_run_is_called_running_for_ever(project: Any) -> None:
    said = shown(project({}, a_run()).propose({}, edited(two()[1], status="running", **result(0.1))))
    assert set(said.outcomes(2).values()) == {"not-applicable"}


def test_a_poor_run_is_called_failed(project: Any) -> None:
    p = project({}, a_run())
    failed = edited(two()[1], status="failed", **result(0.1))
    stopped(p.propose({}, failed), "missing-error-message")
    p.repo.git("reset", "-q", "--hard", "main")
    said = shown(p.propose({}, edited(failed, error_message="it did not go well")))
    assert set(said.outcomes(2).values()) == {"not-applicable"}


def test_the_type_is_misspelt(project: Any) -> None:
    run = edited(two()[1], experiment_type="domain_exploratoin", **result(0.1))
    stopped(project({}, a_run()).propose({}, run), "unknown-experiment-type")


def test_the_type_is_left_out(project: Any) -> None:
    run = edited(two()[1], experiment_type=..., **result(0.1))
    reported(project({}, a_run()).propose({}, run), "missing-experiment-type")


def test_an_easier_type_is_chosen(project: Any) -> None:
    p = project({**OWN, "rules/easy.yaml": 'experiment_type: easy\ncriteria: {accuracy: "> 0.1"}\n'}, a_run())
    said = shown(p.propose({}, sweep(0.55, experiment_type="easy")))
    judged = verdict(said, "accuracy", 2)
    assert (judged["outcome"], judged["experiment_type"], judged["expected"]) == ("met", "easy", "> 0.1")


def test_a_run_is_backdated_before_its_baseline(project: Any) -> None:
    times = {f"{name}_time": f"2025-10-19T00:00:{end}Z" for name, end in (("start", "00"), ("end", "30"))}
    early = search(0.55, run_id="hyperparam_run1_20251019", entry__timestamp="2025-10-19T00:00:31Z", **times)
    p = project({BASELINES: [a_baseline()]}, a_run())
    said = reported(p.propose({}, early), "timestamp-order", "criterion-unknown")
    assert verdict(said, "accuracy", 2)["outcome"] == "unknown"


def test_a_run_is_postdated_past_its_criterion(project: Any) -> None:
    p = project({**OWN, CONFIG: "rules: [rules]\nseverity: {not-preregistered: error}\n"}, a_run())
    p.on("2025-11-20")
    p.propose({"rules/sweep.yaml": LOOSER})
    p.land()
    p.on("2025-11-22")

    def begun(day: str) -> dict[str, Any]:
        times = {"start_time": f"{day}T00:00:00Z", "end_time": f"{day}T00:00:30Z"}
        return sweep(0.55, entry__timestamp=f"{day}T00:00:31Z", **times)

    unseen(p.propose({}, begun("2025-11-21")))
    # Only the future is out of reach.
    p.repo.git("reset", "-q", "--hard", "main")
    stopped(p.propose({}, begun("2027-01-01")), "timestamp-future")


def test_the_count_of_examples_is_inflated(project: Any) -> None:
    p = project({}, a_run())
    reported(p.propose({}, edited(two()[1], **result(0.6137))), "impossible-metric")
    p.repo.git("reset", "-q", "--hard", "main")
    stopped(p.propose({}, edited(two()[1], dataset_config__val_size=100_000)), "assertion")
    p.repo.git("reset", "-q", "--hard", "main")
    unseen(p.propose({}, edited(two()[1], dataset_config__val_size=800)))


def test_the_history_of_a_run_is_trimmed(project: Any) -> None:
    p = project({BASELINES: [a_baseline()]})
    whole = search(0.6, metrics_history=[0.7, 0.9, 0.8, 0.7])
    reported(p.propose({}, whole), "criterion-missed")
    p.repo.git("reset", "-q", "--hard", "main")
    unseen(p.propose({}, search(0.6, metrics_history=[0.9, 0.8, 0.7])))


# --- the evidence: what a run is compared with --------------------------------------------------------


def test_a_weak_baseline_is_logged_before_the_run(project: Any) -> None:
    p = project(
        {BASELINES: [a_baseline(metrics__accuracy=0.6), a_baseline("weak", 21, metrics__accuracy=0.56)]}
    )
    said = reported(p.propose({}, search(0.58)), "criterion-missed")
    assert verdict(said, "accuracy", 1)["reference"]["run"] == "3level_fusion"


def test_the_baseline_comes_with_the_run(project: Any) -> None:
    p = project({})
    p.repo.append(BASELINES, a_baseline(metrics__accuracy=0.56))
    said = shown(p.propose({}, search(0.58)))
    assert verdict(said, "accuracy", 1)["reference"]["appended"] is True
    merge_ref(p.repo)
    told = gate("check", cwd=p.repo.path, env=pull_request(p.repo, p.folder))
    assert "3level_fusion (appended too)" in told.out


def test_a_weaker_baseline_lies_nearer(project: Any) -> None:
    p = project({BASELINES: [a_baseline(metrics__accuracy=0.6)]})
    p.repo.append(f"mine/{BASELINES}", a_baseline("weak", metrics__accuracy=0.56))
    said = shown(p.propose({}, search(0.58), log=f"mine/{LOG}"))
    assert verdict(said, "accuracy", 1)["reference"]["path"] == f"mine/{BASELINES}"


def test_a_run_is_made_incomparable(project: Any) -> None:
    p = project({}, passes(0.10, dual=False))
    run = edited(passes(0.2, 2, dual=True), dataset_config__total_size=2859)
    said = reported(p.propose({}, run), "criterion-unknown")
    assert "no comparable run was logged before" in messages(said, "criterion-unknown")


def test_the_best_of_many_seeds_is_logged(project: Any) -> None:
    p = project(OWN, a_run())
    assert p.propose({}, *[sweep(0.55, n, hyperparameters__seed=n) for n in (1, 2)]).code == 0
    p.repo.git("reset", "-q", "--hard", "main")
    unseen(p.propose({}, sweep(0.65, 3, hyperparameters__seed=3)))


def test_a_run_is_logged_where_no_log_is(project: Any) -> None:
    p = project({}, a_run())
    unseen(p.propose({}, BAD, log="training_log_2.jsonl"))
    # Nor is a log that git ignores ever judged, or seen by anyone.
    unseen(p.propose({".gitignore": f"private/{LOG}\n"}, BAD, log=f"private/{LOG}"))


# --- the surroundings -----------------------------------------------------------------------------------


def test_the_workflow_is_edited(project: Any) -> None:
    workflow = ".github/workflows/nsm-gate.yml"
    p = project({workflow: "on: pull_request\njobs: {gate: {steps: [{run: nsm-gate check}]}}\n"}, a_run())
    unseen(p.propose({workflow: "on: pull_request\njobs: {gate: {steps: [{run: 'true'}]}}\n"}))


def test_the_workflow_asks_for_less(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    p = project(OWN, a_run())
    unseen(p.propose({}, BAD, args=("--ignore", "missing-findings")))
    unseen(p.ci("--select", "history-rewritten"))
    assert (p.ci("--fail-on", "never").code, p.ci().code) == (0, 1)
    # What a pack enforces is reported all the same.
    install(p.folder, monkeypatch, "pack: my_lab_pack\nenforce: [missing-findings]\n")
    p = Project(p.folder / "other", {CONFIG: EXTENDS}, a_run())
    stopped(p.propose({}, BAD, args=("--select", "history-rewritten")), "missing-findings")
    refused(p.ci("--ignore", "missing-findings"), "'missing-findings' is enforced by my_lab_pack")


@pytest.mark.parametrize("args", [("--rules-from", "head"), ("--no-ci",)], ids=" ".join)
def test_the_workflow_takes_the_rules_of_the_head(project: Any, args: tuple[str, ...]) -> None:
    p = project(OWN, a_run())
    said = reported(p.propose({"rules/sweep.yaml": LOOSER}, sweep(0.55), args=args), "rules-changed")
    assert "met only by this change's own rule" in messages(said, "rules-changed")
    assert verdict(said, "accuracy", 2)["rules_from"] == "head"


def test_the_workflow_sets_the_base(project: Any) -> None:
    p = project(OWN, a_run())
    p.write({}, BAD)
    p.repo.commit("proposed")
    said = shown(p.ci(NSM_GATE_BASE="HEAD"))
    assert said.json["logs"][0]["appended"] == 0
    merge_ref(p.repo)
    env = {**pull_request(p.repo, p.folder), "NSM_GATE_BASE": "HEAD"}
    assert "0 appended lines" in (told := gate("check", cwd=p.repo.path, env=env).out)
    assert "NSM_GATE_BASE overrides the base" in told


def test_a_commit_goes_straight_to_main(project: Any) -> None:
    # After the fact: nothing judged it before. The head's rules judge a push.
    p = project(OWN, a_run())
    said = reported(p.push({"rules/sweep.yaml": LOOSER}, sweep(0.55)), "rules-changed")
    assert "met only by this change's own rule" in messages(said, "rules-changed")
    stopped(p.push({}, BAD), "missing-findings")


def test_the_hook_is_skipped(project: Any) -> None:
    p = project({}, a_run())
    p.repo.env = with_command(p.repo.env, p.folder / "bin")
    hook = p.repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexec nsm-gate check --staged\n")
    hook.chmod(0o755)
    p.repo.append(LOG, BAD)
    p.repo.git("add", "-A")
    with pytest.raises(AssertionError, match="missing-findings"):
        p.repo.git("commit", "-q", "-m", "refused")
    p.repo.git("commit", "-q", "-m", "taken", "--no-verify")
    stopped(p.ci(), "missing-findings")


def test_a_message_asks_to_skip_ci(project: Any) -> None:
    p = project({}, a_run())
    p.write({}, BAD)
    p.repo.commit("[skip ci] nothing to see")
    stopped(p.ci(), "missing-findings")


def test_too_little_history_is_checked_out(project: Any) -> None:
    p = project({}, a_run())
    p.write({}, BAD)
    p.repo.commit("proposed")
    merge_ref(p.repo)
    env = pull_request(p.repo, p.folder)
    ci = Repo.init(p.folder / "ci")
    ci.git("fetch", "-q", "--depth=1", f"file://{p.repo.path}", "refs/pull/1/merge")
    ci.git("checkout", "-q", "--detach", "FETCH_HEAD")
    refused(ci.check(env=env), "is not in this shallow clone", "git fetch --no-tags --depth=2 origin")


def test_the_log_is_made_a_link(project: Any, tmp_path: Path) -> None:
    p = project({}, a_run())
    (tmp_path / "other.jsonl").write_bytes(lines(*two()))
    (p.repo.path / LOG).unlink()
    (p.repo.path / LOG).symlink_to(tmp_path / "other.jsonl")
    said = stopped(p.propose({}), "not-a-log")
    assert "planning_second" not in said.out


def test_the_log_is_moved_to_lfs(project: Any) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "1" * 64 + "\nsize 5\n"
    said = stopped(project({}, a_run()).propose({LOG: pointer}), "not-a-log")
    assert "Git LFS pointer" in said.out


def test_the_log_is_made_a_submodule(project: Any) -> None:
    p = project({}, a_run())
    (p.repo.path / LOG).unlink()
    p.repo.git("add", "-A")
    p.repo.git("update-index", "--add", "--cacheinfo", f"160000,{p.repo.git('rev-parse', 'HEAD')},{LOG}")
    p.repo.git("commit", "-q", "-m", "proposed")
    said = stopped(p.ci(), "not-a-log")
    assert "the log is a submodule" in said.out


def test_objects_are_replaced_in_the_checkout(project: Any) -> None:
    p = project({}, a_run())
    first, old = p.repo.git("rev-parse", "HEAD"), p.repo.git("rev-parse", f"HEAD:{LOG}")
    p.write({LOG: [edited(a_run(), **result(0.9))]})
    second = p.repo.commit("proposed")
    p.repo.git("replace", old, p.repo.git("rev-parse", f"HEAD:{LOG}"))
    stopped(p.repo.check(env=pull_request(p.repo, p.folder)), "history-rewritten")
    p.repo.git("replace", "-d", old)
    p.repo.write(".git/info/grafts", f"{first} {second}\n")
    stopped(p.repo.check(env=pull_request(p.repo, p.folder)), "history-rewritten")


def test_findings_forge_the_output_of_ci(project: Any) -> None:
    forged = "x\n::error file=a::forged\n##[error]forged\r::stop-commands::forged \x1b[2K"
    p = project({}, a_run())
    run = edited(two()[1], findings=forged, run_id=f"planning_second{forged}", notes=forged, **result(0.1))
    reported(p.propose({}, run), "run-id-format", "criterion-missed", "unknown-field")
    merge_ref(p.repo)
    env = pull_request(p.repo, p.folder)
    for form in ("text", "concise", "json", "github"):
        told = gate("check", "-v", "--output-format", form, cwd=p.repo.path, env=env).out
        assert "##[" not in told
        assert "\x1b" not in told
        commands = [row for row in re.split(r"[\n\r]", told) if re.match(r"\s*::", row)]
        assert all(re.match(r"::(notice|warning) file=training_log\.jsonl,line=2,", row) for row in commands)
        assert len(commands) == (3 if form == "github" else 0)


def test_a_commit_has_a_forged_date(project: Any) -> None:
    # Whoever pushes commits of their own sets the dates.
    p = project({**OWN, CONFIG: "rules: [rules]\nseverity: {not-preregistered: error}\n"}, a_run())
    p.on("2025-10-20")  # in truth, after the run
    reported(p.push({"rules/sweep.yaml": LOOSER}), "rules-changed")
    p.on("2025-11-21")
    unseen(p.push({}, sweep(0.55)))


def test_a_branch_brings_a_history_with_dates_of_its_own(project: Any) -> None:
    p = project({**OWN, CONFIG: "rules: [rules]\nseverity: {not-preregistered: error}\n"}, a_run())
    p.on("2025-11-20")
    p.push({"rules/sweep.yaml": LOOSER})
    # A first commit from nowhere, older than the run, that holds the criterion already.
    p.repo.git("checkout", "-q", "--orphan", "old")
    p.on("2025-09-01")
    p.repo.commit("old")
    p.repo.git("merge", "-q", "--no-edit", "--allow-unrelated-histories", "-X", "theirs", "main")
    p.on("2025-11-21")
    p.repo.git("checkout", "-q", "-B", "topic")
    stopped(p.propose({}, sweep(0.55)), "not-preregistered")
    # On a checkout of the branch, too, whose first-parent line is the forged one.
    stopped(p.repo.check(env=pull_request(p.repo, p.folder)), "not-preregistered")


def test_a_line_or_a_log_is_huge(project: Any) -> None:
    p = project({}, a_run())
    said = stopped(p.propose({}, edited(two()[1], notes="x" * (1 << 20))), "invalid-json")
    assert "over the limit of 1,048,576" in said.out
    small = Project(p.folder / "other", {CONFIG: "limits: {file: 4KiB}\n"}, a_run())
    refused(small.propose({}, edited(two()[1], notes="x" * 4000)), "over the limit of 4,096", "limits.file")


def test_the_repository_holds_a_module_of_the_gates_name(project: Any) -> None:
    # `python -m nsm_gate` looks into the current folder first; the installed command does not.
    p = project({}, a_run())
    p.propose({"nsm_gate/__init__.py": "", "nsm_gate/__main__.py": "print('0 errors, 0 warnings')\n"}, BAD)
    merge_ref(p.repo)
    env = {**environment(p.folder), **pull_request(p.repo, p.folder), "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> Result:
        done = subprocess.run(
            [sys.executable, *command], cwd=p.repo.path, env=env, capture_output=True, check=False
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    fooled = run("-m", "nsm_gate", "check")
    assert (fooled.code, fooled.out) == (0, "0 errors, 0 warnings\n")
    # As pip writes it.
    script = p.folder / "nsm-gate"
    script.write_text("import sys\nfrom nsm_gate.__main__ import program\nsys.exit(program())\n")
    stopped(run(str(script), "check", "--output-format", "json"), "missing-findings")
    unseen(Result(fooled.code, '{"findings": []}', fooled.err))


# --- the page ---------------------------------------------------------------------------------------------

ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")]
    for row in PAGE.splitlines()
    if re.match(r"\| \d+ \|", row)
]
TESTS = {name: test for name, test in list(globals().items()) if name.startswith("test_")}
WORDS = {
    "stopped": {"stopped", "refused"},
    "reported": {"reported"},
    "shown": {"shown"},
    "nothing": {"unseen"},
}


def test_the_page_numbers_its_rows_and_has_at_least_40() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 40
    assert {len(row) for row in ROWS} == {5}


def test_the_page_names_every_test_once_and_every_test_of_a_bend_is_on_it() -> None:
    named = [re.fullmatch(r"`(test_\w+)`", row[4]) for row in ROWS]
    assert all(named)
    assert [match[1] for match in named if match] == list(TESTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_page_says_of_each_bend_what_its_test_holds(row: list[str]) -> None:
    source = inspect.getsource(TESTS[row[4].strip("`")])
    said = set(re.findall(r"\*\*(stopped|reported|shown|nothing)\*\*", f"{row[2]} {row[3]}"))
    calls = {
        node.func.id for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }  # fmt: skip
    # Each word in bold is what some call of the test holds, and none is left out.
    assert said == {word for word, held in WORDS.items() if held & calls}
    rules = {word for word in re.findall(r"`([a-z-]+)`", row[2]) if "-" in word and not word.startswith("-")}
    assert rules <= set(BY_ID) | {"nsm-gate"}
    for rule in rules & set(BY_ID):
        assert f'"{rule}"' in source, rule
