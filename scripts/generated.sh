#!/usr/bin/env bash
# generated.sh [--check]: write every file that is made from code anew; with --check, say which would change and fail.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-${VENV:-.venv}/bin/python}
[ -x "$python" ] || python=python3
made=$(mktemp)
trap 'rm -f "$made"' EXIT
status=0

# generated FILE COMMAND...: its standard output is the file
generated() {
  local file=$1
  shift
  "$@" >"$made"
  cmp -s "$made" "$file" && return
  if [ "${check:-}" = yes ]; then
    echo "$file is out of date: run scripts/generated.sh"
    status=1
  else
    cp "$made" "$file"
    echo "wrote $file"
  fi
}

[ "${1:-}" = --check ] && check=yes
generated docs/rules.md "$python" -m safecelery rules --format markdown
generated docs/reasons.md "$python" -m safecelery reasons --format markdown
exit "$status"
