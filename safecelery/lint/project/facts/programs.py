"""Workers that code starts: ``app.worker_main(["worker", "--pool=solo"])`` and ``app.start(argv=[...])``.

The arguments are read as those of a command line (celery/app/base.py, ``Celery.worker_main``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safecelery.lint.ir import Node
from safecelery.lint.model.reading import plain
from safecelery.lint.model.scope import Frame, Module
from safecelery.lint.model.values import Seq
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.objects import App
from safecelery.policy.facts import DeployFacts

__all__ = ["calls_of", "programs"]

_STARTING: Final = ("worker_main", "start")
_COMMANDS: Final = frozenset({"worker", "beat"})


def programs(analysis: Analysis) -> Iterator[DeployFacts]:
    """One process for each such call whose arguments are written there."""
    for module in analysis.modules.running():
        if "worker_main" in module.words or "argv=" in module.words:
            for call in calls_of(module.body, *_STARTING):
                yield from _started(analysis, module, call)


def calls_of(body: list[Node], *methods: str) -> Iterator[Node]:
    """Calls of a method of that name, wherever they stand."""
    stack: list[Node] = list(body)
    while stack:
        node = stack.pop()
        if not isinstance(node, list) or not node:
            continue
        if node[0] == "c" and len(node) == 5 and node[2][0] == "a" and node[2][3] in methods:
            yield node
        stack.extend(part for part in node if isinstance(part, list))


def _started(analysis: Analysis, module: Module, call: Node) -> Iterator[DeployFacts]:
    _, line, function, positional, keywords = call
    given = next((node for key, node in keywords if key == "argv"), positional[0] if positional else None)
    if given is None:
        return
    frame = Frame(module, {})
    argv = analysis.it.evaluate(given, frame)
    if not isinstance(argv.data, Seq):
        return
    from safecelery.lint.deploy.environment import HOLE
    from safecelery.lint.deploy.process import Surroundings, processes
    from safecelery.lint.deploy.shell import Word
    from safecelery.lint.deploy.tree import Tree

    arguments = [plain(item) for item in argv.data.items]
    if not _COMMANDS.intersection(text for text in arguments if isinstance(text, str)):
        return
    words = [Word(text) if isinstance(text, str) else Word(HOLE, many=True) for text in arguments]
    if argv.data.open:
        words.append(Word(HOLE, many=True))
    app = analysis.it.evaluate(function[2], frame).data
    name = app.module.name if isinstance(app, App) else module.name
    tree = Tree([(module.path, module.record.file.absolute)])
    around = Surroundings(module.path, "python", tree, production=tree.production(module.path))
    yield from processes([Word("celery"), Word("-A"), Word(name), *words], line, around)
