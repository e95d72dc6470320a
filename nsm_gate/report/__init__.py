"""What the logs hold, for people: the data of the report, and its two forms. Pure: no I/O."""
