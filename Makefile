# Everything sets itself up: `make demo` and `make test` work on a fresh machine with Python 3.11+.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# faiss-gpu and faiss-cpu are one module: take the one that fits this machine.
EXTRA := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
INSTALLED := $(VENV)/.installed-$(EXTRA)

.PHONY: demo serve ui test test-slow test-all lint bench clean

demo: $(INSTALLED)  ## build the miniature museum, answer a query, serve until Ctrl-C
	$(BIN)/retrievals demo

serve: $(INSTALLED)  ## the HTTP API and its page
	$(BIN)/retrievals serve

ui: $(INSTALLED)  ## the Dagster webserver and daemon
	$(BIN)/retrievals ui

test: $(INSTALLED)  ## the quick tests: no network, no GPU
	$(BIN)/pytest -n 2 --dist loadscope -m "not slow"

test-slow: $(INSTALLED)  ## the slow ones: kills, the live daemon, the browser
	$(BIN)/pytest -m slow

test-all: test test-slow  ## both

lint: $(INSTALLED)  ## style, types, and Dagster's own check of the definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/dg check defs

bench: $(INSTALLED)  ## the benchmarks; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean:  ## remove what was built here: the environment, caches, and the demo's artifacts
	rm -rf $(VENV) .retrievals/demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[pipeline,explanations,telemetry,dev,$(EXTRA)]"
	touch $@
