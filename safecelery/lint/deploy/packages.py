"""Which packages are required, and in which version: requirements, pyproject, setup, Pipfile and lock files.

Only the packages a rule may ask for are kept. A lock file beside (or above) a file with ranges says what is really
installed, so the range is then left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from safecelery.lint.deploy.versions import bounds, normal, release, requirement
from safecelery.policy.advisories import ADVISORIES, EXECUTING, RETIRED
from safecelery.policy.facts import PackageFacts, Place

__all__ = ["PACKAGES", "package_reader", "prefer_locked"]

PACKAGES: Final = frozenset({*ADVISORIES, *RETIRED, *EXECUTING, "celery", "kombu", "redis", "flower"})
"""Normalised names of the packages that are looked for."""

Reader = Callable[[str, str], Iterator[PackageFacts]]

_REQUIREMENTS = re.compile(r"(?:.*requirements?.*|constraints?.*)\.(?:txt|in|pip)$")
_MARK = re.compile("|".join(sorted(name.replace("-", "[-_.]") for name in PACKAGES)), re.IGNORECASE)


def package_reader(relative: str) -> Reader | None:
    """How this file is read, by its name; None if it names no packages."""
    name = posixpath.basename(relative)
    if name in _READERS:
        return _READERS[name]
    folder = posixpath.basename(posixpath.dirname(relative))
    if _REQUIREMENTS.match(name.lower()) or (folder == "requirements" and name.endswith((".txt", ".in"))):
        return _requirements
    return None


def prefer_locked(found: list[PackageFacts]) -> list[PackageFacts]:
    """Without the ranges for which a lock file in the same folder or above names the version."""
    locked = {(posixpath.dirname(fact.where.file), fact.name) for fact in found if fact.locked}

    def above(folder: str) -> Iterator[str]:
        while folder:
            yield folder
            folder = posixpath.dirname(folder)
        yield ""

    return [
        fact
        for fact in found
        if fact.locked or not any((folder, fact.name) in locked for folder in above(posixpath.dirname(fact.where.file)))
    ]


def _wanted(fact: PackageFacts | None) -> Iterator[PackageFacts]:
    if fact is not None and fact.name in PACKAGES:
        yield fact


def _requirements(relative: str, text: str) -> Iterator[PackageFacts]:
    """pip's format. Lines that end in a backslash go on; options and comments are no requirements."""
    pinned = "requirements" in text[:400].lower() and "pip-compile" in text[:400]
    line, start = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        start = start or number
        line += raw.rstrip().removesuffix("\\")
        if raw.rstrip().endswith("\\"):
            line += " "
            continue
        bare = line.strip()
        # The name stands before the hashes, which are ten times as long.
        if bare and bare[0] not in "-#" and _MARK.search(bare.partition("--hash")[0]):
            yield from _wanted(requirement(re.sub(r"\s+--hash=\S+", "", bare), Place(relative, start), locked=pinned))
        line, start = "", 0


def _line_of(text: str, pattern: str) -> int:
    """The first line that holds the quoted or bare name; 0 if none does."""
    match = re.search(rf"^.*{pattern}", text, re.IGNORECASE | re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 0


def _named(text: str, name: str) -> int:
    return _line_of(text, rf"(?<![\w-]){re.escape(name).replace('-', '[-_.]')}(?![\w-])")


def _listed(items: object, relative: str, text: str) -> Iterator[PackageFacts]:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, str) and _MARK.search(item):
            found = re.match(r"[A-Za-z0-9._-]+", item.strip())
            line = (_line_of(text, re.escape(item)) or _named(text, normal(found.group()))) if found else 0
            yield from _wanted(requirement(item, Place(relative, line)))


def _poetry_table(table: object, relative: str, text: str) -> Iterator[PackageFacts]:
    """``celery = "^5.2"`` and ``celery = {version = "^5.2", extras = [..]}``; Pipfile is alike."""
    for name, value in table.items() if isinstance(table, dict) else ():
        if normal(str(name)) not in PACKAGES:
            continue
        extras: object = []
        specifier: object = value
        if isinstance(value, dict):
            specifier, extras = value.get("version", ""), value.get("extras", [])
        if not isinstance(specifier, str):
            specifier = ""
        found = bounds(specifier)
        bare_is_caret = specifier[:1].isdigit() and not relative.endswith("Pipfile")
        if bare_is_caret and "," not in specifier:  # Poetry: "5.2.1" means exactly that
            found = bounds(f"=={specifier}")
        yield PackageFacts(
            name=normal(str(name)),
            where=Place(relative, _line_of(text, rf"^\s*[\"']?{re.escape(str(name))}[\"']?\s*=")),
            version=found.exact,
            specifier=specifier,
            extras=tuple(sorted(str(extra) for extra in extras)) if isinstance(extras, list) else (),
            lowest=found.lowest,
            below=found.below,
        )


