"""Proofs that a line gives no finding, without the work of looking for one.

A long log is judged line by line by the same few rules. For one log kind they are compiled once: the JSON
Schema into types that a decoder checks while it reads, rules and criteria into plain comparisons. What they
prove is left out of the judgement of a line; what they cannot prove is judged as ever. A proof may fail
where all is well, and never holds where a finding is due.
"""
