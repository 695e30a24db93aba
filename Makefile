# One file, few targets: `make help` lists them. Everything is installed into .venv from requirements.lock.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# uv reads no pip.conf: an index of your own is named by UV_DEFAULT_INDEX.
INSTALL := UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python
EXAMPLE ?= sample
DATA ?=
ACCOUNTS ?= 1000,10000
# Workers of the test runner: two more than a small machine has processors, since some tests mostly wait.
JOBS ?= 4
TESTS ?=
# They share the processors: threads of numpy and scikit-learn would wait for one another.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
CHECKS := check-types check-models check-sql check-definitions check-imports check-style
.PHONY: help install demo test test-fast check $(CHECKS) bench lock clean

# Processes that the tests start would compile our modules anew, each for itself, where this is set.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/installed ## install into .venv

$(VENV)/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (half a minute) ..."
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@$(INSTALL) --require-hashes --compile-bytecode -r requirements.lock
	@$(INSTALL) --no-deps -e .
	@touch $@

demo: install ## run the sample company, or EXAMPLE=oulad|churnsim|ravenstack DATA=<folder>
	@$(if $(filter-out sample,$(EXAMPLE)),CS_PIPELINE_HOME=.cs_pipeline_$(EXAMPLE)) $(BIN)/cs-pipeline demo \
		$(if $(filter-out sample,$(EXAMPLE)),--example $(EXAMPLE) --data "$(DATA)")

test: install ## run all checks and all tests
	@$(MAKE) --no-print-directory check
	$(PYTEST) $(TESTS)

test-fast: install ## tests without a database in a minute or two; TESTS=tests/plays/outbox all tests there
	$(PYTEST) $(or $(TESTS),-m "not slow and not database")

check: install ## formatting, types, imports, SQL style, definitions
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target --keep-going $(CHECKS)

# One thread or process each, side by side: more of each would do part of the work twice. The longest come first.
check-types:
	NODE_OPTIONS=--max-semi-space-size=128 $(BIN)/basedpyright --level error

check-sql:
	$(BIN)/sqlfluff lint cs_pipeline

check-models:
	cd dbt_project && ../$(BIN)/sqlfluff lint

check-definitions:
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/dg check defs

check-imports:
	$(BIN)/lint-imports

check-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: install ## measure; ACCOUNTS=1000,10000,100000 (a million: hours, 60 GB of disk)
	$(BIN)/python -m benchmarks --accounts $(ACCOUNTS)

lock: ## compile requirements.lock anew, and that of the image from it
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--extra embedded --extra ingest --extra celery --extra k8s --generate-hashes --no-header --no-emit-index-url --no-strip-extras --upgrade --quiet \
		--output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra k8s --extra celery --universal --python-version 3.11 --constraint requirements.lock \
		--generate-hashes --no-header --no-emit-index-url --no-strip-extras --quiet --output-file deploy/requirements.lock

clean: ## remove what runs leave behind, but not the data in .cs_pipeline
	rm -rf dbt_project/target dbt_project/logs .pytest_cache .ruff_cache .hypothesis build *.egg-info
