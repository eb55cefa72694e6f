# make demo   train and audit three real models, offline
# make test   all tests that need no browser
# make check  lint, types and the fast tests: under a minute
# make full   everything: simulations, kill tests, examples, the browser
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2

# Workers share the cores: threads inside each of them only get in the way.
test fast full browser: export OMP_NUM_THREADS = 1

.PHONY: demo test check lint types arrows fast full browser bench constraints docs clean

demo: $(READY)
	$(BIN)/audit demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not browser" --ignore=tests/browser

check: lint types arrows fast

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

arrows: $(READY)
	$(BIN)/lint-imports

# The tests of the judging side: what most changes can break, and what is quick.
fast: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow and not browser" tests/policy tests/spec tests/store tests/stats tests/registry

full: export HYPOTHESIS_PROFILE = explore
full: check test
	$(BIN)/python -m pytest -n $(WORKERS) -m "slow"
	$(BIN)/audit selftest --rounds 100
	$(BIN)/audit demo
	$(MAKE) browser

# Needs Chromium (Debian: apt-get install chromium) and the runs of `make demo`.
browser: $(READY) .venv/.browser
	$(BIN)/python -m pytest tests/browser -m browser

bench: $(READY)
	for name in $$(ls benchmarks/*.py | xargs -n1 basename | sed 's/\.py//' | grep -v '^_'); do $(BIN)/python -m benchmarks $$name || exit 1; done

docs: $(READY)
	$(BIN)/python -m docs.generate

constraints: $(READY)
	$(BIN)/python -m pip list --format=freeze | grep -viE '^(assay|pip|setuptools|wheel)==' | sed -E 's/\+cpu$$//' | sort -f > constraints.txt

clean:
	rm -rf .venv assay-demo audits artifacts

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

.venv/.browser: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,browser]"
	touch .venv/.browser
