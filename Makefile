# Two commands matter: `make run` starts everything on this machine, `make test` proves it. `make help` lists the rest.
# Only Python 3.11 and make are needed: the database server and the rest come as wheels, pinned with their hashes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
JOBS ?= 2
ARGS ?=
# The first Python 3.11 that starts (a version manager's shim may exist and refuse to run).
PYTHON ?= $(shell for python in python3.11 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1 && echo "$$python" && break; done)
# --no-deps: the lock file is the whole tree. --only-binary: no compiler is ever needed.
INSTALL := $(PY) -m pip install --disable-pip-version-check --require-hashes --no-deps --only-binary=:all:

help:  ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "Everything else the program can do: $(PY) -m tocsin --help"

run: $(VENV)/.runtime  ## Start everything: PostgreSQL, Valkey, API, relay, worker, scheduler (Ctrl-C stops it)
	@exec $(PY) -m tocsin up --stop-with-parent $(ARGS)

# The tests start the program two hundred times: without bytecode each start would compile a thousand modules anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev  ## Run every test against real services, with coverage (ARGS='-k name' narrows it)
	@$(PY) -m pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term --durations=30 --durations-min=5 $(ARGS)

check: $(VENV)/.dev  ## Lint, types, import rules; schema.graphql up to date and kind to clients; migrations
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PY) -m graphql_api.schema --check
	$(PY) -m graphql_api.schema_changes
	$(PY) -m tests.services.check_migrations

fmt: $(VENV)/.dev  ## Format the code and mend what lint can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

schema: $(VENV)/.dev  ## Write schema.graphql from the code, and the models of the Python client from it
	$(PY) -m graphql_api.schema --write
	$(PY) docs/clients/python/generate.py

release-schema: $(VENV)/.dev  ## Keep schema.graphql as that of the version in pyproject.toml: the next is compared with it
	$(PY) -m graphql_api.schema_changes --release $(ARGS)

migration: $(VENV)/.dev  ## Draft a migration from the tables: make migration NAME=0004_what_it_does
	@test -n "$(NAME)" || { echo "usage: make migration NAME=0004_what_it_does" >&2; exit 2; }
	$(PY) -m tests.services.check_migrations --draft "$(NAME)"

bench: $(VENV)/.dev  ## Measure ingest beside a peer and a floor, in one run; writes bench/README.md (ARGS picks parts)
	$(PY) -m bench $(ARGS)

docs: $(VENV)/.dev  ## Write the generated pages of docs/ (settings, commands, moves of an alert)
	$(PY) -m docs.generate

lock: $(VENV)/.dev  ## Resolve the dependencies of pyproject.toml anew and pin them (ARGS=--upgrade for newer ones)
	$(PY) -m uv pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--output-file requirements/runtime.lock --quiet $(ARGS)
	$(PY) -m uv pip compile pyproject.toml --group dev --constraint requirements/runtime.lock --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --output-file requirements/dev.lock --quiet $(ARGS)

clean:  ## Remove the virtual environment, caches and test services (never .tocsin, your data)
	rm -rf $(VENV) .services .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Tocsin needs Python 3.11 and none was found: install it, or name it (make run PYTHON=/path/to/python3.11)" >&2; exit 1; }
	@echo "Making the virtual environment $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "This Python cannot make virtual environments (on Debian: apt install python3-venv)" >&2; exit 1; }
	@touch $@

# A newer lock file is installed over the old one; an unchanged one costs nothing.
$(VENV)/.runtime: $(VENV)/.python requirements/runtime.lock
	@echo "Installing the pinned dependencies (once; about 150 MB)"
	@$(INSTALL) -r requirements/runtime.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.python requirements/dev.lock
	@echo "Installing the pinned development dependencies (once)"
	@$(INSTALL) -r requirements/dev.lock
	@touch $(VENV)/.runtime $@

.PHONY: help run test check fmt schema release-schema migration bench docs lock clean