def _toml(text: str) -> Mapping[str, object]:
    """The document; empty if it is none (other readers of the project complain about that)."""
    import tomllib  # only where there is such a file

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _tables(node: object, *keys: str) -> Mapping[str, object]:
    for key in keys:
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def _pyproject(relative: str, text: str) -> Iterator[PackageFacts]:
    """PEP 621, PEP 735, Poetry, PDM, uv, Hatch."""
    document = _toml(text)
    project = _tables(document, "project")
    yield from _listed(project.get("dependencies"), relative, text)
    for groups in (
        _tables(project, "optional-dependencies"),
        _tables(document, "dependency-groups"),
        _tables(document, "tool", "pdm", "dev-dependencies"),
    ):
        for items in groups.values():
            yield from _listed(items, relative, text)
    yield from _listed(_tables(document, "tool", "uv").get("dev-dependencies"), relative, text)
    for environment in _tables(document, "tool", "hatch", "envs").values():
        if isinstance(environment, dict):
            for key in ("dependencies", "extra-dependencies"):
                yield from _listed(environment.get(key), relative, text)
    poetry = _tables(document, "tool", "poetry")
    for key in ("dependencies", "dev-dependencies"):
        yield from _poetry_table(poetry.get(key), relative, text)
    for group in _tables(poetry, "group").values():
        yield from _poetry_table(_tables(group, "dependencies"), relative, text)


def _pipfile(relative: str, text: str) -> Iterator[PackageFacts]:
    document = _toml(text)
    for key in ("packages", "dev-packages"):
        yield from _poetry_table(document.get(key), relative, text)


def _toml_lock(relative: str, text: str) -> Iterator[PackageFacts]:
    """``[[package]]`` with name and version (Poetry, uv, PDM, PEP 751). By lines: such files are large."""
    name, line = "", 0
    inside = False
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.startswith("[["):
            inside = raw.strip() in ("[[package]]", "[[packages]]")
            name = ""
        elif raw.startswith("["):
            inside = False
        elif inside and raw.startswith("name = "):
            name, line = normal(raw[7:].strip(" \"'")), number
        elif inside and name in PACKAGES and raw.startswith("version = "):
            version = raw[10:].strip(" \"'")
            yield PackageFacts(
                name=name,
                where=Place(relative, line),
                version=release(version),
                specifier=f"=={version}",
                lowest=release(version),
                locked=True,
            )


def _pipfile_lock(relative: str, text: str) -> Iterator[PackageFacts]:
    name, line = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        if match := re.match(r'\s+"([A-Za-z0-9._-]+)": \{', raw):
            name, line = normal(match.group(1)), number
        elif name in PACKAGES and (match := re.match(r'\s+"version": "==([^"]+)"', raw)):
            yield PackageFacts(
                name=name,
                where=Place(relative, line),
                version=release(match.group(1)),
                specifier=f"=={match.group(1)}",
                lowest=release(match.group(1)),
                locked=True,
            )


def _setup_cfg(relative: str, text: str) -> Iterator[PackageFacts]:
    """``install_requires`` and the lists of ``[options.extras_require]``: indented lines."""
    section = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        if raw.startswith("["):
            section = raw.strip().strip("[]")
        elif section.startswith("options") and _MARK.search(raw) and not raw.lstrip().startswith(("#", ";")):
            bare = raw if raw[:1] in " \t" else raw.partition("=")[2]
            yield from _wanted(requirement(bare.strip(), Place(relative, number)))


def _setup_py(relative: str, text: str) -> Iterator[PackageFacts]:
    """Literal requirements of ``setup()`` or of a list that a name holds. The file is parsed, never run."""
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple)]
    for node in lists:
        for item in node.elts:
            if isinstance(item, ast.Constant) and isinstance(item.value, str) and _MARK.match(item.value):
                fact = requirement(item.value, Place(relative, item.lineno))
                if fact is not None and (fact.specifier or fact.extras or len(node.elts) > 1):
                    yield from _wanted(fact)


_READERS: Final[Mapping[str, Reader]] = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "Pipfile.lock": _pipfile_lock,
    "poetry.lock": _toml_lock,
    "uv.lock": _toml_lock,
    "pdm.lock": _toml_lock,
    "pylock.toml": _toml_lock,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
}
"""By file name."""
