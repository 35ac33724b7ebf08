# Each of these is one command that does all the set-up it needs.
#
#   make setup            a .venv with everything that students need
#   make setup TORCH=cpu  the same on Linux without a GPU: PyTorch without CUDA, a third of the disk
#   make lab              open JupyterLab on the series
#   make run              run the whole series headless; the report is build/run/index.html
#   make run NB=01        run one notebook (NB="00 01" runs two)
#
#   For those who change the course:
#
#   make build            make the notebooks from their masters in notebooks/source
#   make check            run the quick checks: imports, style, types, packages; adds the test tools to .venv
#   make test             run the whole test suite; adds them, too

.PHONY: help setup lab run build check test
.DEFAULT_GOAL := help
help:
	@sed -n 's/^#   //p' Makefile

# The first Python of 3.11 or newer; `make setup PYTHON=...` takes another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# TORCH is one of PyTorch's own indexes: cpu, or cu126 and the like for a driver that is too old for what PyPI has. pip
# finds PyTorch installed when it comes to the course, and leaves it. Another TORCH in the environment is none of ours.
ifneq ($(filter cpu cu%,$(TORCH)),)
TORCH_INDEX := https://download.pytorch.org/whl/$(TORCH)
else ifeq ($(origin TORCH),command line)
$(error TORCH=$(TORCH) is unknown; TORCH=cpu takes PyTorch without CUDA)
endif

setup: .venv/.installed

.venv/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "advcourse needs Python 3.11 or newer, and found none: install one, or name it with make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),.venv/bin/python -m pip install torch torchvision --index-url $(TORCH_INDEX))
	.venv/bin/python -m pip install --editable '.[lab]'
	touch $@

.venv/.installed-for-tests: .venv/.installed
	.venv/bin/python -m pip install --editable '.[test]'
	touch $@

lab: setup
	.venv/bin/advcourse lab

run: setup
	.venv/bin/advcourse run $(NB)

build: setup
	.venv/bin/advcourse build

check: .venv/.installed-for-tests
	.venv/bin/python -m pytest tests/house

# One process per core, one thread each: faster than many threads that wait for each other.
test: .venv/.installed-for-tests
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses logical --dist loadgroup
