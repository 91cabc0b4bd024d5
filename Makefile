# The few verbs of this house. Each makes the environment it needs in .venv and nowhere else, so that a fresh clone
# on a machine with Python 3.11 and a way to its package index needs nothing before it. CI runs these and only these.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-ready
DEV := $(VENV)/.dev-ready

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-deep storm check boards pictures format bench score changelog lock clean

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n%s\n' 'Arguments are passed on: make demo ARGS="--seconds 60", make test ARGS="tests/telemetry -x".'

setup: $(DEV) ## everything in .venv, ready to work
	@echo "$(VENV) is ready"

demo: $(RUNTIME) ## a simulated county, alive in this terminal
	@$(BIN)/cunjing demo $(ARGS)

# What pytest makes of a test file is kept, whatever the surroundings say: else each process makes all of it anew.
test: $(DEV) ## the tests, quick profile, files side by side
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

storm: $(DEV) ## days of faults by seed: SEED=… DAYS=…, FROM=… DAYS=… or FILE=…
	@$(BIN)/python -m tests.storm $(if $(SEED),--seed $(SEED)) $(if $(DAYS),--days $(DAYS)) $(if $(FROM),--first $(FROM)) \
		$(if $(VARIANT),--variant $(VARIANT)) $(if $(FILE),--file $(FILE))

test-deep: $(DEV) ## only the long runs: kills, fuzz, laws
	@$(BIN)/python -m pytest -m deep $(ARGS)

check: $(DEV) ## format, lint, types, who imports whom, the boards, changelog fragments
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cunjing boards check
	$(BIN)/towncrier build --draft --version next > /dev/null

boards: $(DEV) ## the boards' JSON made anew from their source
	@$(BIN)/cunjing boards write

pictures: $(DEV) ## every page of the desk as a picture, to look at
	@$(BIN)/python -m tests.pictures $(ARGS)

format: $(DEV) ## put the code into its one form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) ## what a message costs, and how soon it is durable
	@$(BIN)/python -m benchmarks $(ARGS)

score: $(DEV) ## how right it is about the world: SIZE=full, SEEDS='a b', ARGS='--world plain'
	@$(BIN)/python -m benchmarks.score $(if $(SIZE),--size $(SIZE)) $(if $(SEEDS),--seeds '$(SEEDS)') $(ARGS)

changelog: $(DEV) ## what the next release will tell operators
	@$(BIN)/towncrier build --draft --version next

clean: ## drop .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- how .venv comes to be -------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo "cunjing needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)."; \
		echo "If another one is installed, name it: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo "'$(PYTHON)' cannot make environments: its venv module lacks ensurepip."; \
		echo "On Debian and Ubuntu: apt-get install python3-venv, then run make again."; exit 1; } >&2
	@echo "making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)

# Stamps, so that a second call is quick. The runtime alone is enough for a demo; the tools come on top of it.
$(RUNTIME): requirements/build.txt requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "installing the runtime into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/build.txt
	@$(PIP_INSTALL) --require-hashes -r requirements/runtime.txt
	@$(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUNTIME)
	@echo "installing the tools into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# --- pins ------------------------------------------------------------------------------------------------------
# Exact versions with hashes, and no address: where packages come from is the machine's affair. A release less than
# a week old is not taken (cool-down). pip-tools lives apart, since nothing else may depend on it.

LOCK := $(VENV)/lock
PIP_COMPILE := $(LOCK)/bin/pip-compile --quiet --upgrade --allow-unsafe --strip-extras --generate-hashes \
	--no-header --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--uploaded-prior-to P7D

lock: | $(BIN)/python ## pin the newest allowed versions again
	$(PYTHON) -m venv $(LOCK)
	$(LOCK)/bin/python -m pip install --quiet --upgrade 'pip>=26' 'pip-tools>=7.6'
	$(PIP_COMPILE) --only-build-deps --build-deps-for editable --output-file requirements/build.txt pyproject.toml
	$(PIP_COMPILE) --extra demo --output-file requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --constraint requirements/runtime.txt --all-extras --output-file requirements/dev.txt pyproject.toml
