# Each of these is one command that does all the set-up it needs.
#
#   make setup        a .venv with everything that the course and its tests need
#   make run          run the whole series headless; the report is build/run/index.html
#   make run NB=01    run one notebook (NB="00 01" runs two)
#   make check        run the quick checks: imports, style, types, packages
#   make test         run the whole test suite
#   make lab          open JupyterLab on the series
#   make build        make the notebooks from their masters in notebooks/source

.PHONY: setup run check test lab build
.DEFAULT_GOAL := help
.PHONY: help
help:
	@sed -n 's/^#   //p' Makefile

setup: .venv/.installed

# The first Python of 3.11 or newer; `make setup PYTHON=...` takes another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.venv/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "advcourse needs Python 3.11 or newer, and found none: install one, or name it with make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --editable '.[test]'
	touch $@

run: setup
	.venv/bin/advcourse run $(NB)

check: setup
	.venv/bin/python -m pytest tests/house

# One process per core, one thread each: faster than many threads that wait for each other.
test: setup
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses logical --dist loadgroup

lab: setup
	.venv/bin/advcourse lab

build: setup
	.venv/bin/advcourse build
