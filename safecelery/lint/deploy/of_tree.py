"""The deployment of a tree of sources: each root by itself, with the paths that people know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from safecelery.lint.deploy import Deployment, read, tells_of_deployment
from safecelery.policy.facts import DeployFacts, FileFacts, PackageFacts, TrustFacts

if TYPE_CHECKING:
    from safecelery.lint.source import SourceTree

__all__ = ["deployment_of"]

_Deployed = TypeVar("_Deployed", DeployFacts, PackageFacts, FileFacts, TrustFacts)


def deployment_of(tree: SourceTree) -> Deployment:
    """What the deployment files of a tree say; by their place below the argument, findings by the path people know."""
    whole = Deployment()
    programs = [file for file in tree.python_files if not file.is_test and tells_of_deployment(file.path)]
    for root in tree.roots:
        files = [(file.path, file.absolute) for file in tree.other_files if file.root == root]
        files += [(file.path, file.absolute) for file in programs if file.root == root]
        shown = {path: tree.shown(absolute) for path, absolute in files}
        part = read(files)
        whole.processes += [_shown(facts, shown) for facts in part.processes]
        whole.packages += [_shown(facts, shown) for facts in part.packages]
        whole.files += [_shown(facts, shown) for facts in part.files]
        whole.trust += [_shown(facts, shown) for facts in part.trust]
        whole.beside.add(part.beside)
        whole.unread += [replace(item, path=shown.get(item.path, item.path)) for item in part.unread]
    return whole


def _shown(facts: _Deployed, shown: Mapping[str, str]) -> _Deployed:
    where = facts.where
    return replace(facts, where=replace(where, file=shown.get(where.file, where.file)))
