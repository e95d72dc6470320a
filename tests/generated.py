"""Writes what is generated: the policy of the bundled pack and parts of the documentation.

With --check, says which are out of date.

A part stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. Transcripts are what the real command
prints on a real repository, made here with fixed times so that they are the same everywhere.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from nsm_gate.checks import CHECKS
from nsm_gate.commands.rules import summary
from nsm_gate.functions import FUNCTIONS
from tests import command_reference, compiled_pack, criteria_tables, fix_transcripts, migrate_transcripts
from tests.support import ROOT, Repo, a_run, edited, environment, exploding, gate, gate_process

_DATE = "2025-11-03T12:00:00+00:00"


def rules_table() -> str:
    """Return the table of rules, from the checks themselves."""
    rows = ["| rule | default | what it asks |", "|---|---|---|"]
    rows += [f"| `{check.id}` | {check.severity.word} | {summary(check)} |" for check in CHECKS]
    return "\n".join(rows)


def functions_table() -> str:
    """Return the functions of the rule language, from the table itself."""
    rows = ["| function | gives | unknown, too, where |", "|---|---|---|"]
    for function in FUNCTIONS.values():
        usage = " or ".join(f"`{form}`" for form in function.usage.split(" or "))
        missing = "never" if function.takes_unknown and not function.unknown else function.unknown
        rows.append(f"| {usage} | {_cell(function.summary)} | {_cell(missing)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def failing_check() -> str:
    """Return the transcript of a check that finds something."""
    return f"```console\n$ nsm-gate check --staged\n{failing('check', '--staged')}```"


def annotations() -> str:
    """Return the commands that GitHub makes annotations of, as the log holds them."""
    said = failing("check", "--staged", "--output-format", "github")
    rows = [row for row in said.splitlines() if row.startswith("::")]
    return "```text\n" + "\n".join(rows) + "\n```"


def failing(*command: str) -> str:
    """Return what a command prints in a repository whose staged run breaks rules and misses criteria."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        env = environment(home, GIT_AUTHOR_DATE=_DATE, GIT_COMMITTER_DATE=_DATE)
        repo = Repo.init(home / "lab", env=env)
        single = edited(
            a_run("baseline_single_pass_20251101"),
            experiment_type="dual_pass_validation",
            architecture={"variant": "single_pass", "num_levels": 3, "passes": 1},
            hyperparameters__use_dual_pass=False,
            final_metrics__accuracy_class_0=0.11,
            final_metrics__accuracy_class_1=1.0,
            final_metrics__class_balance_delta=0.89,
        )
        repo.write("experiments/training_log.jsonl", [single])
        repo.commit("Log the single-pass baseline")
        gated = edited(
            single,
            run_id="dual_pass_gated_20251103",
            entry__timestamp="2025-11-03T10:16:00Z",
            architecture={"variant": "dual_pass_gated", "num_levels": 3, "passes": 2},
            hyperparameters__use_dual_pass=True,
            hyperparameters__fusion_mode="learned",
            start_time="2025-11-03T12:15:00+02:00",
            end_time="2025-11-03T10:15:30Z",
            best_val_accuracy=0.4875,
            final_metrics__accuracy=0.4875,
            final_metrics__accuracy_class_0=0.317,
            final_metrics__accuracy_class_1=0.658,
            final_metrics__class_balance_delta=0.341,
            final_metrics__cycle_loss=None,
            findings="TODO",
        )
        repo.append("experiments/training_log.jsonl", gated)
        repo.git("add", "-A")
        result = gate(*command, cwd=repo.path, env=env)
        if result.code != 1 or result.err:
            raise AssertionError(f"the example should fail the gate: {result}")
        return result.out


def a_finding_and_a_verdict() -> str:
    """Return what the JSON says of the first finding and of the first missed criterion."""
    said = json.loads(failing("check", "--staged", "--output-format", "json"))
    missed = next(verdict for verdict in said["verdicts"] if verdict["outcome"] == "missed")
    shown = json.dumps({"findings": said["findings"][:1], "verdicts": [missed]}, indent=2, ensure_ascii=False)
    return f"```json\n{shown}\n```"


