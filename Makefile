# Two commands for a fresh machine: `make demo` and `make test`.
# Needed beforehand: Python 3.11, 3.12 or 3.13 with pip and venv.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && echo $$python && break; done)
ADDONS_PYTHON ?= $(shell for python in python3.11 python3.10 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 12))' \
	2>/dev/null && echo $$python && break; done)
VENV ?= .venv
ADDONS ?= .venv-addons
BIN = $(VENV)/bin
READY = $(VENV)/.ready
# Where a worker dies, its test is tried once more and named as RERUN;
# a test that fails has failed.
PYTEST = $(BIN)/pytest -n 2 --durations 15 --reruns 1 --only-rerun 'worker .* crashed'

.PHONY: help setup demo test test-slow test-addons lint format docs clean

help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 18

setup: $(READY)  ## make .venv with the pinned packages

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed;" \
		"none was found. Name yours: make setup PYTHON=/path/to/python" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## three micrographs of known truth in, measured defects out
	$(BIN)/python examples/demo.py

test: $(READY)  ## the quick tests
	$(PYTEST) -m "not slow"

test-slow: $(READY)  ## the tests that take longer
	$(PYTEST) -m slow

test-addons: $(READY) $(ADDONS)/.ready  ## ours against tensorflow-addons
	TF_CPP_MIN_LOG_LEVEL=2 $(ADDONS)/bin/python -W ignore tests/addons/oracle.py build/addons
	DEFECTKERAS_ADDONS=build/addons $(BIN)/pytest tests/addons -n 0

$(ADDONS)/.ready: tests/addons/constraints.txt
	@test -n "$(ADDONS_PYTHON)" || { echo "tensorflow-addons needs Python 3.10 or 3.11;" \
		"none was found. Name yours: make test-addons" \
		"ADDONS_PYTHON=/path/to/python" >&2; exit 1; }
	$(ADDONS_PYTHON) -m venv $(ADDONS)
	$(ADDONS)/bin/pip install --quiet --constraint tests/addons/constraints.txt \
		tensorflow-cpu tensorflow-addons numpy
	@touch $(ADDONS)/.ready

lint: $(READY)  ## style, types and the import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## put the code into its form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(READY)  ## write the generated pages of docs/ anew
	$(BIN)/python docs/write_cli_reference.py
	$(BIN)/python docs/write_benchmark.py
	$(BIN)/python docs/write_shipped_models.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(ADDONS) demo_output build *.egg-info
