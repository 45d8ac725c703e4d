# Each target sets up by itself what it needs; see CONTRIBUTING.md.
PYTHON ?=
BIN := .venv/bin

.PHONY: demo test test-checked test-address e2e check bench fuzz format lock clean build npm python system system-test

demo: build
	@rm -rf demo
	@$(BIN)/syswire report tests/data/lamp/act1.scap.gz -o demo

# PYTEST takes further options: make test PYTEST="-k pcapng".
test: system-test build npm
	$(BIN)/pytest -n auto $(PYTEST)

# The same tests over compiled modules with every check on.
test-checked: system-test python
	@SYSWIRE_BOUNDS=1 $(BIN)/python scripts/build.py
	SYSWIRE_BOUNDS=1 $(BIN)/pytest -n auto $(PYTEST)

# And under the address sanitizer, which sees what raw pointers touch.
test-address: system-test python
	@SYSWIRE_BOUNDS=address $(BIN)/python scripts/build.py
	SYSWIRE_BOUNDS=address LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" PYTHONMALLOC=malloc \
	    ASAN_OPTIONS=detect_leaks=0 $(BIN)/pytest -n auto -m "not slow" $(PYTEST)

# Records real servers (Apache, PHP, MariaDB, from Debian's packages) on loopback. Needs root or sudo without a password;
# skips with the reason where nothing can be recorded. Not part of `test`: the recorder sees the whole machine.
e2e: system-test build
	@scripts/setup-e2e || true
	@[ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null || echo "make e2e: neither root nor sudo without a password" >&2
	$$([ "$$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || echo sudo -n) env PYTHONDONTWRITEBYTECODE=1 \
	    $(BIN)/pytest -p no:cacheprovider -m e2e $(PYTEST) tests/e2e

check: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint capture convert reports
	$(BIN)/python scripts/check_layout.py
	$(BIN)/mypy -p syswire
	$(BIN)/mypy tests scripts benchmarks fuzz setup.py

# BENCH takes options: make bench BENCH="--size 100 --profile".
bench: system-test build
	$(BIN)/python -m benchmarks $(BENCH)

# FUZZ takes options: make fuzz FUZZ="--seconds 600 --target layers --seeds ../shared/data".
fuzz: python
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-fuzz.lock || echo "without atheris" >&2
	$(BIN)/python -m fuzz $(FUZZ)

format: python
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# Renew both lock files from the .in files, with the hashes that PyPI serves.
lock: system
	@scripts/renew-locks $(PYTHON)

build: python
	@$(BIN)/python scripts/build.py

python: system
	@scripts/setup-python $(PYTHON)

system:
	@scripts/setup-system run $(PYTHON)

npm: python
	@scripts/setup-npm

system-test:
	@scripts/setup-system test $(PYTHON)

clean:
	rm -rf .venv build dist demo syswire.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis benchmarks/work fuzz/finds
	find capture convert reports -name '*.so' -delete
	find capture convert reports tests scripts benchmarks fuzz -name __pycache__ -prune -exec rm -rf {} +
