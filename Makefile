# Everything a person types. `make help` lists it.
PYTHON ?= python3
PY := .venv/bin/python
PORT ?= 8000
MEDIA := $(or $(STOCKBOT_MEDIA),media)
KERNELS := $(wildcard simulator/*.py simulator/linked/*.py backtest/*.py rl/*.py)
# byte code is put beside these at set-up, as pip does for what it installs: a run reads it, and may not be let to write it
PACKAGES := accounts backtest brokers marketdata rl runfiles runs_app simulator stockbot_site
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo serve test check lint fuzz bench calibrate growth setup tools screenshots

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: setup ## train a policy on the sample data, judge it, serve the report (EXIT=1: stop after the verdict)
	@$(PY) scripts/demo.py

serve: setup ## the site on 127.0.0.1:8000 (PORT=)
	@$(PY) manage.py serve --port $(PORT)

test: setup .venv/.dev .venv/.browser lint ## the whole suite: lint, JavaScript, browser, numbers and site
	node --test tests/js/*.test.js
	$(PY) -m pytest tests/browser -q
	$(PY) -m pytest -n 2

check: setup .venv/.dev lint ## format, lint, types, migrations and the fast tests
	$(PY) -m pytest -q -n 2 -m "not slow"

lint: .venv/.dev
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy .
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run

fuzz: setup .venv/.dev ## 100,000 broken policy zips through the reader: nothing runs, nothing crashes (COUNT=, SEED=)
	$(PY) -m tests.rl.policy_import.fuzz $(or $(COUNT),100000) $(or $(SEED),0)

bench: setup .venv/.dev .venv-bench/.ready ## our speed beside its peers, interleaved (ONLY=B1,R5 for some)
	$(PY) -m benchmarks.run $(if $(ONLY),--only $(ONLY))

calibrate: setup ## does our trainer find a planted signal, and stay silent without one? (ONLY=planted,mlp,null QUICK=1 WORLDS=2)
	$(PY) -m rl.calibrate.standard $(if $(ONLY),--only $(ONLY)) $(if $(WORLDS),--worlds $(WORLDS)) $(if $(QUICK),--quick)

growth: setup .venv/.dev ## how cost grows with bars, assets, books and fills: docs/growth.md and its plot
	$(PY) -m benchmarks.growth

screenshots: setup .venv/.dev .venv/.browser ## every page, light and dark, narrow and wide, into screenshots/
	$(PY) scripts/screenshots.py

setup: tools .venv/.ready static/vendor/.ready
	@$(PY) -m marketdata.setup_samples $(MEDIA)/datasets > /dev/null
	@$(PY) -m compileall -q $(PACKAGES)
	@$(MAKE) --silent .venv/.kernels
	@$(PY) manage.py migrate --verbosity 0

# what must be there before anything is fetched, each said in a sentence
tools:
	@command -v npm >/dev/null && node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' \
		|| { echo "StockBot needs Node 20 or newer with npm; install it, then run this again." >&2; exit 1; }
	@[ ! -x $(PY) ] || $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "The Python in .venv is older than 3.11; delete .venv, then run this again." >&2; exit 1; }

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "StockBot needs Python 3.11 or newer; name one with PYTHON=." >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.ready: requirements.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.ready
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/.browser: scripts/find_browser.sh
	@mkdir -p .venv && sh scripts/find_browser.sh --install > $@ || { rm -f $@; exit 1; }

static/vendor/.ready: package-lock.json scripts/vendor.py .venv/.ready
	npm ci --silent
	@$(PY) scripts/vendor.py && touch $@

.venv/.kernels: .venv/.ready $(KERNELS)
	@echo "Compiling the simulator and the judge (once, a minute or two on two cores) ..."
	@$(PY) scripts/compile_kernels.py $(MEDIA)/datasets
	@touch $@

.venv-bench/.ready: requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
