# Every target makes its own environment: Python 3.10 or later and git are all it takes.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SECONDS ?= 60
SEED ?= 1

# Tests of what the package does not hold, of files that it opens, and of many made-up inputs, tell little of
# which lines are reached, and take long where every line is noted.
UNMEASURED = hostile fuzzing test_stray.py test_benchmarks.py test_report_browser.py test_schema_suite.py test_install.py \
	test_append_together.py
# Nor those that count on what is imported, or on how fast it is.
MEASURED = not any_number_of_processes_prints_the_same and not the_command_says_that_the_disk_is_full \
	and not comes_without_the_modules and not who_reads_slowly and not after_a_signal_to_the_parent \
	and not judged_or_named_as_few_are

.PHONY: installed coverage mutants hostile fuzz gate test torture lint docs screenshots bench clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[report]" --group test --group lint
	touch $@

installed: $(VENV)/installed

# Judge every line of the sample project.
gate: $(VENV)/installed
	cd examples/nsm && ../../$(BIN)/nsm-gate check --all

# Pass the tests; ARGS="-k name" runs some of them. What a file sets up, it sets up once.
test: $(VENV)/installed
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

# Kill 20,000 writers of a log, and let 64 write at once: an hour or more.
torture: $(VENV)/installed
	$(BIN)/python -m tests.torture kills 10000 --bare
	$(BIN)/python -m tests.torture kills 10000
	$(BIN)/python -m tests.torture writers 64 500 --bare
	$(BIN)/python -m tests.torture writers 64 500 --together 10
	$(BIN)/python -m tests.torture writers 64 125

# Play every hostile input, every cell of the fail-closed matrix, and all of the other long families of cases.
hostile: $(VENV)/installed
	NSM_GATE_HOSTILE=all $(BIN)/python -m pytest -n auto tests/hostile tests/test_fail_closed.py \
		tests/test_hangs.py tests/test_append_faults.py tests/test_stray.py tests/test_action.py tests/test_many_kinds.py $(ARGS)

# Make new hostile inputs for SECONDS, the same ones for the same SEED; what breaks the law is saved among the seeds.
fuzz: $(VENV)/installed
	$(BIN)/python -m tests.fuzzing.driver --seconds $(SECONDS) --seed $(SEED) $(ARGS)

$(VENV)/coverage: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group coverage
	touch $@

# Pass the tests with every branch noted that they take, in the processes that they start, too; fail under 97 percent.
# An hour on one core. In this process: a worker of pytest-xdist may be ended before it has written what it noted.
coverage: $(VENV)/coverage
	rm -rf build/coverage
	mkdir -p build/coverage
	COVERAGE_FILE=$(CURDIR)/build/coverage/data $(BIN)/python -m coverage run -m pytest -q -p no:xdist tests \
		$(addprefix --ignore tests/,$(UNMEASURED)) -k "$(MEASURED)" $(ARGS)
	COVERAGE_FILE=$(CURDIR)/build/coverage/data $(BIN)/python -m coverage combine --quiet
	COVERAGE_FILE=$(CURDIR)/build/coverage/data $(BIN)/python -m coverage report

$(VENV)/mutants: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group mutants
	touch $@

# Change the code in small ways and see that a test notices; ARGS="--sample 100" tries some.
mutants: $(VENV)/mutants
	$(BIN)/python -m tests.mutants $(ARGS)

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
