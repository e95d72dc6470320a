"""The steps of action.yml: `python -I action install|fetch|check`.

Only the standard library, and the installed gate in `check`: whatever lies in the workspace is data.
"""

from __future__ import annotations

import os
import sys

from runner import Refused, error


def main() -> int:
    """Do one step; return its exit code, 2 where nothing can be judged."""
    try:
        match sys.argv[1:]:
            case ["install"]:
                import install

                return install.run(os.environ)
            case ["fetch"]:
                import fetch

                return fetch.run(os.environ)
            case ["check"]:
                import check

                return check.run(os.environ)
        raise Refused("no step is called so", "install, fetch or check")
    except Refused as refused:
        sys.stdout.write(error(refused))
    except OSError as failed:
        place = f": {failed.filename}" if failed.filename else ""
        sys.stdout.write(error(Refused(f"{failed.strerror or failed}{place}", "look at the log of the step")))
    return 2


if __name__ == "__main__":
    sys.exit(main())
