# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-robot demo-artist test check soak browser install

demo: $(READY)
	$(BIN)/nightschool demo

demo-robot: $(READY)
	$(BIN)/nightschool demo --teacher robot --folder demo-robot

demo-artist: $(READY)
	$(BIN)/nightschool demo --teacher artist --folder demo-artist

test: check browser
	$(BIN)/pytest -n 2 --dist loadfile -m "not soak" --cov --cov-report=term:skip-covered --cov-fail-under=90

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(READY)
	$(BIN)/pytest -m soak -s tests

install: $(READY)

# The browser tests drive the system's Chromium; where it is absent and apt is here, install it.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	command -v google-chrome >/dev/null || \
	{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -q && \
	  apt-get install -y -q --no-install-recommends chromium; } || \
	echo "*** No Chromium here, and none could be installed: the browser tests will be SKIPPED. ***"

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	touch $(READY)
