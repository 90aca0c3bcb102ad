# The interface of this project: everything that a person or a CI does with it is a target here.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SOURCES := plugins include dags tests
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
COMPILE := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-emit-index-url \
	--no-emit-find-links --no-strip-extras

.PHONY: help
help: ## what can be made
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { print "\n" substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Try it

.PHONY: demo
demo: env ## run the main jobs on a real Airflow against the sandbox; ONCE=1 ends by itself
	@cd include && exec ../$(BIN)/python -m ocp_demo $(if $(ONCE),--once)

.PHONY: playground
playground: env ## Airflow and the sandbox with nothing in them yet, for the tutorial
	@cd include && exec ../$(BIN)/python -m ocp_demo --empty

##@ Work on it

.PHONY: env
env: $(BIN)/.complete ## create .venv from the pinned requirements and install the project in it

$(BIN)/.complete: requirements.txt requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.14 is needed; name it with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "$(PYTHON) has no venv module; install your system's python3-venv package"; exit 1; }
	@echo "creating .venv with $$($(PYTHON) --version) (a minute or two the first time)"
	@$(PYTHON) -m venv --clear .venv
	@$(INSTALL) --upgrade 'pip>=25' # an older one takes pins that have extras for no pins
	@$(INSTALL) --require-hashes --requirement requirements.txt --requirement requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@rm -rf plugins/*.egg-info # beside the installed metadata it would register the plugin a second time
	@touch $@

$(BIN)/.complete-more: $(BIN)/.complete requirements-more.txt
	@echo "adding what documentation and browser tests need"
	@$(INSTALL) --require-hashes --requirement requirements-more.txt
	@touch $@

.PHONY: test
test: env ## run the tests
	@$(BIN)/python -m pytest --quiet

.PHONY: lint
lint: env ## format, lint, types, import contracts
	@$(BIN)/ruff format --check $(SOURCES) docs/scripts
	@$(BIN)/ruff check $(SOURCES) docs/scripts
	@$(BIN)/mypy plugins/ocp_numbers include/ocp_sandbox include/ocp_demo include/ocp_cluster dags tests/bench
	@cd plugins && PYTHONPATH=../include ../$(BIN)/lint-imports --config ../pyproject.toml
	@$(BIN)/python -m pip check

.PHONY: check
check: lint test ## lint and test: what to run before each commit

.PHONY: format
format: env ## format the code and apply safe fixes
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

.PHONY: docs
docs: $(BIN)/.complete-more ## build the documentation into build/docs and check its links
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: screenshots
screenshots: $(BIN)/.complete-more ## take the pictures of the documentation again (needs Chromium)
	@cd include && exec ../$(BIN)/python -m ocp_demo --screenshots

.PHONY: pins
pins: ## compile the pinned requirements anew, with hashes, from the ranges in pyproject.toml (needs uv)
	$(COMPILE) pyproject.toml --extra s3 --output-file requirements.txt
	$(COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(COMPILE) --group browser --group docs --group hardening --constraint requirements.txt \
		--constraint requirements-dev.txt --output-file requirements-more.txt
	$(COMPILE) --group cluster --constraint requirements.txt --constraint requirements-dev.txt \
		--output-file requirements-cluster.txt

.PHONY: clean
clean: ## remove everything that make created
	rm -rf .venv .bench .demo .demo.lock build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

##@ Doubt it

.PHONY: secrets
secrets: env ## put a unique secret into every field, do everything on good and hostile platforms, and search for them
	@$(BIN)/python -m pytest tests/secrecy --quiet $(ARGS)

.PHONY: contract
contract: $(BIN)/.complete-more ## requests made from the OpenAPI document, fitting and not, against the sandbox
	@$(BIN)/python -m pytest tests/contract --quiet $(ARGS)

.PHONY: fuzz
fuzz: env ## thousands of hostile inputs for every parser, bombs, names; ARGS="--minutes 20 --examples 20000"
	@nice $(BIN)/python -m pytest tests/fuzz --quiet
	@nice $(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: fuzz-guided
fuzz-guided: $(BIN)/.complete-more ## pages changed towards untried lines of their decoder (Linux, x86-64, Python 3.11 to 3.13)
	@PYTHONPATH=tests nice $(BIN)/python -m fuzz.guided -max_total_time=300 $(ARGS)

.PHONY: prove
prove: env ## crash every call and every write of buying, provisioning, cleanup, bulk and export; count the damage
	@$(BIN)/python -m tests.crash $(ARGS)

.PHONY: soak
soak: env ## live 500 nights in minutes, with faults and deaths; ledger exact, memory, files and disk flat (10 min)
	@PYTHONPATH=tests:include nice $(BIN)/python -m soak $(ARGS)

.PHONY: mutants
mutants: $(BIN)/.complete-more ## change the code that decides, place by place, and count what no test notices (hours)
	@nice $(BIN)/python -m tests.mutants $(ARGS)

.PHONY: coverage
coverage: env ## run the tests and count the branches they take; pages in build/coverage
	@$(BIN)/python -m pytest --quiet --cov --cov-report=html --cov-report=term $(ARGS)

.PHONY: supply
supply: $(BIN)/.complete-more ## what the product stands on: declared, licensed, listed in build/licences.md and build/sbom.json
	@mkdir -p build
	@$(BIN)/deptry plugins dags
	@$(BIN)/pip-licenses --packages $$(sed -nE 's/^([a-z0-9._-]+)(\[[^]]*\])?==.*/\1/p' requirements.txt | sort -u) \
		--output-file build/licences.md
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json
	@$(BIN)/python -m pip check

