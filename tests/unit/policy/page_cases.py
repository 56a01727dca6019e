"""The fenced blocks of a rule's page as cases: facts to check, or files to lint.

``toml facts`` gives the fields of one subject. Any other block is a file, named by its info string (``python`` alone is
``shop/tasks.py``); a trailing ``+`` joins it with the next block into one case.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint
from safecelery.lint.finding import LintResult
from safecelery.policy.facts import CallFacts, CodeFacts, Facts, TaskFacts
from safecelery.policy.rule import Rule
from tests.unit.policy.policy_builders import facts_from_toml

_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMES = {"python": "shop/tasks.py"}
_BINDS_APP = re.compile(r"^(?:app\s*(?::[^=\n]+)?=[^=]|from .* import .*\bapp\b|import .*\bapp\b)", re.MULTILINE)

#: What a block about tasks leaves out: an app of ours; and a block about settings: one of plain Celery.
_OUR_APP = 'from safecelery import SafeTask, create_app, shared_task\n\napp = create_app("shop")\n'
_PLAIN_APP = 'from celery import Celery, shared_task\n\napp = Celery("shop")\n'


@dataclass
class PageCase:
    """One case of a page."""

    facts: list[Facts] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def written_to(self, folder: Path, rule: Rule) -> Path:
        """Its files, below a new folder."""
        root = folder / "project"
        for name, text in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_completed(name, text, rule), encoding="utf-8")
        return root


def _completed(name: str, text: str, rule: Rule) -> str:
    if not name.endswith(".py") or not re.search(r"\bapp\b|SafeTask|shared_task", text):
        return text
    if _BINDS_APP.search(text):
        return text
    plain = re.search(r"\bapp\.conf\b|config_from_object|setup_security|add_periodic_task", text)
    ours = not plain and rule.subject in (TaskFacts, CallFacts, CodeFacts)
    missing = _OUR_APP if ours else _PLAIN_APP
    if "from __future__" in text:
        head, _, rest = text.partition("\n")
        return f"{head}\n{missing}\n{rest}"
    return f"{missing}\n{text}"


def page_cases(section: str) -> list[PageCase]:
    """The cases of one section. Raises ValueError for a block that is none."""
    cases: list[PageCase] = []
    joined: PageCase | None = None
    for info, text in _BLOCK.findall(section):
        words = info.split()
        if not words:
            raise ValueError(f"a block without a language:\n{text}")
        case = joined or PageCase()
        if joined is None:
            cases.append(case)
        if words[-1] == "+":
            words.pop()
            joined = case
        else:
            joined = None
        if words == ["toml", "facts"]:
            case.facts.append(facts_from_toml(tomllib.loads(text)))
        elif len(words) == 2:
            case.files[words[1]] = text
        elif words[0] in _NAMES:
            case.files[_NAMES[words[0]]] = text
        else:
            raise ValueError(f"a block of {info!r} needs a file name")
    return cases


def linted(case: PageCase, folder: Path, rule: Rule) -> LintResult:
    """What the linter says of a case, the rule under test switched on."""
    root = case.written_to(folder, rule)
    config = LintConfig(extend_select=(rule.code,), cache=False, jobs=1, include_tests=True, root=root)
    return lint([str(root)], config)
