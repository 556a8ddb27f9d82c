# Set-up needs only Python 3.11 or later, git and make. Another Python: make demo PYTHON=python3.13
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types bench faults load contract setup clean help

help:
	@echo "make demo   plan the example organisation; out/demo/index.html is the report"
	@echo "make test   run the tests"
	@echo "make lint   style and format;  make types  types and layers;  make bench  benchmarks"
	@echo "make faults  kill, stop and starve the service;  make load  how fast it answers"
	@echo "make contract  the service against its own description (docs/service.md)"
	@echo "make setup  only the environment in $(VENV);  make clean  remove all that make made"

demo: $(READY)
	$(BIN)/throttle demo --out out/demo

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --benchmark-disable

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	$(BIN)/lint-imports

contract: $(READY)
	$(BIN)/python -m benchmarks.contract

bench: RUN := .benchmarks/run.json
bench: $(READY)
	@mkdir -p .benchmarks
	$(BIN)/python -m pytest benchmarks --benchmark-only --benchmark-timer=benchmarks.calibration.cpu_seconds --benchmark-json=$(RUN)
	$(BIN)/python -m benchmarks.history compare $(RUN)

faults: $(READY)  # an hour: make faults FAULTS=--short
	$(BIN)/python -m benchmarks.faults $(FAULTS)

load: $(READY)
	$(BIN)/python -m benchmarks.load

setup: $(READY)

# Installed again whenever what is to be installed changes. The build backend is installed first, from the same pins, so
# that no part of the set-up depends on the day it is done.
$(READY): pyproject.toml constraints.txt hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Throttle needs Python 3.11 or later, and '$(PYTHON)' is not that. Install one, then: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "'$(PYTHON) -m venv' failed. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) out dist .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find api benchmarks datasets models src tests -name __pycache__ -type d -prune -exec rm -rf {} +
