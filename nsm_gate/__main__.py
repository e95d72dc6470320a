"""`python -m nsm_gate`."""

import sys

from nsm_gate.cli import console

if __name__ == "__main__":
    sys.exit(console())
