# Everything runs in .venv, which each target sets up by itself: Python 3.10 or newer and make suffice.
#
#   make demo    reconstruct a photograph of an astronaut into out/
#   make test    lint, format check, type check, tests
#   make smoke-train    train all stages for three minutes on a simple head, and use the result
#
# TORCH says which PyTorch to install first. On Linux the default build brings the NVIDIA libraries
# (several GB); without an NVIDIA GPU give the CPU line that https://pytorch.org/get-started/locally
# shows, less its "pip install":   make demo TORCH="torch --index-url ..."

PYTHON ?= python3
TORCH ?= torch
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out

.PHONY: help demo smoke-train test lint format types check space clean

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make lint    ruff: rules and format         make format   let ruff rewrite the files"
	@echo "make types   mypy on the built wheel        make check    pytest alone"
	@echo "make space   the web demo                   make clean    remove .venv and what was built"

demo: $(VENV)/.demo
	@echo "==> df2net demo -o $(OUT)"
	@$(BIN)/df2net demo -o $(OUT)

# Shows that the trainer works, from pairs to a face; not a way to good weights.
smoke-train: $(VENV)/.dev
	rm -rf $(OUT)/smoke
	$(BIN)/df2net synthesize $(OUT)/smoke/pairs --count 96 --size 64
	$(BIN)/df2net synthesize $(OUT)/smoke/unseen --count 8 --size 64 --seed 1
	$(BIN)/python scripts/train.py --config configs/smoke.toml --dataset $(OUT)/smoke/pairs \
		--validation $(OUT)/smoke/unseen --out $(OUT)/smoke/run
	$(BIN)/df2net demo --model $(OUT)/smoke/run/finer/model -o $(OUT)/smoke/face

test: lint types check

lint: $(VENV)/.dev
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# An editable install hides part of the package from type checkers, so they get the unpacked wheel.
types: $(VENV)/.dev
	@echo "==> mypy on the built wheel"
	@rm -rf $(VENV)/wheel $(VENV)/typed build
	@$(BIN)/python -m build --wheel --no-isolation --outdir $(VENV)/wheel . > $(VENV)/build.log 2>&1 \
		|| { cat $(VENV)/build.log; exit 1; }
	@$(BIN)/python -m pip install --quiet --no-deps --target $(VENV)/typed $(VENV)/wheel/*.whl
	@cd $(VENV)/typed && ../bin/python -m mypy --config-file ../../pyproject.toml -p df2net_hub

check: $(VENV)/.dev
	@echo "==> pytest"
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

space: $(VENV)/.space
	@echo "==> the web demo; open the address that it prints, Ctrl-C ends it"
	@$(BIN)/python spaces/app.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache *.egg-info

$(VENV)/.torch:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "$(PYTHON) is older than Python 3.10: make PYTHON=python3.12 ..."; exit 1; }
	@echo "==> making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "==> installing $(TORCH)"
	@$(BIN)/python -m pip install --quiet $(TORCH)
	@touch $@

# One stamp per extra; a changed pyproject.toml installs again.
$(VENV)/.%: pyproject.toml | $(VENV)/.torch
	@echo "==> installing df2net_hub with its extras: $*"
	@$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

$(VENV)/.space: pyproject.toml | $(VENV)/.torch
	@echo "==> installing df2net_hub with its extras: space, demo"
	@$(BIN)/python -m pip install --quiet --editable ".[space,demo]"
	@touch $@
