# `make` lists the targets. Everything works from a fresh clone on Debian 12 with Python 3.11 or newer.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run dev test venv venv-dev check fix bench pins python browser servers node

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_STAMP := .venv/.requirements
DEV_STAMP := .venv/.requirements-dev
# Environments of their own, each of a requirements-NAME.txt that says why.
BENCH_STAMPS := .venv-load/.requirements .venv-peers/.requirements
ARGS ?=
# Most tests of processes and the browser wait for something, so four at a time keep two cores busy; a file stays in one process,
# but for those that tests/order.py divides, which puts the longest files first: one that came last would run alone.
JOBS ?= 4
# Without bytecode each of the test processes, and each program that they start, compiles everything anew (seven seconds each).
test: export PYTHONDONTWRITEBYTECODE =

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

run: venv ## start the site on http://127.0.0.1:8050 (RIWAYAT_PORT chooses another port); Ctrl-C stops it
	@$(BIN)/python manage.py setup --for-run
	@exec $(BIN)/python serve.py

dev: venv-dev ## as run, and start anew at each change of the code, a style sheet or a translation
	@$(BIN)/python manage.py setup --for-run
	@exec $(BIN)/watchfiles --sigint-timeout 20 "$(BIN)/python serve.py" \
	access analysis api assets callbacks commands data figures jobs layouts locales reports *.py

test: venv-dev browser servers node ## linters, import contracts, types and all tests (ARGS= goes to pytest)
	@said=$$(mktemp); $(MAKE) check >$$said 2>&1 & check=$$!; \
	$(BIN)/python -m pytest --headless -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS); tests=$$?; \
	wait $$check; checks=$$?; cat $$said; rm -f $$said; \
	[ $$checks = 0 ] && echo "All checks passed." || echo "A check failed (above)."; \
	[ $$tests = 0 ] && exit $$checks || { echo "Tests failed (further up)."; exit $$tests; }

venv: $(RUN_STAMP) ## only .venv with the pinned runtime requirements

venv-dev: $(DEV_STAMP)

check: venv-dev ## linters of Python and JavaScript, import contracts, types, bandit, known vulnerabilities; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive . 2> >(grep -v "nosec encountered" >&2)
	@.ci/javascript
	@$(BIN)/python .ci/audit.py

fix: venv-dev ## let the linter and the formatter edit
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv-dev $(BENCH_STAMPS) ## measure (ARGS=--guard: nothing slower than committed? docs/performance.md tells more)
	@$(BIN)/python -m benchmarks $(ARGS)

pins: venv-dev ## write constraints.txt anew from what is installed in .venv
	@{ echo "# Exact versions of everything that requirements.txt and requirements-dev.txt bring, made by \`make pins\`."; \
	$(BIN)/python -m pip freeze --exclude pip --exclude setuptools; } > constraints.txt

$(BIN)/python: | python
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv

$(RUN_STAMP): requirements.txt constraints.txt | $(BIN)/python
	@echo "Installing the requirements into .venv (about half a minute; only when they have changed) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@echo "Installing the development requirements into .venv …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv-%/.requirements: requirements-%.txt | python
	@echo "Installing $< into .venv-$* …"
	@$(PYTHON) -m venv .venv-$*
	@.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

python:
	@[ -x $(BIN)/python ] || { command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; } || \
	{ echo "Riwayat needs Python 3.11 or newer ($(PYTHON) is not). On Debian 12: apt-get install python3; or name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo "Python's venv module is missing. As root: apt-get install python3-venv"; exit 1; }

browser:
	@.ci/browser

servers:
	@.ci/servers

node:
	@.ci/node || true
