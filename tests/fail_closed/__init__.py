"""The fail-closed matrix: what each kind of rule is tried with, and what must come of it."""
