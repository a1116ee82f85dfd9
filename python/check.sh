#!/usr/bin/env bash
# Checks the Python SDK in a virtual environment of its own: format, lint, types, tests. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")"

# What is installed depends on pyproject.toml and on the interpreter.
wanted="$(python3 --version) $(sha256sum pyproject.toml)"
if [ ! -x .venv/bin/python ] || [ "$(cat .venv/installed 2>/dev/null)" != "$wanted" ]; then
  python3 -m venv --clear .venv
  .venv/bin/python - > .venv/dev.txt <<'PYTHON'
import re, pathlib
text = pathlib.Path("pyproject.toml").read_text()
print("\n".join(re.findall(r'"([^"]+)"', re.search(r"\[dependency-groups\]\ndev = \[(.*?)\]", text, re.S)[1])))
PYTHON
  .venv/bin/pip install --quiet --disable-pip-version-check -r .venv/dev.txt -e .
  printf '%s' "$wanted" > .venv/installed
fi

.venv/bin/ruff format --quiet --check .
.venv/bin/ruff check --quiet .
# The tests wait for processes most of the time: the types are checked meanwhile.
.venv/bin/mypy --no-error-summary & types=$!
status=0
.venv/bin/pytest --quiet --numprocesses 4 --dist loadscope "$@" || status=$?
wait "$types" || status=1
exit "$status"
