"""The program: `nsm-gate`, or `python -m nsm_gate`."""

import sys


def program() -> int:
    """Run the command line, also where Ctrl-C comes while it is still being loaded."""
    try:
        from nsm_gate.cli import console

        return console()
    except KeyboardInterrupt:
        sys.stderr.write("nsm-gate: error: interrupted\n")
        return 2


if __name__ == "__main__":
    sys.exit(program())
