"""Measures the gate against its peers; see README.md."""
