"""The program: `nsm-gate`, or `python -m nsm_gate`."""

import gc
import sys


def program() -> int:
    """Run the command line, also where Ctrl-C comes while it is still being loaded.

    Garbage that refers to itself is left to the end of the process, which is near: there is hardly any, and
    looking for it takes a twentieth of a short run, and a tenth of a second after a long log.
    """
    gc.disable()
    try:
        from nsm_gate.cli import console

        return console()
    except KeyboardInterrupt:
        sys.stderr.write("nsm-gate: error: interrupted\n")
        return 2


if __name__ == "__main__":
    sys.exit(program())
