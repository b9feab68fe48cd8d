# What people type; `make` alone prints the list. Needs Python 3.11 or 3.12, make and bash: the
# rest comes from requirements/dev.lock into .venv the first time, and again when the lock changes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PYTEST := $(RUN) -m pytest
PROTOS := $(sort $(wildcard proto/sealedger/v1/*.proto))
# make demo ARGS=..., make bench BENCH=smoke, make lock UPGRADE=1, make test TESTS=tests/ledger_log
ARGS ?=
BENCH ?=
TESTS ?= tests
UPGRADE ?=
# set to choose the interpreter that .venv is made with
PYTHON ?=
# make fuzz SECONDS=600 FUZZ="quote ratls-certificate"
SECONDS ?= 60
FUZZ ?=
FUZZ_VENV := .venv-fuzz

.PHONY: help demo test check format lint types arrows generated fast-tests coverage bench fuzz \
	proto lock clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP)  ## a node, an owner, three attested apps, two crashes, an audit, a receipt offline
	@$(RUN) -m deploy.demo $(ARGS)

test: $(STAMP)  ## all tests (TESTS=path for some)
	@$(PYTEST) $(TESTS)

check: format lint types arrows generated fast-tests  ## format, lint, types, arrows, generated code, fast tests (-k goes on after a failure)

format: $(STAMP)  ## is every file formatted?
	@$(VENV)/bin/ruff format --check --quiet . || { \
		echo "format: run $(VENV)/bin/ruff format on your files" >&2; exit 1; }

lint: $(STAMP)  ## ruff
	@$(VENV)/bin/ruff check --quiet .

types: $(STAMP)  ## mypy, strict
	@$(VENV)/bin/mypy

arrows: $(STAMP)  ## import-linter: imports point down, the core is pure
	@$(VENV)/bin/lint-imports

generated: $(STAMP)  ## is the generated code what the .proto files give?
	@rm -rf build/generated
	$(call generate,build/generated)
	diff -r --exclude=__init__.py --exclude=__pycache__ build/generated/sealedger/v1 sealedger/v1 || { \
		echo "generated: sealedger/v1 differs from proto/: run make proto" >&2; exit 1; }

fast-tests: $(STAMP)  ## the tests not marked slow
	@$(PYTEST) -q -n 2 -m "not slow" $(TESTS)

coverage: $(STAMP)  ## branch coverage of ledger and contracts by all tests
	@mkdir -p build
	$(PYTEST) -q -n 2 --cov --cov-report=term-missing $(TESTS)

bench: $(STAMP)  ## speed beside floors measured in the same run; writes build/bench.json
	@mkdir -p build
	$(RUN) -m bench $(BENCH)

fuzz: $(STAMP)  ## fuzz the decoders, guided by coverage (SECONDS=60 each, FUZZ=some targets)
	@mkdir -p build
	exec 9>build/venv-fuzz.lock
	! command -v flock >/dev/null || flock 9
	wanted=$$(sha256sum < requirements/fuzz.lock)
	if [ "$$(cat $(FUZZ_VENV)/.installed 2>/dev/null)" != "$$wanted" ]; then
		echo "environment: making $(FUZZ_VENV) ..."
		if ! { $(RUN) -m venv --clear $(FUZZ_VENV) && $(FUZZ_VENV)/bin/python -m pip install --quiet \
			--disable-pip-version-check --only-binary atheris --require-hashes -r requirements/fuzz.lock; }; then
			echo "fuzz: skipped: what it needs cannot be installed here, the lines above say why" >&2
			exit 0
		fi
		echo "$$wanted" > $(FUZZ_VENV)/.installed
	fi
	exec $(FUZZ_VENV)/bin/python -m tests.fuzz_nightly --seconds $(SECONDS) $(FUZZ)

proto: $(STAMP)  ## generate sealedger/v1 from proto/sealedger/v1
	@rm -rf build/generated
	$(call generate,build/generated)
	# changed files only, then what no .proto gives any more: programs that run now keep running
	for made in build/generated/sealedger/v1/*; do
		cmp -s $$made sealedger/v1/$${made##*/} || cp -v $$made sealedger/v1/
	done
	for kept in sealedger/v1/*_pb2*.py*; do
		[ -e build/generated/$$kept ] || rm -v $$kept
	done

lock: $(STAMP)  ## pin requirements/*.in with hashes (UPGRADE=1 for newer versions)
	@export CUSTOM_COMPILE_COMMAND="make lock"
	cd requirements
	for target in "run.lock run.in build.in" "dev.lock dev.in" "fuzz.lock fuzz.in"; do
		echo "lock: $${target%% *}"
		../$(VENV)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
			--no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
			$(if $(UPGRADE),--upgrade) --output-file $$target
	done

clean:  ## remove what was built; .venv stays
	@rm -rf build dist *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache \
		.pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -path ./.git -prune -o -name __pycache__ -type d -print0 \
		| xargs -0 rm -rf

# Write the modules of all .proto files under the folder $(1).
define generate
mkdir -p $(1)
$(RUN) -m grpc_tools.protoc -Iproto --python_out=$(1) --pyi_out=$(1) $(PROTOS)
$(RUN) -m grpc_tools.protoc -Iproto --grpc_python_out=$(1) $$(grep -l '^service ' $(PROTOS))
endef

# The environment. The stamp keeps the hash of what it was made from, so that a fresh checkout's
# dates mean nothing; a lock file keeps two makes from installing at once; an interpreter that does
# not run, or is of another version, is replaced.
$(STAMP): requirements/dev.lock requirements/run.in pyproject.toml sealedger/version.py
	@mkdir -p build
	exec 9>build/venv.lock
	! command -v flock >/dev/null || flock 9
	supported='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'
	works() { "$$1" -c "$$supported" 2>/dev/null; }
	wanted=$$(cat $^ | sha256sum)
	if works $(RUN) && [ "$$(cat $@ 2>/dev/null)" = "$$wanted" ]; then touch $@; exit 0; fi
	if ! works $(RUN); then
		python=
		for candidate in $(or $(PYTHON),$$(type -ap python3.11 python3.12 python3 || true)); do
			if works "$$candidate"; then python=$$candidate; break; fi
		done
		if [ -z "$$python" ]; then
			echo "sealedger: error: no Python 3.11 or 3.12 with venv found" >&2
			echo "hint: install one, or say which: make PYTHON=/path/to/python3.11 ..." >&2
			exit 1
		fi
		echo "environment: making $(VENV) with $$python ($$("$$python" -V))"
		"$$python" -m venv --clear $(VENV)
	fi
	echo "environment: installing $$(grep -c '==' requirements/dev.lock) pinned packages ..."
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	PYTHONWARNINGS=ignore $(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	echo "$$wanted" > $@
	echo "environment: ready"
