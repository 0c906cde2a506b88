# make demo and make test need Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OLDEST_TESTS := pytest pytest-xdist pytest-benchmark hypothesis librosa pyloudnorm matplotlib pandas ipython pyyaml joblib
OLDEST_SKIPS := --ignore tests/tnca --ignore tests/batch/test_cluster.py
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test test-slow test-all test-long test-oldest test-portable gate lint types bench mutation clean

help:
	@echo "make demo      install into $(VENV) and run the main job on an embedded example"
	@echo "make test      every test but those marked slow, long or gpu"
	@echo "make test-slow  those marked slow;  make test-all  both, and every example of the property tests"
	@echo "make test-long  those that train for minutes: every fix of tnca, and each undone"
	@echo "make test-portable  the numeric tests as other processors and numbers of threads compute them; an hour"
	@echo "make test-oldest  diagnose with the oldest versions of its dependencies"
	@echo "make gate      the gate on the sample project, as a project of its users has it in CI"
	@echo "make lint      ruff;  make types  mypy;  make bench  the benchmarks"
	@echo "make mutation   which small changes of the metrics, verdicts and gate no test notices; over an hour"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or later is needed; $(PYTHON) is {v[0]}.{v[1]} (try make PYTHON=python3.12)")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e .
	@$(BIN)/python -m compileall -q diagnose tnca
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[dev]'
	@$(BIN)/python -m compileall -q diagnose tnca
	@touch $@ $(VENV)/installed

demo: $(VENV)/installed
	@$(BIN)/diagnose demo --out reports/demo

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'slow and not long and not gpu'

test-all: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile -m 'not long and not gpu'

test-long: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n auto -m long

# diagnose with the oldest versions that pyproject.toml allows, in an environment of its own.
test-oldest: constraints-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-oldest.txt . $(OLDEST_TESTS)
	$(VENV)-oldest/bin/python -m pytest -n auto --dist loadfile $(OLDEST_SKIPS)

test-portable: $(VENV)/installed-dev
	$(BIN)/python tests/portable.py

gate: $(VENV)/installed-dev
	@mkdir -p reports/gate
	cd tests/sample_project && $(abspath $(BIN))/python render.py
	$(BIN)/diagnose check tests/sample_project/suite.toml --markdown reports/gate/summary.md \
	  --html reports/gate/failures.html --junit reports/gate/junit.xml

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

bench: $(VENV)/installed-dev
	$(BIN)/python -m pytest benchmarks --benchmark-enable -m '' -q -s

mutation: $(VENV)/installed-dev
	$(BIN)/python benchmarks/mutation.py

clean:
	rm -rf $(VENV) reports/demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
