"""What no output may overwrite."""

from __future__ import annotations

import os

from nsm_gate.commands.surroundings import Surroundings
from nsm_gate.commands.workspace import Workspace
from nsm_gate.edge.configs import CONFIG, PYPROJECT
from nsm_gate.edge.logs import Logs, relative
from nsm_gate.errors import GateError


def spare(path: str, world: Surroundings, space: Workspace, logs: Logs) -> None:
    """Refuse an output that would overwrite a log, a configuration or anything else that git tracks."""
    root, git = space.root, space.git
    place = os.path.join(world.cwd, path)
    inside = relative(path, root, world.cwd)
    tracked = git is not None and inside is not None and inside in git.tracked()
    log = inside is not None and logs.kind_of(inside) is not None
    linked = os.path.islink(place) or (os.path.isfile(place) and os.stat(place).st_nlink > 1)
    settings = inside is not None and (
        inside in (CONFIG, PYPROJECT) or inside.startswith(".git/") or inside.endswith((".yaml", ".yml"))
    )
    if linked or tracked or log or settings:
        what = "a link" if linked else "a log" if log else "a file of the repository"
        raise GateError(f"the output would overwrite {what}", "choose another path", path)
