"""The only input and output: git, files, the environment, the bundled pack."""
