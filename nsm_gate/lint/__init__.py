"""What is wrong with rules that load: names that nobody reads, tests that nothing can miss, schemas."""
