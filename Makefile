# Every target sets up what it needs: one virtual environment, shared, from requirements.lock.
PYTHON ?= python3
# An interpreter that is asked for makes the environment anew where it is of another version.
ASKED := $(if $(filter file,$(origin PYTHON)),,--this-python)
BIN := .venv/bin
ROOMS := release clients config tasks flows deployments sandbox
JOBS ?= 2
# A release waits for its pods now and then, and another one has the processors meanwhile.
SLOW_JOBS ?= 3

# What is compiled once is read by every later program: each then starts a second earlier.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo tour sandbox test test-all bench-back bench-board bench-failing bench-sandbox bench-scrape bench-verdict bench-webhook check format lock

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## Make the virtual environment, unless it is up to date
	@$(PYTHON) scripts/bootstrap.py $(ASKED)

demo: setup ## Good releases, a bad canary and a refused one in a new sandbox, instead of the one there is (KEEP=1 leaves it up)
	@$(BIN)/python -m sandbox.demo

tour: setup ## Every pipeline and strategy, good and bad, in a new sandbox, instead of the one there is
	@$(BIN)/python -m sandbox.tour

sandbox: setup ## Start the sandbox and leave it up
	@$(BIN)/tidegate sandbox up

test: setup ## The fast suite
	@$(BIN)/pytest -q -n $(JOBS) --dist loadfile -m "not slow"

test-all: setup ## What is slow: the sandbox's parts, and every pipeline on it
	@$(BIN)/pytest -q -n $(SLOW_JOBS) --dist loadfile -m slow

bench-verdict: setup ## The verdict's times and errors against its table, seeded (FULL=1 for every run)
	@$(BIN)/python -m benchmarks.verdict

bench-scrape: setup ## How long a scrape of /metrics takes with 10,000 past releases, also the first after a start
	@$(BIN)/python -m benchmarks.scrape

bench-board: setup ## How soon the board is there in a browser, with 64 regions and 1,000 past releases
	@PYTHONPATH=tests/support:tests/deployments $(BIN)/python -m benchmarks.board

bench-webhook: setup ## How soon a webhook is acknowledged, with Prefect up, hanging and gone
	@$(BIN)/python -m benchmarks.webhook

bench-sandbox: setup ## How fast the control plane is ready, and how long Helm waits for ten replicas
	@$(BIN)/python -m benchmarks.sandbox

bench-failing: setup ## Failing requests until a bad canary is off traffic (RUNS=20 whole releases, 15 minutes)
	@$(BIN)/python -m benchmarks.failing_requests

bench-back: setup ## Time from the verdict to all regions' users back, beside a bare API write (RUNS, REGIONS)
	@$(BIN)/python -m benchmarks.traffic_back

check: setup ## Format, lint, types and layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(ROOMS:%=-p %)
	@$(BIN)/lint-imports

format: setup ## Format the code and sort its imports
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format -q .

lock: setup ## Write requirements.lock anew, without addresses
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url --all-extras \
		--python-version 3.11 pyproject.toml -o requirements.lock
