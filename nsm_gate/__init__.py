"""The gate in front of a log of experiments."""

__version__ = "0.1.0"
