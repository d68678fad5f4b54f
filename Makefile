# Two commands: `make demo` and `make test`. Each installs what it needs into .venv first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
STAMP := $(VENV)/.installed

# uv does not read pip's settings: hand on what a machine offers pip (a folder of wheels, say).
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
export UV_LINK_MODE ?= copy
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types contracts unit slow pin lock clean

help: ## List the commands.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## Install the locked dependencies into .venv.

$(STAMP): requirements.lock pyproject.toml
	@echo "setup: installing $$(grep -c '^[a-z].*==' requirements.lock) locked packages into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --compile-bytecode -r requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install -q --no-deps -e .
	@touch $@

lock: ## Resolve pyproject.toml anew into requirements.lock.
	@# Anew: with the old pins as preferences, a bare torch pin would draw in the CUDA wheel where a CPU wheel is at hand.
	@$(BIN)/uv pip compile pyproject.toml --upgrade --extra test --extra s3 --extra dask --extra lm-eval --generate-hashes --no-header --no-annotate -q -o requirements.lock
	@# The CPU build's local label and hash would tie the lock to one machine's wheel.
	@$(BIN)/python -c "import pathlib, re; lock = pathlib.Path('requirements.lock'); lock.write_text(re.sub(r'(?m)^torch==([0-9.]+)(?:\+cpu)? \\\\\n(?:    --hash=.*\n)+', r'torch==\\1\n', lock.read_text()))"

demo: setup ## Run the embedded recipe from data to a registered version, with a report.
	@ASSAY_HOME=$${ASSAY_HOME:-$(CURDIR)/.assay} $(BIN)/assay run recipes/support_triage

test: setup lint types contracts unit ## Lint, types, import contracts and tests.

lint: setup ## Ruff: rules and format.
	@echo "lint"; $(BIN)/ruff check -q . && $(BIN)/ruff format -q --check .

types: setup ## mypy, strict.
	@echo "types"; $(BIN)/mypy --no-error-summary

contracts: setup ## Which room may import which.
	@echo "contracts"; $(BIN)/lint-imports --no-logo | tail -2

unit: setup ## The tests alone.
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

slow: setup ## The tests that `make test` leaves out: whole runs with everything on.
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m slow

pin: setup ## Record the code that each method's VERSION stands for.
	@$(BIN)/python -m bench.pin_versions

clean: ## Remove the environment and all state.
	rm -rf $(VENV) .assay
