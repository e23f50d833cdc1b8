# The two commands are `make run` and `make test`; `make help` lists the rest.
# Settings are environment variables with the prefix CREDLEDGER_ (deploy/README.md): CREDLEDGER_PORT=8010 make run
.DEFAULT_GOAL := help
.PHONY: help run status test check bench soak lock environment environment-dev
PY := .venv/bin/python
SCALE ?= scaled
# One resolution for every platform and Python; no index address may get into a lock.
COMPILE := .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra local

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: environment ## set up and start PostgreSQL, NATS and the three services; Ctrl-C stops them
	@$(PY) deploy/local.py

status: environment ## what runs on this data
	@$(PY) deploy/local.py status

# The browser's client keeps an event loop running, so its tests have a process of their own; those of the bus, which
# freeze their server and measure how long it takes to be given up, have the machine for themselves.
test: environment-dev ## set up and run the tests, two files at a time
	@$(PY) -m pytest -n 2 --dist loadfile --ignore tests/browser --ignore tests/bus $(PYTEST)
	@$(PY) -m pytest tests/bus $(PYTEST)
	@$(PY) -m pytest tests/browser $(PYTEST)

check: environment-dev ## format, lint, types, import rules, spelling, dependencies
	@.venv/bin/ruff format --check --quiet --no-cache . || { echo "run: .venv/bin/ruff format ."; exit 1; }
	@.venv/bin/ruff check --quiet --no-cache .
	@.venv/bin/mypy
	@.venv/bin/mypy -p deploy
	@.venv/bin/lint-imports
	@.venv/bin/codespell
	@.venv/bin/deptry shared services deploy

bench: environment-dev ## measure; writes docs/benchmarks.md and .json (SCALE=full without limit)
	@SCALE=$(SCALE) $(PY) -m tests.bench

soak: environment-dev ## the long run: load for hours, then every invariant
	@$(PY) -m tests.bench.soak

lock: environment-dev ## resolve the dependencies anew, with hashes
	@$(COMPILE) -o requirements.lock pyproject.toml
	@$(COMPILE) --extra dev --extra hsm -c requirements.lock -o requirements-dev.lock pyproject.toml

environment:
	@sh deploy/environment.sh requirements.lock

environment-dev:
	@sh deploy/environment.sh requirements-dev.lock
