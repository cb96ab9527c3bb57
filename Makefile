# Two commands do all the set-up on a machine with Python 3.11 and make:
#   make demo   verifies the bundled TalkStudio demo
#   make test   passes everything that CI checks

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 4

COVERED := gate demand dsse journal pipeline_state signing
JUDGES := gate gate_signed demand dsse journal pipeline_state signing
comma := ,
FAULT_RECORDS := $(CURDIR)/.fault_records
unexport PYTHONDONTWRITEBYTECODE  # every test that starts a process would compile the whole package again

.DEFAULT_GOAL := help
.PHONY: help demo rollback-demo test lint types layers unit report-tools machine-tools beside coverage mutants faults fault-tools database-server fuzz faults-table bench schemas docs clean browser

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# The pip that is there installs ours, in a quarter of the time in which a venv unpacks an old one that is then replaced.
$(VENV)/.pip:
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet 'pip>=25.1' || { $(PYTHON) -m venv $(VENV) \
	  && $(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'; }
	@touch $@

# --no-compile: Python compiles what is imported, which is a small part of what is installed, in half the time of all.
$(VENV)/.base: pyproject.toml | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[all]' --group demo
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.pip
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[all]' --group dev
	@touch $(VENV)/.base $@

browser: $(VENV)/.base ## find a browser for UI checks, or install one
	@bash scripts/install-browser.sh $(BIN)

demo: browser ## set up, then verify the bundled demo
	$(BIN)/pytest --target=development

rollback-demo: browser ## a bad release is rolled back, blue/green and canary, nobody loses a request (FAULT=api-500)
	$(BIN)/python -m demo.rollback $(FAULT)

test: ## set up, then everything that CI checks
	$(MAKE) --jobs=2 --output-sync=target $(VENV)/.dev machine-tools
	$(MAKE) --jobs=2 --output-sync=target browser lint
	$(MAKE) --jobs=2 beside unit

beside: # what takes the time that the tests wait, and is done long before them
	nice -n 10 $(MAKE) types layers coverage

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

coverage: $(VENV)/.dev ## branch coverage of verdict and gate: 100 %
	$(BIN)/coverage erase
	$(BIN)/coverage run --rcfile=pyproject.toml -m pytest -q -p no:playwright tests/domain $(JUDGES:%=tests/test_%.py)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=100 --skip-covered --show-missing \
	  --include='src/postdeploy/domain/*,$(subst $() ,$(comma),$(COVERED:%=src/postdeploy/%.py))'

mutants: $(VENV)/.dev ## mutate verdict, gate and journal; say how many mutants no test noticed (hours)
	$(BIN)/mutmut run --max-children $(WORKERS)
	$(BIN)/python -m scripts.mutants

unit: $(VENV)/.dev fault-tools database-server report-tools # all that coverage does not run
	rm -rf $(FAULT_RECORDS)
	FAULT_RECORDS=$(FAULT_RECORDS) $(BIN)/python -m pytest -q -p no:playwright -n $(WORKERS) --dist worksteal --reruns 1 \
	  tests --ignore=tests/pipeline_tools --ignore=tests/domain $(JUDGES:%=--ignore=tests/test_%.py)
	$(BIN)/python -m scripts.fault_matrix --check $(FAULT_RECORDS)

report-tools: # what the tests read reports with
	@bash scripts/install-report-tools.sh $(VENV)/report-tools

pipelines: $(VENV)/.dev ## run the pipelines of docs/how-to/ with the tools of their own systems
	@bash scripts/install-pipeline-tools.sh $(BIN)
	REQUIRE_PIPELINE_TOOLS=yes $(BIN)/python -m pytest -q -p no:playwright -n $(WORKERS) tests/pipeline_tools

machine-tools: # one after the other, as apt wants it
	$(MAKE) fault-tools
	$(MAKE) database-server
	$(MAKE) report-tools

fault-tools: # what the fault suite injects faults with
	@bash scripts/install-fault-tools.sh

database-server: # what the tests of the history keep it in
	@bash scripts/install-postgresql.sh

faults: $(VENV)/.dev browser fault-tools ## as root: inject every fault, and write docs/reference/fault-matrix.md
	rm -rf $(FAULT_RECORDS)
	status=0; FAULT_RECORDS=$(FAULT_RECORDS) $(BIN)/python -m pytest -q -p no:playwright -n $(WORKERS) --dist worksteal \
	  --reruns 1 tests/faults || status=$$?; $(BIN)/python -m scripts.fault_matrix $(FAULT_RECORDS) && exit $$status

fuzz: $(VENV)/.dev ## fuzz what reads configuration, verdicts, answers and reports, for ten minutes
	$(BIN)/python -m scripts.fuzz

faults-table: $(VENV)/.base browser ## run every demo fault and write docs/reference/faults.md
	$(BIN)/python -m scripts.faults_table

schemas: $(VENV)/.base ## write the JSON Schemas from the tables that read the files
	$(BIN)/python -m postdeploy.config.schema

bench: $(VENV)/.dev browser ## measure, and write docs/reference/benchmarks.md
	$(BIN)/python -m benchmarks --write

clean: ## remove what was built and measured
	rm -rf $(VENV) .venv-installed build dist mutants .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .fault_records
	find reports -mindepth 1 ! -name README.md -delete
