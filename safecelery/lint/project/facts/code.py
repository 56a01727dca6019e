"""Places in code, joined with the tasks they are in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from safecelery.lint.code import ANYWHERE, SENDING
from safecelery.lint.code.shapes import UNTYPED
from safecelery.lint.model.scope import Module
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.evidence import Subject
from safecelery.lint.project.options import Options
from safecelery.policy.facts import CodeFacts, Place

if TYPE_CHECKING:
    from safecelery.lint.source import FileRecord

__all__ = ["code_subjects"]

_OF_JSON = frozenset({"non-json-argument", "argument-not-plain-json"})


def code_subjects(analysis: Analysis) -> Iterator[Subject]:
    """Every place inside a task, and those that matter anywhere."""
    tasks = {(task.module.path, task.line): task for task in analysis.tasks if task.function is not None}
    classes = {(task.module.path, task.cls.name): task for task in analysis.tasks if task.cls is not None}
    json = _sends_json(analysis)
    foreign = _without_celery(analysis)
    for record in analysis.modules.tree.records:
        for site in record.sites:
            kind = site["kind"]
            task = tasks.get((record.shown, site["function"])) or classes.get((record.shown, site["class"]))
            if task is None and kind not in ANYWHERE:
                continue
            app = analysis.primary(task) if task is not None else None
            options = analysis.options(task, app) if task is not None else None
            detail = site["detail"]
            if options is not None and kind == "soft-limit-eaten" and _unlimited(options):
                continue
            if (kind in _OF_JSON and not json) or (foreign and kind in SENDING and _sends_others(analysis, record)):
                continue
            if kind == "unvalidated-argument" and (app is None or not app.safe):
                detail = _bare(detail)
                if not detail:
                    continue
            facts = CodeFacts(
                kind=kind,
                where=Place(record.shown, site["line"]),
                task=options.name if options is not None else "",
                detail=detail,
                certain=site["certain"],
            )
            yield Subject(facts, column=site["column"])


def _without_celery(analysis: Analysis) -> bool:
    """Nothing of the tree is Celery's, and no module imports it, at any depth."""
    if analysis.tasks or analysis.apps:
        return False
    dotted = (name for module in analysis.modules.running() for name, _ in _imported(module))
    return not any("celery" in name for name in dotted)


def _imported(module: Module) -> Iterator[tuple[str, int]]:
    """Modules that statements at any depth import, and the level of each; those of functions that send tasks, too."""
    stack: list[Any] = [*module.body, *(call[3] for call in module.calls)]
    while stack:
        node = stack.pop()
        if not isinstance(node, list) or not node:
            continue
        if node[0] == "from" and len(node) == 5:
            yield node[3], node[2]
        elif node[0] == "imp" and len(node) == 3:
            yield from ((dotted, 0) for dotted, _ in node[2])
        else:
            stack.extend(node)


def _sends_others(analysis: Analysis, record: FileRecord) -> bool:
    """Its tasks come from modules of the tree, which knows no Celery: they are another queue's, with a ``delay()``."""
    module = analysis.modules.module_of(record.file)
    origins = [_absolute(module, name, level) for name, level in _imported(module) if "task" in name]
    return bool(origins) and all(analysis.it.find(name, module) is not None for name in origins)


def _absolute(module: Module, name: str, level: int) -> str:
    package = module.package.split(".")
    return ".".join([*package[: len(package) - level + 1], name]) if level else name


def _sends_json(analysis: Analysis) -> bool:
    """Some app does; where all of them pickle, another rule says so, and what JSON cannot hold does not matter."""
    confs = [conf for app in analysis.judged_apps() if (conf := analysis.conf(app)) is not None]
    values = [conf.value("task_serializer") for conf in confs]
    return not values or any(value.is_unknown or value.data in (None, "json", "auth") for value in values)


def _unlimited(options: Options) -> bool:
    """It surely has no soft limit, so none is raised; that it has none is what another rule says."""
    value = options.effective("soft_time_limit")
    return not value.is_unknown and value.data is None


def _bare(detail: str) -> str:
    """What a plain Celery task takes as a whole: Celery checks no types, so a missing one changes nothing there."""
    return ", ".join(part for part in detail.split(", ") if not part.endswith(UNTYPED) and part != "...")
