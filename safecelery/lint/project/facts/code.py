"""Places in code, joined with the tasks they are in."""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.lint.code import ANYWHERE
from safecelery.lint.code.shapes import UNTYPED
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.evidence import Subject
from safecelery.lint.project.options import Options
from safecelery.policy.facts import CodeFacts, Place

__all__ = ["code_subjects"]

_OF_JSON = frozenset({"non-json-argument", "argument-not-plain-json"})


def code_subjects(analysis: Analysis) -> Iterator[Subject]:
    """Every place inside a task, and those that matter anywhere."""
    tasks = {(task.module.path, task.line): task for task in analysis.tasks if task.function is not None}
    classes = {(task.module.path, task.cls.name): task for task in analysis.tasks if task.cls is not None}
    json = _sends_json(analysis)
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
            if kind in _OF_JSON and not json:
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