.PHONY: bench
bench: env ## measure what is claimed: medians, ratios, peak memory; ONLY=dag_import for one
	@PYTHONPATH=tests:include $(BIN)/python -m bench $(ONLY)

.PHONY: test-ui
test-ui: $(BIN)/.complete-more ## use Airflow and the dashboard in a real browser (needs Chromium); pictures in build/ui
	@$(BIN)/python -m pytest tests/ui --quiet $(ARGS)

.PHONY: test-cluster
test-cluster: $(BIN)/.complete-cluster ## lose every component of that cluster in the middle of the jobs (about an hour)
	@$(BIN)/python -m pytest tests/cluster --quiet $(ARGS)

##@ Run it

.PHONY: cluster
cluster: $(BIN)/.complete-cluster ## PostgreSQL, Redis, Celery workers and all of Airflow on loopback, without containers
	@cd include && exec ../$(BIN)/python -m ocp_cluster

$(BIN)/.complete-cluster: $(BIN)/.complete requirements-cluster.txt
	@echo "adding what the distributed deployment needs"
	@$(INSTALL) --require-hashes --requirement requirements-cluster.txt
	@touch $@

.PHONY: up
up: ## build the image and start the deployment of docker-compose.yaml; waits until it is healthy
	@cd include && $(PYTHON) -m ocp_cluster.dotenv
	@docker compose build && docker compose up --detach --wait --wait-timeout 600

.PHONY: demo-up
demo-up: ## run the demo's jobs on the deployment of make up, against a sandbox in it
	@docker compose --profile sandbox up --detach --wait --wait-timeout 600
	@docker compose --profile sandbox --profile demo run --rm --no-deps demo

.PHONY: scale
scale: ## run N workers: make scale N=3
	@test -n "$(N)" || { echo "say how many workers: make scale N=3"; exit 1; }
	@docker compose up --detach --no-recreate --scale worker=$(N)

.PHONY: logs
logs: ## follow what the deployment prints
	@docker compose logs --follow --tail 50

.PHONY: down
down: ## stop the deployment; its data stays in its volumes
	@docker compose --profile sandbox --profile demo --profile flower down
