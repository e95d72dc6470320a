# Every target makes its own environment: Python 3.10 or later and git are all it takes.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SECONDS ?= 60
SEED ?= 1

.PHONY: installed hostile fuzz gate test torture lint docs screenshots bench clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[report]" --group test --group lint
	touch $@

installed: $(VENV)/installed

# Judge every line of the sample project.
gate: $(VENV)/installed
	cd examples/nsm && ../../$(BIN)/nsm-gate check --all

# Pass the tests; ARGS="-k name" runs some of them.
test: $(VENV)/installed
	$(BIN)/python -m pytest -n auto $(ARGS)

# Kill 20,000 writers of a log, and let 64 write at once: an hour or more.
torture: $(VENV)/installed
	$(BIN)/python -m tests.torture kills 10000 --bare
	$(BIN)/python -m tests.torture kills 10000
	$(BIN)/python -m tests.torture writers 64 500 --bare
	$(BIN)/python -m tests.torture writers 64 500 --together 10
	$(BIN)/python -m tests.torture writers 64 125

# Play every hostile input, and count them by entrance.
hostile: $(VENV)/installed
	NSM_GATE_HOSTILE=all $(BIN)/python -m pytest -n auto tests/hostile $(ARGS)

# Make new hostile inputs for SECONDS, the same ones for the same SEED; what breaks the law is saved among the seeds.
fuzz: $(VENV)/installed
	$(BIN)/python -m tests.fuzzing.driver --seconds $(SECONDS) --seed $(SEED) $(ARGS)

# Style, types, layers, and generated documentation.
lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy action
	$(BIN)/mypy benchmarks
	$(BIN)/lint-imports
	$(BIN)/python -m tests.generated --check

# Write the generated parts of the documentation again, and make the site of it: build/site/index.html.
# All of it every time: a page that was read before would not warn again.
docs: $(VENV)/installed
	$(BIN)/python -m tests.generated
	$(BIN)/python -m sphinx -q -E -a -W --keep-going -c docs -d build/doctrees -b html . build/site
	@echo "the site is build/site/index.html"

# Draw the pictures and write the transcripts of the documentation again.
screenshots: $(VENV)/installed
	$(BIN)/python -m tests.screenshots
	$(BIN)/python -m tests.report_screenshots
	$(BIN)/python -m tests.generated

$(VENV)/bench: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group bench
	touch $@

# Measure the gate against its peers; ARGS=--quick has a short look.
bench: $(VENV)/bench
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
