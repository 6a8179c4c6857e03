# make setup   virtual environment with the product
# make run     serve on http://localhost:5001
# make check   prove the installation with the demo model and a shipped recording
# make test    the whole gate: format, lint, types, tests
# make bench   measurements, side by side with openai-whisper, faster-whisper and whisper.cpp
# make clean   remove what the other targets made
#
# WORKERS      processes that run tests side by side
# PYTHON       interpreter that makes the environment (3.11 or newer)
# TORCH_INDEX  address of a package index to take torch from, to choose its CPU or a CUDA build;
#              empty: the index that pip uses anyway. Run `make clean` before changing it.

PYTHON ?= python3
WORKERS ?= 2
TORCH_INDEX ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
SOURCES := voice_transcriber config.py app_main.py tests bench

.PHONY: setup run check test bench clean

setup: $(VENV)/.product

run: setup
	$(BIN)/python app_main.py

check: setup
	$(BIN)/python app_main.py check

test: $(VENV)/.tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=loadfile

bench: $(VENV)/.bench
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second run immediate, and a changed list of packages a new installation.
$(VENV)/.product: requirements.txt constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifneq ($(TORCH_INDEX),)
	$(PIP) --no-deps --index-url $(TORCH_INDEX) $(shell grep '^torch==' requirements.txt)
	$(PIP) --extra-index-url $(TORCH_INDEX) -r requirements.txt
else
	$(PIP) -r requirements.txt
endif
	touch $@

$(VENV)/.tests: requirements-dev.txt $(VENV)/.product
	$(PIP) -r requirements-dev.txt
	touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.tests
	$(PIP) -r requirements-bench.txt
	touch $@
