# make demo    run the default study (the miniature) and say where its results are
# make test    run all tests
# make help    the other commands
#
# Variables: PYTHON=python3.12 (3.11 or newer)   TORCH=cpu (torch without CUDA: 0.4 GB to download in all, not 3 GB)
#            STUDY=studies/yours.yaml            CORES=2

PYTHON ?= python3
STUDY ?= config.yaml
CORES ?= all
TORCH ?= default
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
LM_EVAL := .venv-lm-eval
FREE_GB_NEEDED := $(if $(filter cpu,$(TORCH)),4,9)
INDEX := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu,)
# config.yaml is what Snakefile takes by itself; a study given with --configfile replaces it.
CONFIGFILE = $(if $(filter config.yaml,$(STUDY)),,--configfile "$(STUDY)")
NAME = $(shell sed -n 's/^study: *\([A-Za-z0-9._-]*\).*/\1/p' "$(STUDY)" 2>/dev/null)
FOLDER = results/studies/$(NAME)
SNAKEMAKE = $(RUN) -m snakemake --cores $(CORES) $(CONFIGFILE)

.PHONY: help demo study exists plan export compare test check format bench lock accept clean lm-eval-environment

help:
	@printf '%s\n' \
	  'make demo                  run the default study (simulated, no download) and say where its results are' \
	  'make study STUDY=file      the same for a study of your own' \
	  'make plan STUDY=file       say which jobs a run would do, and why, and do none' \
	  'make test                  run all tests' \
	  'make check                 ruff, mypy, snakefmt, snakemake --lint' \
	  'make bench                 run the benchmarks; results/benchmarks/summary.csv' \
	  'make export STUDY=file     all scores of a study as one table (CSV, Parquet), and a description of its folder' \
  'make compare A=one B=two   say what differs between two finished studies beyond its interval (OUT=folder: tables)' \
	  'make lm-eval-environment   once, for studies that run benchmarks with lm_eval' \
	  'make accept TARGET=file    accept existing results after a change of code that cannot alter them' \
	  'make format                format the code' \
	  'make lock                  resolve requirements.in into requirements.lock' \
	  'make clean SURE=yes        delete results/ (without SURE: say what would go)'

# --- the environment ---------------------------------------------------------------------------------------------

$(READY): requirements.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON); install Python 3.11 or newer, or name yours: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1), but 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments; install its venv package (Debian: apt install python3-venv)."; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2 {print int($$4/1048576)}'); [ "$$free" -ge $(FREE_GB_NEEDED) ] || { echo "Only $$free GB of disk are free here, but $(FREE_GB_NEEDED) are needed for the environment."; exit 1; }
	@echo "Making .venv from requirements.lock; this downloads packages once and takes a few minutes."
	@"$(PYTHON)" -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check $(INDEX) --requirement requirements.lock
	@touch $@

# lm-evaluation-harness has an environment of its own: it needs versions of libraries that the workflow's own cannot have.
$(LM_EVAL)/.ready: envs/lm-eval.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON); install Python 3.11 or newer, or name yours: make PYTHON=python3.12"; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2 {print int($$4/1048576)}'); [ "$$free" -ge $(FREE_GB_NEEDED) ] || { echo "Only $$free GB of disk are free here, but $(FREE_GB_NEEDED) are needed for the environment."; exit 1; }
	@echo "Making $(LM_EVAL) from envs/lm-eval.lock; this downloads packages once and takes a few minutes."
	@"$(PYTHON)" -m venv $(LM_EVAL)
	@$(LM_EVAL)/bin/python -m pip install --quiet --disable-pip-version-check $(INDEX) --requirement envs/lm-eval.lock
	@touch $@

lm-eval-environment: $(LM_EVAL)/.ready

# --- running studies ---------------------------------------------------------------------------------------------

demo: STUDY := config.yaml
demo: study

study: $(READY) exists
	@test -n "$(NAME)" || { echo "$(STUDY) has no line 'study: name'."; exit 1; }
	@$(SNAKEMAKE)
	@if [ ! -e "$(FOLDER)/report.html" ] || [ -n "$$(find "$(FOLDER)" -newer "$(FOLDER)/report.html" \( -name '*.csv' -o -name '*.png' -o -name 'summary.html' \) -print -quit)" ]; then \
	  $(SNAKEMAKE) --report "$(FOLDER)/report.html" --quiet all; fi
	@printf '%s\n' "Tables:  $(FOLDER)/alignment.csv, properties.csv, correlations.csv, pairs.csv" \
	  "Figures: $(FOLDER)/figures/" "Report:  $(FOLDER)/report.html"

exists:
	@test -f "$(STUDY)" || { echo "There is no study file $(STUDY)."; exit 1; }

plan: $(READY) exists
	@$(SNAKEMAKE) --dry-run --quiet host

export: $(READY) exists
	@$(RUN) -m snakemake export --cores $(CORES) $(CONFIGFILE)
	@printf '%s\n' "All scores:  $(FOLDER)/export/scores.csv, scores.parquet" "Description: $(FOLDER)/ro-crate-metadata.json"

# That studies differ (status 1) is an answer, not a failure.
compare: $(READY)
	@test -n "$(A)" && test -n "$(B)" || { echo "Name two finished studies, or their folders: make compare A=one B=two"; exit 1; }
	@PYTHONPATH=workflow_scripts $(RUN) -m brainalign compare "$(A)" "$(B)" $(if $(OUT),--out "$(OUT)",) || test $$? -eq 1

accept: $(READY)
	@test -n "$(TARGET)" || { echo "Name the files to accept: make accept TARGET=results/…"; exit 1; }
	@$(SNAKEMAKE) --touch $(TARGET)

# --- work on the code --------------------------------------------------------------------------------------------

# One process for each core, and one thread each: threads of linear algebra that share a core wait for each other.
test: $(READY)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(RUN) -m pytest --numprocesses logical --dist loadfile

check: $(READY)
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(VENV)/bin/snakefmt --check Snakefile rules
	@$(RUN) -m snakemake --lint

format: $(READY)
	@$(RUN) -m ruff check --fix --quiet . || true
	@$(RUN) -m ruff format .
	@$(VENV)/bin/snakefmt Snakefile rules

bench: $(READY)
	@PYTHONPATH=workflow_scripts $(RUN) -m benchmarks

lock:
	@"$(PYTHON)" -m venv .venv-lock
	@.venv-lock/bin/python -m pip install --quiet $(INDEX) --requirement requirements.in
	@{ sed -n '/^#/p' requirements.lock; echo 'torch==2.13.0'; \
	  .venv-lock/bin/python -m pip freeze | grep -viE '^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)( @|==)'; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock
	@rm -rf .venv-lock

clean:
	@du -sh results .snakemake 2>/dev/null || true
	@if [ "$(SURE)" = yes ]; then rm -rf results .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis; \
	  else echo "Nothing was deleted; make clean SURE=yes deletes these, with every result in them."; fi