def action_table(part: str) -> str:
    """Return the inputs or the outputs of the action."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    rows = [f"| {part.removesuffix('s')} | |", "|---|---|"]
    for name, told in action[part].items():
        default = f" Default: `{told['default']}`." if told.get("default") else ""
        rows.append(f"| `{name}` | {told['description']}{default} |")
    return "\n".join(rows)


def standing_still() -> str:
    """Return what is said where a schema explodes."""
    with tempfile.TemporaryDirectory() as folder:
        repo = Repo.init(Path(folder) / "r")
        repo.write("nsm-gate.yaml", "rules: [rules]\nlimits: {seconds: 1}\n")
        kind = "log: sweep\nfiles: ['**/sweep.jsonl']\nschema: sweep.schema.json\nkey: [id]\nrun_id: id\n"
        repo.write("rules/sweep.yaml", kind)
        repo.write("rules/sweep.schema.json", json.dumps(exploding()))
        repo.write("sweep.jsonl", [{"id": "a", "x": 1}])
        result = gate_process("check", "--all", cwd=repo.path, env=repo.env)
    return f"```console\n$ nsm-gate check --all\n{result.err}```"


def asked(*command: str) -> str:
    """Return the transcript of a command that only reads, in a copy of the sample project."""
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder) / "lab"
        shutil.copytree(ROOT / "examples" / "nsm", lab)
        result = gate(*command, cwd=lab, env=environment(lab))
        said = f"{result.out}{result.err}"
        return f"```console\n$ nsm-gate {shlex.join(command)}\n{said}```"


_RUNS = {
    "last": ("runs", "--last", "3"),
    "where": ("runs", "--where", 'domain == "planning" and best_val_accuracy > 0.6', "--columns", "run,accuracy"),
    "columns": (
        "runs", "--type", "hyperparam_search", "--sort", "-accuracy", "--limit", "3",
        "--columns", "run,hyperparameters.cycle_loss_weight,accuracy,margin.accuracy,verdicts.missed",
    ),
    "slip": ("runs", "--where", "acuracy > 0.6"),
    "best": ("runs", "--best", "accuracy", "--per", "domain", "--columns", "domain,run,accuracy,balance_delta"),
    "count": ("runs", "--type", "domain_exploration", "--count-by", "domain,status"),
    "group": (
        "runs", "--where", "hyperparameters.use_dual_pass", "--group-by", "hyperparameters.fusion_mode",
        "--columns", "accuracy,balance_delta",
    ),
    "show": ("show", "domain_exploration_kg_2048_entities_20251110"),
    "diff": ("show", "dual_pass_learned_fusion_20251202", "--diff", "single_pass"),
}  # fmt: skip
_WARNINGS = ("class-collapse", "zero-task-loss", "impossible-metric")
PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"transcript": failing_check, "rules": rules_table},
    "docs/check.md": {
        "json": a_finding_and_a_verdict,
        "explain": partial(asked, "explain", "dual_pass_learned_fusion_20251202"),
    },
    "docs/commands.md": {"index": command_reference.index, "reference": command_reference.reference},
    "docs/fix.md": {"fix": fix_transcripts.fixed, "edits": fix_transcripts.edits},
    "docs/migrate.md": {"migrate": migrate_transcripts.migrated, "steps": migrate_transcripts.steps},
    "docs/rule-language.md": {"functions": functions_table},
    "docs/ci.md": {
        **{part: partial(action_table, part) for part in ("inputs", "outputs")},
        "annotations": annotations,
        "summary": partial(failing, "check", "--staged", "--output-format", "markdown"),
    },
    "docs/limits.md": {"standing-still": standing_still},
    "docs/criteria.md": {
        "criteria": criteria_tables.types_table,
        "domains": criteria_tables.domains_table,
        "baselines": criteria_tables.baselines_table,
        **{rule: partial(criteria_tables.warning, rule) for rule in _WARNINGS},
    },
    "docs/runs.md": {part: partial(asked, *command) for part, command in _RUNS.items()},
}


def outdated(write: bool) -> list[str]:
    """Return the parts that differ from what is generated, and write them if asked."""
    stale = []
    compiled = ROOT / compiled_pack.PATH
    made = compiled_pack.source()
    if compiled.read_text(encoding="utf-8") != made:
        stale.append(compiled_pack.PATH)
        if write:
            compiled.write_text(made, encoding="utf-8")
    for name, parts in PARTS.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        for part, make in parts.items():
            begin, end = f"<!-- {part}:begin -->\n", f"\n<!-- {part}:end -->"
            head, _, rest = text.partition(begin)
            old, found, tail = rest.partition(end)
            if not found:
                raise ValueError(f"{name} has no marked part {part}")
            new = make()
            if old != new:
                stale.append(f"{name}: {part}")
            text = f"{head}{begin}{new}{end}{tail}"
        if write:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    checking = "--check" in sys.argv[1:]
    found = outdated(write=not checking)
    for item in found:
        print(f"{'out of date' if checking else 'written'}: {item}")
    sys.exit(1 if checking and found else 0)
