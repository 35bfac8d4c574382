PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
STUDY = snakemake --cores all --rerun-triggers mtime --rerun-incomplete --nolock --keep-going --quiet all --config

.PHONY: study ckplus fer2013 ferplus own test

study: .venv/.installed  ## practice run on synthetic faces, and every page that the stored results allow
	$(STUDY) datasets=synthetic
	@echo "Open results/reports/index.html (the study) and results/reports/synthetic/index.html (the practice run)."

ckplus fer2013 ferplus own: .venv/.installed  ## train the missing experiments on this data set in data/, and render the pages
	$(STUDY) datasets=$@
	@echo "Open results/reports/index.html (your own data: results/reports/own/index.html)."

test: .venv/.installed  ## run all checks and tests
	ruff check
	ruff format --check
	pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else f"Python 3.11 to 3.13 is required, but $(PYTHON) is {sys.version.split()[0]}; choose another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	pip install --require-hashes -r requirements.lock
	pip install --no-deps --no-build-isolation -e .
	touch $@
