# Two commands, either of which may be run first on a machine with Python >= 3.11, pip and make:
#   make demo   the whole system at work, and under attack
#   make test   every check there is
# Both set up what they need. PYTHON=... chooses the interpreter of the virtual environment.

SHELL := /bin/bash
VENV ?= .venv
PYTHON ?=
export VENV PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint venv servers clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo-ready ## start a broker and a worker, send work, attack it, show what happened
	@$(VENV)/bin/safecelery demo

test: $(VENV)/.dev-ready servers ## every check: style, types, layers, all tests on real brokers, the wheel on every Python
	@scripts/test.sh

test-fast: $(VENV)/.dev-ready ## style, types, and the tests that need no server
	@scripts/test.sh fast

lint: $(VENV)/.dev-ready ## style, types and layers only
	@scripts/test.sh lint

venv: $(VENV)/.dev-ready ## the virtual environment for development

servers:
	@scripts/servers.sh

clean: ## remove the virtual environment and everything built
	rm -rf $(VENV) dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A stamp is as old as the installation it stands for, so a second run installs nothing.
$(VENV)/.demo-ready: pyproject.toml
	@scripts/venv.sh demo

$(VENV)/.dev-ready: pyproject.toml
	@scripts/venv.sh dev
