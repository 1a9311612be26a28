# What people type. Everything that decides lives in `python -m ops`; this file only finds Python and calls it.
# `make` or `make help` lists the targets. Variables: STACK (default dev), BACKUP_DIR, RETENTION_DAYS, FROM, TO,
# DRILLS (folders and files of tests); FORCE and NEW count only as 1, and only when typed after `make`: what a shell
# exports may be meant for something else.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

STACK ?= dev
ifeq ($(strip $(STACK)),)
$(error STACK is empty: name a stack, such as STACK=dev, or leave it out for dev)
endif
export STACK

VENV := .venv
PY := $(VENV)/bin/python
OPS := $(PY) -m ops
STAMP := $(VENV)/.installed
PYTEST := $(PY) -m pytest
DRILLS := tests/e2e tests/stores tests/kubernetes/test_scale.py tests/kubernetes/test_environments.py tests/kubernetes/test_strimzi.py
IS_RECENT := import sys, ensurepip; sys.exit(sys.version_info < (3, 10))

typed = $(if $(findstring command line,$(origin $(1))),$(filter 1,$($(1))))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@printf '\n  STACK=%s chooses Pulumi.%s.yaml; python -m ops <command> --help lists all options\n' '$(STACK)' '$(STACK)'

.PHONY: venv
venv: $(STAMP) ## set up .venv with the locked packages

$(STAMP): requirements-dev.lock
	@$(PY) -c '$(IS_RECENT)' 2>/dev/null || { $(MAKE) .python; }
	@echo "Installing the locked packages into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $< || { \
		echo 'failed: the locked packages could not be installed (see above)' >&2; \
		echo 'to do:  check that pip reaches a package index (pip config list), then: make venv' >&2; exit 1; }
	@touch $@

.PHONY: .python
.python:
	@for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
		if $$name -c '$(IS_RECENT)' 2>/dev/null; then exec $$name -m venv --clear $(VENV); fi; done; \
	echo "failed: no Python 3.10 or newer with venv and pip (python3 is $$(python3 --version 2>&1))" >&2; \
	echo 'to do:  install one, for example: sudo apt-get install python3 python3-venv python3-pip' >&2; exit 1

.PHONY: up down destroy preview render doctor outputs
up: $(STAMP) ## set up what is missing, deploy, prove it with live telemetry
	@$(OPS) up

down: $(STAMP) ## remove everything but the data
	@$(OPS) down

destroy: $(STAMP) ## remove everything, data included (asks first)
	@$(OPS) destroy

preview: $(STAMP) ## show what up would change
	@$(OPS) preview

render: $(STAMP) ## from phase 3: write the manifests for Git: make render TO=<folder>
	@$(OPS) render $(if $(TO),--to "$(TO)") $(if $(call typed,NEW),--new)

doctor: $(STAMP) ## check what up needs, change nothing
	@$(OPS) doctor

outputs: $(STAMP) ## endpoints and limits for other teams
	@$(OPS) outputs

.PHONY: smoke health password forward
smoke: $(STAMP) ## send a trace, a log, a metric; find them in the stores
	@$(OPS) smoke

health: $(STAMP) ## programs, scrapes, queues, losses, disk
	@$(OPS) health

password: $(STAMP) ## print Grafana's admin password
	@$(OPS) password

forward: $(STAMP) ## from phase 3, or by ssh: open Grafana and the others on 127.0.0.1
	@$(OPS) forward

.PHONY: lag topics deadletters
lag: $(STAMP) ## from phase 2: what each group of consumers still has to read
	@$(OPS) lag

topics: $(STAMP) ## from phase 2: partitions, copies in sync, retention, size
	@$(OPS) topics

deadletters: $(STAMP) ## from phase 2: records that were passed over
	@$(OPS) deadletters list

.PHONY: backup restore
backup: $(STAMP) ## back up data, encrypted state, configuration
	@$(OPS) backup

restore: $(STAMP) ## restore a backup: make restore FROM=backups/dev-...
	@if [ -z "$(FROM)" ]; then echo "failed: which backup?" >&2; \
		echo "to do:  make restore FROM=backups/<backup> (FORCE=1 replaces data that is there)" >&2; exit 2; fi
	@$(OPS) restore $(if $(call typed,FORCE),--force) "$(FROM)"

.PHONY: test test-unit test-engine test-e2e drills bench lint lab
test: $(STAMP) lint ## all tests; prepares the lab where the network is closed
	@$(OPS) prepare
	@$(PY) -m tests

test-unit: $(STAMP) ## tests that need no engine
	@$(PYTEST) tests/unit

test-engine: $(STAMP) ## the real Pulumi CLI against the lab's providers
	@$(PYTEST) tests/engine

test-e2e: $(STAMP) ## the stack on a real Docker Engine
	@$(PYTEST) tests/e2e

bench: $(STAMP) ## phase 2's throughput against the guide's configuration, 25 minutes
	@$(PY) -m tests.bench

drills: $(STAMP) ## everything that takes minutes: drills of all phases, stores on S3, 100 simulated nodes
	@$(PY) -m tests.lab prepare
	@$(PY) -m tests.lab operators
	@CI=true $(PYTEST) $(DRILLS) --drills

lint: $(STAMP) ## ruff and mypy
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && $(PY) -m mypy

lab: $(STAMP) ## prepare the closed-network lab
	@$(PY) -m tests.lab prepare

.PHONY: cluster cluster-down
cluster: $(STAMP) ## start the lab's Kubernetes node (needs root)
	@$(PY) -m tests.lab cluster up

cluster-down: $(STAMP) ## stop it and remove all that it has made
	@$(PY) -m tests.lab cluster down
