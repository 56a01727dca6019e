# Finding Python interpreters; sourced by the other scripts.
# SUPPORTED_PYTHONS: the versions the project supports. PYTHON_ROOTS: where they are looked for beside PATH, colon separated.

SUPPORTED_PYTHONS=${SUPPORTED_PYTHONS:-3.11 3.12 3.13}

# pyenv's directories, also those of the account's real home when HOME is set to another
python_roots() {
  local home
  home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6 || true)
  printf '%s\n' "${PYENV_ROOT:-}" "${HOME:+$HOME/.pyenv}" "${home:+$home/.pyenv}" /opt/pyenv
}

PYTHON_ROOTS=${PYTHON_ROOTS:-$(python_roots | paste -sd: -)}

# works INTERPRETER CONDITION: whether it starts, can make environments, and CONDITION (in Python, over v) holds of its version
works() {
  "$1" -c "import ensurepip, sys, venv; v = '%d.%d' % sys.version_info[:2]; sys.exit(not ($2))" >/dev/null 2>&1
}

# python_of VERSION: prints the path of an interpreter of that version, or fails
python_of() {
  local version=$1 root candidate
  local -a candidates=("python$version") roots
  IFS=: read -ra roots <<<"$PYTHON_ROOTS"
  for root in "${roots[@]}"; do
    [ -n "$root" ] && candidates+=("$root"/versions/"$version".*/bin/python)
  done
  for candidate in "${candidates[@]}"; do
    if works "$candidate" "v == '$version'"; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return 0
    fi
  done
  return 1
}

# any_python: prints the default python3 if it is supported, else another supported one, or fails
any_python() {
  local version
  if works python3 "v in '$SUPPORTED_PYTHONS'.split()"; then
    python3 -c 'import sys; print(sys.executable)'
    return 0
  fi
  for version in $(tr ' ' '\n' <<<"$SUPPORTED_PYTHONS" | tac); do
    python_of "$version" && return 0
  done
  return 1
}
