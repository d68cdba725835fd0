# `make` lists the targets. Everything lives in .venv/ and node_modules/; `make clean` forgets both.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
VENDOR := gateway/web/static/vendor
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes -r
ARGS   ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo test test-service chaos setup system check fix generated coverage bench bench-smoke wheel deb lock clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- What people type -----------------------------------------------------------------------------------------------

demo: $(VENV)/.runtime node_modules/.placed  ## run the gateway on demo sensors (ARGS="--port 8081")
	@tools/apt.sh "mosquitto=mosquitto mosquitto-clients" \
		|| { echo "For now a broker in Python does."; $(MAKE) --no-print-directory $(VENV)/.broker; }
	@$(BIN)/gatewayctl demo $(ARGS)

test: setup  ## run every test (ARGS="tests/unit -x" for some)
	$(BIN)/python -m pytest $(ARGS)

test-service: setup  ## test the package and the service on a small Debian with a real systemd; root only, some minutes
	@tools/apt.sh debootstrap=debootstrap systemd-nspawn=systemd-container gdb=gdb lintian=lintian \
		dh=debhelper dpkg-buildpackage=dpkg-dev
	SERVICE_TESTS=1 $(BIN)/python -m pytest tests/service $(ARGS)

chaos: setup  ## try to break it, for about 20 minutes (CHAOS_SEED=N does the same again)
	CHAOS_LONG=1 $(BIN)/python -m pytest tests/chaos $(ARGS)

setup: system $(VENV)/.dev node_modules/.placed  ## make .venv/ with the project and its tools
	@tools/promtool.sh

check: $(VENV)/.dev node_modules/.placed  ## lint, types, layers, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/gatewayctl config sample | diff -u gateway.toml - || { echo "gateway.toml is stale: make fix" >&2; exit 1; }
	@$(BIN)/gatewayctl config schema | diff -u config/gateway.schema.json - \
		|| { echo "config/gateway.schema.json is stale: make fix" >&2; exit 1; }

fix: $(VENV)/.dev generated  ## format, fix what can be fixed, write generated files
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generated: $(VENV)/.dev
	$(BIN)/gatewayctl config sample > gateway.toml.new && mv gateway.toml.new gateway.toml
	$(BIN)/gatewayctl config schema > gateway.schema.new && mv gateway.schema.new config/gateway.schema.json

coverage: setup  ## run the tests and report which lines they reach in their own process
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report --show-missing --skip-covered

bench: $(VENV)/.dev node_modules/.placed  ## measure against the naive gateway and a bare broker, for 25 minutes (bench/README.md)
	@tools/apt.sh mosquitto=mosquitto cc=gcc\ libc6-dev
	$(BIN)/python bench/run.py --peers ours,naive,mosquitto-ws --against naive,mosquitto-ws --scenarios table \
		--repeat 3 $(ARGS)
	$(BIN)/python bench/run.py --peers ours --scenarios grow,idle,slow
	$(BIN)/python -m bench.ready

bench-smoke: $(VENV)/.dev node_modules/.placed  ## the same for a few seconds: does everything arrive?
	@tools/apt.sh mosquitto=mosquitto cc=gcc\ libc6-dev
	$(BIN)/python bench/run.py --peers ours --scenarios smoke --strict $(ARGS)

wheel: $(VENV)/.dev node_modules/.placed  ## build the wheel into dist/
	$(BIN)/python -m pip wheel --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

deb: wheel  ## build the Debian package into dist/ (ARCH=arm64 for a Raspberry Pi)
	@tools/apt.sh dh=debhelper dpkg-buildpackage=dpkg-dev
	@tools/deb.sh $(ARCH)

lock:  ## resolve requirements/*.lock again
	tools/lock.sh

clean:  ## remove what was set up or built (not demo-state/)
	rm -rf $(VENV) node_modules $(VENDOR) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

# ---- What they stand on ---------------------------------------------------------------------------------------------
# Each stamp is newer than what it was made from, so that a second `make` does nothing.

system:
	@tools/apt.sh "mosquitto=mosquitto mosquitto-clients" chromium=chromium socat=socat sqlite3=sqlite3

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, not " + sys.version)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/apt.sh ensurepip=python3-venv
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# dev.lock holds all of runtime.lock, in the same versions: whoever has the tools needs nothing more for the demo.
$(VENV)/.runtime: requirements/runtime.lock pyproject.toml node_modules/.package-lock.json | $(BIN)/python
	$(LOCKED) requirements/runtime.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml node_modules/.package-lock.json | $(BIN)/python
	$(LOCKED) requirements/dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.runtime $@

# A broker for the demo where Mosquitto can't be had.
$(VENV)/.broker: requirements/demo.lock | $(VENV)/.runtime
	$(LOCKED) requirements/demo.lock
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json | $(BIN)/python
	@command -v npm >/dev/null || $(LOCKED) requirements/nodejs.lock
	npm ci --ignore-scripts
	@touch $@

node_modules/.placed: node_modules/.package-lock.json hatch_build.py | $(VENV)/.runtime
	$(BIN)/python hatch_build.py
	@touch $@
