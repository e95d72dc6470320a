"""The gate in front of a log of experiments."""

__version__ = "0.1.0"

HOME = "https://git.example.org/nsm-gate"
"""The address of this repository, as README.md gives it; reports link to it."""
