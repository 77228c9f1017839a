# The development tasks of this project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed
COMPILE := uv pip compile pyproject.toml --quiet --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --python-version 3.11 --universal
BENCHMARKS := research history sizing overhead cancel service restart ledger calibration scaling tasks
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install research up test lint check bench $(BENCHMARKS:%=bench-%) lock

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done
	@printf '  make bench-%-4s %s\n' NAME 'Run one benchmark: $(BENCHMARKS)'

install: $(INSTALLED) ## Create .venv and install the pinned dependencies

research: $(INSTALLED) ## Run one research with the embedded stack: ARGS='--symbol NASDAQ --trials 30'
	@$(VENV)/bin/ktrdr research --embedded $(ARGS)

up: $(INSTALLED) ## Run the embedded stack until Ctrl-C
	@$(VENV)/bin/ktrdr up $(ARGS)

test: $(INSTALLED) ## Run all tests: ARGS='-k resume'
	@$(VENV)/bin/pytest $(ARGS)

lint: $(INSTALLED) ## Check format, lint and strict types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy .

check: lint test ## Run everything that must pass before a commit

bench: $(BENCHMARKS:%=bench-%) ## Run all benchmarks

$(BENCHMARKS:%=bench-%): bench-%: $(INSTALLED)
	@$(VENV)/bin/python -m bench.$*

lock: ## Pin the newest versions that pyproject.toml allows (needs uv)
	@command -v uv >/dev/null || { \
		echo 'Locking needs uv: install it (pipx install uv).' >&2; \
		exit 1; }
	@$(COMPILE) --upgrade --extra dev -o requirements-dev.lock
	@$(COMPILE) --constraint requirements-dev.lock --extra build --extra tracing --extra yahoo \
		-o requirements.lock

# The stamp is written last, so an interrupted installation is repeated.
$(INSTALLED): requirements-dev.lock pyproject.toml
	@PYTHON='$(PYTHON)' sh deploy/prerequisites.sh
	@PYTHON='$(PYTHON)' sh deploy/install.sh $(VENV)
	@touch $@
