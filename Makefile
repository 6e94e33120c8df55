# Everything lives in .venv: `make clean` removes it. PORT= and HOST= say where `make demo` listens.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
UV = $(shell command -v uv || echo $(BIN)/uv)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --constraint requirements.lock
PROJECT := pyproject.toml requirements.lock
MODELS := models
LISTEN = $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))
TESTS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# A virtual environment that happens to be active is not ours.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help demo install test lint bench docs screenshots lock sbom clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: $(VENV)/.models ## install, build the demo models and serve them (PORT=8080 HOST=127.0.0.1)
	@exec $(BIN)/explainer demo --models $(MODELS) $(LISTEN)

install: $(VENV)/.models ## install what the demo needs and build its models, and serve nothing

test: $(VENV)/.test ## install what the tests need and run them all (TESTS=tests/registry; REQUIRE_ALL=1: a skip fails)
	@exec $(BIN)/python -m pytest $(TESTS)

lint: $(VENV)/.lint ## style, format, types, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.test ## the benchmarks, into benchmarks/results
	@exec $(BIN)/python -m benchmarks

docs: $(VENV)/.test ## check that links lead somewhere and that the documented commands, settings and routes exist
	@exec $(BIN)/python -m pytest tests/docs

screenshots: $(VENV)/.test $(VENV)/.models ## each page of the demo at 1440 and 390 px, light and dark, into screenshots/
	@$(BIN)/python .ci/screenshots.py screenshots

lock: $(BIN)/uv ## resolve requirements.lock anew, for Python 3.11 to 3.13
	@$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --upgrade \
	  --no-emit-index-url --custom-compile-command 'make lock' pyproject.toml --output-file requirements.lock

sbom: $(VENV)/.demo ## the bill of materials as CycloneDX, into explainer.cdx.json
	@$(BIN)/python .ci/sbom.py < requirements.lock > explainer.cdx.json

clean: ## remove .venv, caches and build results; var/ stays
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find explainer webui tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.demo: $(PROJECT) | $(BIN)/uv
	@echo "Installing what the demo needs into $(VENV) ..." >&2
	@$(INSTALL) --editable '.[demo]'
	@$(BIN)/python -m explainer.attribution.trees.warm
	@touch $@

$(VENV)/.models: $(VENV)/.demo $(shell find explainer/demo -type f -not -path '*/__pycache__/*')
	@echo "Training and registering the demo models ..." >&2
	@$(BIN)/python -m explainer.demo.build $(MODELS) >/dev/null
	@$(BIN)/explainer demo --models $(MODELS) --build-only
	@touch $@

$(VENV)/.test: $(PROJECT) | $(BIN)/uv
	@echo "Installing what the tests need into $(VENV) ..." >&2
	@$(INSTALL) --editable '.[test]'
	@$(BIN)/python -m explainer.attribution.trees.warm
	@touch $@ $(VENV)/.demo

$(VENV)/.lint: $(PROJECT) | $(BIN)/uv
	@echo "Installing the linters, and what they look into, into $(VENV) ..." >&2
	@$(INSTALL) --editable '.[lint,test]'
	@touch $@

$(BIN)/uv: | $(BIN)/python
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet 'uv>=0.5'
	@test -e $@ || ln -s "$$(command -v uv)" $@

# The first Python that runs and is one of ours; names alone say little (version managers put up names that only fail).
$(BIN)/python:
	@for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	  found=$$($$name -c 'import sys; print(sys.executable if (3, 11) <= sys.version_info[:2] <= (3, 13) else "")' 2>/dev/null) || continue; \
	  [ -n "$$found" ] || continue; \
	  if command -v uv >/dev/null; then uv venv --quiet --python "$$found" $(VENV) && exit 0; \
	  elif "$$found" -m venv $(VENV) 2>/dev/null; then exit 0; fi; \
	  rm -rf $(VENV); \
	done; \
	echo "There is no Python 3.11, 3.12 or 3.13 that can make a virtual environment; install one (Debian: python3 python3-venv)" >&2; \
	echo "or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1
