#!/usr/bin/env bash
# test.sh [all|fast|lint]: the checks, in order; the first that fails ends the run and says which it was.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pythons.sh
export VENV=${VENV:-.venv}
export PYTHONUNBUFFERED=1
bin=$VENV/bin
scope=${1:-all}
summaries=()

# Percent of the branches of the security code (pyproject.toml, tool.coverage) that the suite has to reach.
COVERAGE_FLOOR=${COVERAGE_FLOOR:-95}

step() {
  local title=$1 status=0
  shift
  printf '\n== %s\n' "$title"
  "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    printf '\n== FAILED (status %s): %s\n' "$status" "$title" >&2
    exit "$status"
  fi
}

# pyright is a node program: its wheel fetches it from npm's registry the first time
types_by_pyright() {
  export PYRIGHT_PYTHON_IGNORE_WARNINGS=1
  if "$bin/pyright" --version; then
    "$bin/pyright" --pythonpath "$bin/python"
  elif [ "${CI:-}" = true ] && command -v npm >/dev/null; then
    echo "pyright could not be fetched although npm is here"
    return 1
  else
    echo "SKIPPED: pyright could not be fetched (it needs node and npm's registry)"
  fi
}

# counted TITLE PYTEST...: runs it and keeps pytest's own summary line for the end
counted() {
  local title=$1 log status=0
  shift
  log=$(mktemp)
  "$@" 2>&1 | tee "$log" || status=$?
  summaries=("$title"$'\n'"$(grep -E '^=+ .* in [0-9.]+s' "$log" | tail -1)" "${summaries[@]}")
  rm -f "$log"
  return "$status"
}

step "ruff: rules" "$bin/ruff" check
step "ruff: format" "$bin/ruff" format --check
step "mypy --strict" "$bin/mypy" --strict safecelery
step "pyright" types_by_pyright
step "import-linter: the layers" "$bin/lint-imports"
[ "$scope" = lint ] && exit 0

own=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$scope" = fast ]; then
  step "pytest: what needs no server, Python $own" \
    "$bin/python" -m pytest tests/unit tests/property tests/meta -m "not redis and not rabbitmq"
  exit 0
fi

# Tests that talk to servers wait for half of their time, so one process more than there are cores. Each has servers of
# its own, and whole files to run; tests/conftest.py says which come first.
"$bin/python" -m compileall -q safecelery tests examples # as in venv.sh: a thousand processes start in the tests
jobs=${JOBS:-$(($(nproc) + 1))}
step "pytest: the whole suite on Python $own, real brokers" \
  counted "whole suite, Python $own" "$bin/python" -m pytest --cov --cov-report= \
  -n "$jobs" --dist loadfile --no-loadscope-reorder
step "coverage: at least $COVERAGE_FLOOR % of the branches of the security code" \
  "$bin/coverage" report --fail-under="$COVERAGE_FLOOR"

others=()
for version in $SUPPORTED_PYTHONS; do
  [ "$version" != "$own" ] && python_of "$version" >/dev/null && others+=("$version")
done
# with no other Python about, the wheel is still tested, on this one
for version in "${others[@]:-$own}"; do
  step "the wheel alone: unit tests on Python $version, source tree absent" \
    counted "unit tests of the wheel, Python $version" scripts/wheel.sh "$version"
done

printf '\n== all checks passed\n'
printf '%s\n' "${summaries[@]}" # the whole suite's comes last
