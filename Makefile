# Every target first makes the environment, which is quick if it is there.
PYTHON := .venv/bin/python

.PHONY: help env doctor demo test docs lint format wheel clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

env:  ## make .venv with the pinned stack, mmcv and xtcocotools compiled against it
	@bash tools/setup_env.sh

doctor: env  ## say what is installed, what is wrong and the command that repairs it
	@$(PYTHON) -m handkp_plugins.doctor

demo: env  ## generate hands, train a small network, write work_dirs/demo/report.html
	@$(PYTHON) tools/quickstart.py

test: env lint  ## lint, then run the tests, one process per core
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n logical --maxprocesses 4 --dist loadfile

docs: env  ## build the documentation's site into build/site; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet && echo "docs: build/site/index.html (its search needs a server: python -m http.server -d build/site)"

lint: env  ## check style, formatting and which package imports which
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports --no-logo --no-cache

format: env  ## fix style and formatting
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

wheel: env  ## build a wheel into dist/
	@$(PYTHON) -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .

clean:  ## delete build products (not .venv, data or work_dirs)
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
