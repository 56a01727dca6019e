"""Places in code, joined with the tasks they are in."""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.lint.code import ANYWHERE
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.facts.evidence import Subject
from safecelery.policy.facts import CodeFacts, Place

__all__ = ["code_subjects"]


def code_subjects(analysis: Analysis) -> Iterator[Subject]:
    """Every place inside a task, and those that matter anywhere."""
    tasks = {(task.module.path, task.line): task for task in analysis.tasks if task.function is not None}
    classes = {(task.module.path, task.cls.name): task for task in analysis.tasks if task.cls is not None}
    for record in analysis.modules.tree.records:
        for site in record.sites:
            kind = site["kind"]
            task = tasks.get((record.shown, site["function"])) or classes.get((record.shown, site["class"]))
            if task is None and kind not in ANYWHERE:
                continue
            name = analysis.options(task, analysis.primary(task)).name if task is not None else ""
            facts = CodeFacts(
                kind=kind,
                where=Place(record.shown, site["line"]),
                task=name,
                detail=site["detail"],
                certain=site["certain"],
            )
            yield Subject(facts, column=site["column"])
