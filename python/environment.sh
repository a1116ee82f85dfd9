#!/usr/bin/env bash
# Makes the virtual environment of the Python SDK, with the tools that check it, unless it is there.
set -euo pipefail
cd "$(dirname "$0")"

# What is installed depends on pyproject.toml and on the interpreter.
wanted="$(python3 --version) $(sha256sum pyproject.toml)"
if [ -x .venv/bin/python ] && [ "$(cat .venv/installed 2>/dev/null)" = "$wanted" ]; then exit; fi
python3 -m venv --clear .venv
.venv/bin/python - > .venv/dev.txt <<'PYTHON'
import re, pathlib
text = pathlib.Path("pyproject.toml").read_text()
print("\n".join(re.findall(r'"([^"]+)"', re.search(r"\[dependency-groups\]\ndev = \[(.*?)\]", text, re.S)[1])))
PYTHON
.venv/bin/pip install --quiet --disable-pip-version-check -r .venv/dev.txt -e .
printf '%s' "$wanted" > .venv/installed
