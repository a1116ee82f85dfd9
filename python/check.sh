#!/usr/bin/env bash
# Checks the Python SDK in its virtual environment: format, lint, types, tests. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")"

./environment.sh

.venv/bin/ruff format --quiet --check .
.venv/bin/ruff check --quiet .
# The tests wait for processes most of the time: the types are checked meanwhile.
.venv/bin/mypy --no-error-summary & types=$!
status=0
.venv/bin/pytest --quiet --numprocesses 4 --dist loadscope "$@" || status=$?
wait "$types" || status=1
exit "$status"
