"""`nsm_gate.native`: the engine is loaded alone, and leaves the interpreter as a plain import would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

DATE = "Sun, 08 Nov 2026 16:26:25 +0000"


def said(code: str, *folders: Path) -> str:
    """Return what an interpreter of its own prints."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*folders, ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_engine_comes_without_the_modules_of_the_network():
    found = said(
        "import sys; from nsm_gate.native import engine; engine();"
        "print([m for m in ('email', 'email.utils', 'socket', 'urllib', 'jsonschema_rs') if m in sys.modules])"
    )
    assert found == "[]"


def test_afterwards_both_packages_are_what_they_are():
    code = (
        "from nsm_gate.native import engine; e = engine();"
        "import jsonschema_rs, email.utils;"
        f"print(jsonschema_rs.validator_for is e.validator_for, email.utils.parsedate_to_datetime({DATE!r}).year,"
        "engine() is e, jsonschema_rs.canonical.__name__)"
    )
    assert said(code) == "True 2026 True jsonschema_rs.canonical"


def test_what_is_imported_already_is_taken_as_it_is():
    code = (
        "import jsonschema_rs, email.utils; from nsm_gate.native import engine; e = engine();"
        "print(e.validator_for is jsonschema_rs.validator_for, hasattr(email.utils, 'formatdate'))"
    )
    assert said(code) == "True True"


def test_a_stand_in_knows_what_its_module_knows():
    code = (
        "import sys; from nsm_gate.native import _StandIn;"
        "sys.modules['email.utils'] = s = _StandIn('email.utils');"
        "import email.utils as u; print(u is s, u.quote('a\"b'), sys.modules['email.utils'] is s)"
    )
    assert said(code) == 'True a\\"b False'


def test_another_layout_of_the_package_is_imported_as_usual(tmp_path):
    package = tmp_path / "jsonschema_rs"
    package.mkdir()
    (package / "__init__.py").write_text("import email.utils\nvalidator_for = email.utils.quote\n")
    code = (
        "from nsm_gate.native import engine; e = engine(); import email.utils, jsonschema_rs;"
        "print(e is jsonschema_rs, e.validator_for is email.utils.quote)"
    )
    assert said(code, tmp_path) == "True True"
