# The development tasks of this project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
# Tests and benchmarks start hundreds of processes. None of them has to compile the code anew.
unexport PYTHONDONTWRITEBYTECODE
# An upgrade of the system takes the Python of .venv away, or makes another of it: install anew.
GONE := $(shell $(VENV)/bin/python -c 'import pip' 2>/dev/null || rm -f $(VENV)/.installed-*)
# What it takes to develop ktrdr, and what to run it with its embedded stack, which is part of that.
DEVELOPMENT := $(VENV)/.installed-dev
INSTALLED := $(firstword $(wildcard $(DEVELOPMENT)) $(VENV)/.installed-embedded)
UV ?= $(VENV)/bin/uv
# One version of a package for all Pythons where there is one, so that all compute the same.
COMPILE = $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate \
	--python-version 3.11 --universal --fork-strategy fewest
BENCHMARKS := account research history sizing overhead cancel service restart ledger calibration scaling tasks universe search pollers campaign fuzz
# What needs no server.
QUICK := tests/quant tests/storage tests/cli -k 'not postgresql'
ARGS ?=
# Databases of tests take less time in memory, where it has room and programs of tests may run.
MEMORY = $(shell d=/dev/shm; [ -w $$d ] && [ $$(df -k --output=avail $$d | tail -n 1) -gt 6000000 ] \
	&& ! grep -q " $$d [^ ]* [^ ]*noexec" /proc/mounts && echo TMPDIR=$$d)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install install-dev research up test test-all test-page test-quick coverage test-containers format lint check bench \
	$(BENCHMARKS:%=bench-%) lock lock-check

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do \
		printf '  make %-15s %s\n' "$$name" "$$text"; done
	@printf '  make bench-%-9s %s\n' NAME 'Run one benchmark: $(BENCHMARKS)'

install: $(INSTALLED) ## Create .venv and install what ktrdr needs to run

install-dev: $(DEVELOPMENT) ## Install what tests, checks and benchmarks need, too

research: $(INSTALLED) ## Run one research with the embedded stack: ARGS='--symbol NASDAQ --trials 30'
	@$(VENV)/bin/ktrdr research --embedded $(ARGS)

up: $(INSTALLED) ## Run the embedded stack until Ctrl-C
	@$(VENV)/bin/ktrdr up $(ARGS)

test: $(DEVELOPMENT) ## Run the tests that are not long: ARGS='-k resume'
	@$(MEMORY) $(VENV)/bin/pytest -m 'not long and not browser' $(ARGS)

test-page: $(DEVELOPMENT) ## Run the tests of the page, in Chromium
	@$(VENV)/bin/pytest tests/page $(ARGS)

test-all: $(DEVELOPMENT) ## Run all tests, also of the page, and those that kill, wait, restart and upgrade
	@$(VENV)/bin/pytest $(ARGS)

coverage: $(DEVELOPMENT) ## Run all tests and show the lines that none of them reaches
	@$(VENV)/bin/coverage erase
	@COVERAGE_FILE='$(CURDIR)/.coverage' $(VENV)/bin/coverage run -m pytest $(ARGS)
	@$(VENV)/bin/coverage combine --quiet
	@$(VENV)/bin/coverage report

test-containers: $(DEVELOPMENT) ## Build the image, run the installation in containers: ARGS='-k back_up'
	@$(VENV)/bin/pytest --verbose --durations=0 --durations-min=5 -o run_limit=5400 \
		tests/container $(ARGS)

format: $(DEVELOPMENT) ## Format the code, and fix what can be fixed
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format --quiet .

test-quick: $(DEVELOPMENT) ## Run the unit tests, in less than a minute
	@$(VENV)/bin/pytest $(QUICK) $(ARGS)

lint: $(DEVELOPMENT) ## Check format, lint, strict types, layers of imports and declared dependencies
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy .
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(VENV)/bin/deptry --no-ansi .

check: lint test ## Run what must pass before a commit

bench: $(BENCHMARKS:%=bench-%) ## Run all benchmarks

$(BENCHMARKS:%=bench-%): bench-%: $(DEVELOPMENT)
	@$(VENV)/bin/python -m bench.$*

lock: ## Pin what pyproject.toml asks for, or its newest versions: ARGS=--upgrade
	@command -v $(UV) >/dev/null || { \
		echo 'There is no $(UV): run `make install-dev`, or name another with `make lock UV=uv`.' >&2; \
		exit 1; }
	@$(COMPILE) $(ARGS) pyproject.toml --group build --all-extras -o requirements-dev.lock
	@$(COMPILE) --constraint requirements-dev.lock pyproject.toml --group build \
		--extra embedded --extra tracing --extra yahoo -o requirements-embedded.lock
	@$(COMPILE) --constraint requirements-dev.lock pyproject.toml \
		--extra tracing --extra yahoo -o requirements.lock
	@$(COMPILE) --constraint requirements-dev.lock --group build -o requirements-build.lock

lock-check: $(DEVELOPMENT) ## Check that all pins have wheels for every supported Python and processor
	@UV='$(UV)' .ci/locks

# The stamp is written last, so an interrupted installation is repeated.
$(VENV)/.installed-%: requirements-%.lock pyproject.toml
	@PYTHON='$(PYTHON)' sh deploy/prerequisites.sh
	@PYTHON='$(PYTHON)' sh deploy/install.sh $(VENV) $<
	@touch $@
