# The whole project on one machine: Python >= 3.11 and make are all it needs.

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
SOURCES := .
# A fresh database per test is mostly small files: in memory they cost a fifth. Where there is no room, the usual folder.
MEMORY := /dev/shm
MEMORY_KB := 8000000
ROOM := $(shell test -w $(MEMORY) && df -Pk $(MEMORY) | awk 'NR == 2 && $$4 > $(MEMORY_KB) { print "$(MEMORY)" }')

.PHONY: help install run test unit smoke chaos replay check pictures screens commands audit lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      the bot, its servers and stand-ins for Telegram, KIE and OpenAI; Ctrl-C stops'
	@echo 'make test     all tests; ARGS="-k words" for some'
	@echo 'make unit     the tests without servers: seconds'
	@echo 'make smoke    the stories of a user against the whole system; PHOTO=path.jpg for your own photo'
	@echo 'make chaos    everything breaks for a while, and nothing may be lost; SEED=7 MINUTES=3'
	@echo 'make replay   one workflow with the code of today; ID=order-… or FILE=history.json, DEBUG=1 for breakpoints'
	@echo 'make check    style, types, import contracts'
	@echo 'make pictures the screenshots in docs/, taken again by their tests (needs Chromium)'
	@echo 'make screens  docs/screens.md: every screen of the bot with its texts'
	@echo 'make commands docs/commands.md: every command of the operator with its --help'
	@echo 'make install  the locked environment in $(VENV); the others do it for you'
	@echo 'make audit    known weaknesses of the locked dependencies; needs the network'
	@echo 'make lock     pin the dependencies of pyproject.toml again'
	@echo 'make clean    remove $(VENV) and caches; .data, with all orders, stays'

install: $(INSTALLED)

# pip reads the user's own configuration; every file it takes must have a hash that is pinned here.
$(INSTALLED): requirements-dev.txt
	@sh deploy/make_venv.sh $(VENV)
	@echo 'Installing the locked dependencies (once, a minute or two) ...'
	@$(PY) -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
	@touch $(INSTALLED)

run: $(INSTALLED)
	@$(PY) local_main.py $(ARGS)

test: $(INSTALLED)
	@$(if $(ROOM),TMPDIR="$${TMPDIR:-$(ROOM)}") $(PY) -m pytest --numprocesses 2 --dist loadfile $(ARGS)

unit: $(INSTALLED)
	@$(PY) -m pytest -m unit $(ARGS)

smoke: $(INSTALLED)
	@$(PY) -m tests.smoke $(if $(PHOTO),--photo "$(PHOTO)") $(ARGS)

chaos: $(INSTALLED)
	@$(PY) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

# Of a server (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE), of a stopped make run (DATA=.data), or of a file.
replay: $(INSTALLED)
	@$(PY) replay_main.py $(if $(ID),--id "$(ID)") $(if $(FILE),--file "$(FILE)") $(if $(RUN),--run "$(RUN)") \
		$(if $(DATA),--data "$(DATA)") $(if $(filter-out 0,$(DEBUG)),--debug)

check: $(INSTALLED)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m mypy $(SOURCES)
	$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(PY) -m pytest tests/house

pictures: $(INSTALLED)
	@UPDATE_PICTURES=1 $(PY) -m pytest tests/acceptance/test_chat_page_order.py tests/webui

screens: $(INSTALLED)
	@$(PY) -m tests.texts.write_screens

commands: $(INSTALLED)
	@$(PY) -m tests.admin.write_commands

# Strict: a mirror that knows the packages but not their advisories must not look like "nothing found".
audit:
	@test -x $(VENV)-audit/bin/pip-audit || { sh deploy/make_venv.sh $(VENV)-audit && $(VENV)-audit/bin/python -m pip install -qq \
		--disable-pip-version-check --no-input --require-hashes -r deploy/audit-requirements.txt; }
	@$(VENV)-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt
	@$(VENV)-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.txt

lock: $(INSTALLED)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/lock-requirements.txt
	$(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.txt
	$(PY) -m uv pip compile pyproject.toml --extra local --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) $(VENV)-audit .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
