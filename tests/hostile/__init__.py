"""The hostile corpus: small named inputs over every entrance of the gate, and what must come of each."""
