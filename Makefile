# make setup   virtual environment with the product
# make run     serve on http://localhost:5001
# make check   prove the installation with the demo model and a shipped recording
# make test    the whole gate: format, lint, types, tests
# make faults  the long form of the fault tests, and its report; results are kept, so that it may be
#              interrupted (hours; root for disks, clocks and memory)
# make locked  the product by requirements.lock: a file that is not the one that was tested is refused
# make lock    requirements.lock and requirements-cuda.lock anew, from requirements.txt
# make sbom    sbom.json, a CycloneDX list of what the lock installs
# make audit   asks the advisory service about every package of the lock
# make bench   measurements, side by side with openai-whisper, faster-whisper and whisper.cpp
# make clean   remove what the other targets made
#
# WORKERS      processes that run tests side by side
# PYTHON       interpreter that makes the environment (3.11 or newer)
# TORCH_INDEX  address of a package index to take torch from, to choose its CPU or a CUDA build;
#              empty: the index that pip uses anyway. Run `make clean` before changing it.
# TORCH_LINKS  for `make lock`: folder or page that lists the CPU builds of torch

PYTHON ?= python3
WORKERS ?= 2
TORCH_INDEX ?=
TORCH_LINKS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
LOCKED := $(PIP) --no-deps --require-hashes --only-binary :all:
SUPPLY := .venv-supply
SOURCES := voice_transcriber config.py app_main.py tests bench tools

.PHONY: setup run check test faults locked lock sbom audit bench clean

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

faults: $(VENV)/.tests
	$(BIN)/python -m tests.faults

locked: $(VENV)/.locked

lock: $(SUPPLY)/.tools
	PATH="$(CURDIR)/$(SUPPLY)/bin:$$PATH" $(SUPPLY)/bin/python tools/lock.py $(TORCH_LINKS:%=--torch-links=%)

sbom: $(SUPPLY)/.tools
	$(SUPPLY)/bin/cyclonedx-py requirements --output-reproducible --output-file sbom.json requirements.lock

audit: $(SUPPLY)/.tools
	PATH="$(CURDIR)/$(SUPPLY)/bin:$$PATH" $(SUPPLY)/bin/python tools/audit.py requirements.lock

bench: $(VENV)/.bench
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(SUPPLY) sbom.json .mypy_cache .ruff_cache .pytest_cache
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

# openai-whisper has no wheel: it is built here, by the setuptools of the lock and nothing fetched.
$(VENV)/.locked: requirements.lock requirements-cuda.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	sed -n '/^setuptools==/,/[^\\]$$/p' requirements.lock > $(VENV)/build.lock
	$(LOCKED) -r $(VENV)/build.lock
	$(LOCKED) --no-binary openai-whisper --no-build-isolation \
		$(TORCH_INDEX:%=--extra-index-url=%) -r requirements.lock
	if $(BIN)/python -c "import sys; from importlib.metadata import version; sys.exit('+cpu' in version('torch'))"; \
		then $(LOCKED) -r requirements-cuda.lock; fi
	touch $@

$(SUPPLY)/.tools: requirements-supply.txt
	test -x $(SUPPLY)/bin/python || $(PYTHON) -m venv $(SUPPLY)
	$(SUPPLY)/bin/python -m pip install --disable-pip-version-check -r requirements-supply.txt
	touch $@

$(VENV)/.tests: requirements-dev.txt $(VENV)/.product
	$(PIP) -r requirements-dev.txt
	touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.tests
	$(PIP) -r requirements-bench.txt
	touch $@
