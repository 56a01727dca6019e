#!/usr/bin/env bash
# wheel.sh VERSION: build the wheel, install it into an environment of that Python, run the unit tests away from the sources.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pythons.sh
VENV=$(cd "${VENV:-.venv}" && pwd)
version=$1
python=$(python_of "$version")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

"$VENV/bin/python" -m build --wheel --no-isolation --outdir "$room/dist" . >"$room/build.log" 2>&1 || {
  cat "$room/build.log"
  exit 1
}

home=$VENV/wheel-$version # kept, so that only the wheel is installed anew the next time
[ -x "$home/bin/python" ] || "$python" -m venv --without-pip "$home"
pip() { "$VENV/bin/python" -m pip --disable-pip-version-check --quiet --python "$home/bin/python" "$@"; }
pip uninstall --yes safecelery 2>/dev/null
pip install --group pyproject.toml:test "$room"/dist/*.whl

mkdir "$room/tests"
cp -R tests/unit tests/conftest.py "$room/tests/"
cp pyproject.toml "$room/" # pytest's settings
cd "$room"
"$home/bin/python" -m pytest tests/unit
