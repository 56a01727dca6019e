"""Which names of files and folders mean something: one table each.

A file is told by its name alone here; what it says is read by lint/deploy.
"""

from __future__ import annotations

from typing import Final

__all__ = ["KIND_BY_ENDING", "KIND_BY_NAME", "SKIPPED_FOLDERS", "TEST_FOLDERS", "deployment_kind", "is_test_name"]

SKIPPED_FOLDERS: Final = frozenset(
    {
        "__pycache__",
        "__pypackages__",
        "_build",
        "bower_components",
        "buck-out",
        "node_modules",
        "site-packages",
    }
)
"""Never entered, wherever they lie; nor is a folder whose name begins with a dot."""

SKIPPED_ENDINGS: Final = (".egg-info", ".dist-info", ".egg")
"""Folders ending so are what an installer or a build left."""

TEST_FOLDERS: Final = frozenset({"test", "tests", "testing", "t"})
"""Folders of tests, if a file of tests lies in them at any depth."""

KIND_BY_NAME: Final = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "procfile": "procfile",
    "pipfile": "pipfile",
    "pipfile.lock": "pipfile-lock",
    "poetry.lock": "poetry-lock",
    "uv.lock": "uv-lock",
    "pdm.lock": "pdm-lock",
    "pylock.toml": "pylock",
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup-cfg",
    ".env": "env",
    "celerybeat-schedule": "state",
    "id_rsa": "key",
    "id_dsa": "key",
    "id_ecdsa": "key",
    "id_ed25519": "key",
    "private_key": "key",
    "privkey": "key",
}
"""Whole names, in lower case."""

KIND_BY_SUFFIX: Final = (
    (".service.in", "systemd"),
    (".service.j2", "systemd"),
    (".state.db", "state"),
)
"""The name's end, in lower case, where the last dot alone does not tell."""

KIND_BY_PREFIX: Final = (
    ("dockerfile.", "dockerfile"),
    ("dockerfile-", "dockerfile"),
    ("dockerfile_", "dockerfile"),
    ("containerfile.", "dockerfile"),
    ("procfile.", "procfile"),
    (".env.", "env"),
    ("celerybeat-schedule.", "state"),
)
_SUFFIXES: Final = tuple(suffix for suffix, _ in KIND_BY_SUFFIX)
_PREFIXES: Final = tuple(prefix for prefix, _ in KIND_BY_PREFIX)
"""The name's beginning, in lower case; looked at after whole names."""

KIND_BY_ENDING: Final = {
    "dockerfile": "dockerfile",
    "service": "systemd",
    "sh": "shell",
    "bash": "shell",
    "ini": "ini",
    "conf": "ini",
    "yml": "yaml",
    "yaml": "yaml",
    "pem": "key",
    "key": "key",
    "p8": "key",
    "pk8": "key",
    "crt": "key",
    "cert": "key",
    "rsa": "key",
    "ed25519": "key",
    "asc": "key",
    "gpg": "key",
    "state": "state",
    "statedb": "state",
    "toml": "toml",
    "env": "env",
}
"""What follows the last dot, in lower case; looked at last. ``txt``, ``in`` and ``pip`` count only for requirements."""

_LISTS: Final = frozenset({"txt", "in", "pip"})
_TELLING: Final = (
    _LISTS | set(KIND_BY_ENDING) | {name.rpartition(".")[2] for name in (*KIND_BY_NAME, *_SUFFIXES) if "." in name}
)
"""Every ending that any of these tables knows."""
_BEGINNINGS: Final = frozenset(prefix[0] for prefix in _PREFIXES)
_REQUIREMENTS = ("requirements", "constraints")
_SCRIPT_FOLDERS = frozenset({"bin", "scripts"})
_SCRIPT_NAMES = frozenset({"run", "start", "entrypoint", "docker-entrypoint"})
_TEST_NAMES = frozenset({"tests.py", "conftest.py"})


def is_test_name(name: str) -> bool:
    """Whether a python file holds tests, by its name."""
    if not name.endswith(".py"):
        return False
    return name.startswith("test_") or name.endswith("_test.py") or name in _TEST_NAMES


def deployment_kind(name: str, folder: str) -> str | None:
    """The kind of a file that says how the program is run, installed or trusted; None for every other file.

    ``folder`` is the name of the folder the file lies in.
    """
    low = name.lower()
    stem, dot, ending = low.rpartition(".")
    if dot and ending not in _TELLING and low[0] not in _BEGINNINGS:
        return None  # most files
    kind = KIND_BY_NAME.get(low)
    if kind is not None:
        return kind
    if not dot:
        return "script" if folder in _SCRIPT_FOLDERS or low in _SCRIPT_NAMES else _by_prefix(low)
    kind = KIND_BY_ENDING.get(ending)
    if kind is None:
        if ending in _LISTS and _is_requirements(stem, folder):
            return "constraints" if "constraints" in stem else "requirements"
        return _by_suffix(low) or _by_prefix(low)
    if kind == "yaml" and "compose" in stem:
        return "compose"
    if kind == "ini" and stem.startswith("supervisor"):
        return "supervisor"
    return "dockerfile" if low.startswith("dockerfile.") else kind


def _is_requirements(stem: str, folder: str) -> bool:
    return folder in _REQUIREMENTS or any(word in stem for word in _REQUIREMENTS)


def _by_suffix(low: str) -> str | None:
    if not low.endswith(_SUFFIXES):
        return None
    return next((kind for suffix, kind in KIND_BY_SUFFIX if low.endswith(suffix)), None)


def _by_prefix(low: str) -> str | None:
    if not low.startswith(_PREFIXES):
        return None
    return next((kind for prefix, kind in KIND_BY_PREFIX if low.startswith(prefix)), None)
