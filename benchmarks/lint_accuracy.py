"""How many facts ``safecelery facts`` gets right, measured against what running applications say of themselves.

    python benchmarks/lint_accuracy.py TREE TRUTH [TREE TRUTH]... [--verbose] [--json]
    python benchmarks/lint_accuracy.py --all FOLDER TRUTHS

A truth file is what somebody got from the imported application: ``{"tasks": {name: {"file", "line", "in_project",
field: value}}, "conf": {setting: value}}``, paths relative to the tree, lines those of the first decorator. ``--all``
takes each ``TRUTHS/NAME.json`` with ``FOLDER/NAME``. Tasks are joined by file and line. The reader runs as a process of
its own, so nothing of the tree is imported.

A value is *right* if it equals the truth, *abstained* if the reader says that it cannot know, else *wrong*. A value
that depends on an environment variable counts as its default. ``autoretry_for`` empty and absent are the same. A
*missing* task is in the truth and not in the answer. An *extra* one is in the answer only: where an application was
imported in part, as most truths are, that may be a task nobody imported, so extras are listed and not held against the
reader.

Exit status 1 if the aims are missed: 99 % of the tasks found, at most 0.5 % of the values wrong and 5 % abstained.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from safecelery.policy.setting_defaults import SETTING_DEFAULTS  # noqa: E402  (run from anywhere, installed or not)

LEAST_FOUND, MOST_WRONG, MOST_ABSTAINED = 0.99, 0.005, 0.05
MACHINE = frozenset({"broker_url", "result_backend", "broker_read_url", "broker_write_url"})
"""Settings that the truth took from the machine it was made on."""

Facts: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, int]


@dataclass
class Score:
    """One tree against its truth."""

    name: str
    tasks: int = 0
    found: int = 0
    missing: list[Place] = field(default_factory=list)
    extra: list[Place] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    abstained: list[dict[str, Any]] = field(default_factory=list)
    conf_right: int = 0
    conf_wrong: list[dict[str, Any]] = field(default_factory=list)
    conf_abstained: list[str] = field(default_factory=list)

    @property
    def values(self) -> int:
        """How many values were compared."""
        return sum(self.right.values()) + len(self.wrong) + len(self.abstained)

    @property
    def reached(self) -> bool:
        """The aims are met."""
        if not self.values:
            return self.found == self.tasks
        return (
            self.found >= LEAST_FOUND * self.tasks
            and len(self.wrong) <= MOST_WRONG * self.values
            and len(self.abstained) <= MOST_ABSTAINED * self.values
        )


def read(tree: Path) -> Facts:
    """The facts document of a tree, by the command itself."""
    command = [sys.executable, "-m", "safecelery", "facts", str(tree), "--format", "json", "--no-cache", "--isolated"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with tempfile.TemporaryDirectory() as elsewhere:  # so that no configuration near by has a say
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=elsewhere)
    if done.returncode not in (0, 2):
        sys.exit(f"{tree}: safecelery facts ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
    document: Facts = json.loads(done.stdout)
    return document


def compare(name: str, document: Facts, truth: Facts) -> Score:
    """The answer against the truth."""
    score = Score(name)
    true_tasks: dict[Place, Facts] = {}
    for task in truth["tasks"].values():
        if task.get("in_project", True):
            true_tasks.setdefault((task["file"], task["line"]), task)
    told: dict[Place, Facts] = {}
    for task in document["tasks"]:
        told.setdefault((task["file"], task["line"]), task)
    score.tasks = len(true_tasks)
    score.missing = sorted(place for place in true_tasks if place not in told)
    score.extra = sorted(place for place in told if place not in true_tasks)
    score.found = score.tasks - len(score.missing)
    for place, task in true_tasks.items():
        if place in told:
            _options(score, place, told[place]["options"], task)
    _conf(score, document["apps"], truth)
    return score


def _options(score: Score, place: Place, options: Facts, truth: Facts) -> None:
    for option, told in options.items():
        if option not in truth:
            continue
        entry = {
            "at": f"{place[0]}:{place[1]}",
            "option": option,
            "true": truth[option],
            "told": told["value"],
            "because": [f"{link['file']}:{link['line']} {link['what']}" for link in told["because"]],
        }
        if told["state"] == "unknown":
            score.abstained.append(entry)
        elif _same(option, told["value"], truth[option]):
            score.right[option] += 1
        else:
            score.wrong.append(entry)


def _same(option: str, told: Any, true: Any) -> bool:
    if option == "autoretry_for" and not told and not true:
        return True
    return bool(told == true) and isinstance(told, bool) == isinstance(true, bool)


def _conf(score: Score, apps: list[Facts], truth: Facts) -> None:
    """The settings of the app of the truth; those nobody states are at Celery's defaults."""
    if not apps:
        return
    file = str(truth.get("app", "")).partition(":")[0].replace(".", "/") + ".py"
    meant = [app["conf"] for app in apps if app["file"] == file or app["file"].endswith(f"/{file}")]
    stated = max(meant or [app["conf"] for app in apps], key=len)
    for name, true in truth.get("conf", {}).items():
        if name in MACHINE:
            continue
        told = stated.get(name)
        if told is None and "*" in stated:
            score.conf_abstained.append(name)
            continue
        if told is None:
            default = json.loads(json.dumps(SETTING_DEFAULTS.get(name)))
            told = {"state": "known", "value": default}
        if told["state"] == "unknown":
            score.conf_abstained.append(name)
        elif told["value"] == _plain(true) or name not in SETTING_DEFAULTS:
            score.conf_right += 1
        else:
            score.conf_wrong.append({"setting": name, "true": true, "told": told["value"], "env": told.get("env", [])})


def _plain(true: Any) -> Any:
    """Durations in a truth file are written as Python prints them."""
    found = re.fullmatch(r"datetime\.timedelta\((days|seconds)=(\d+)\)", true) if isinstance(true, str) else None
    return true if found is None else int(found[2]) * (86400 if found[1] == "days" else 1)


def table(scores: list[Score]) -> Iterator[str]:
    """One line for each tree, one for all."""
    yield f"{'tree':28}{'tasks':>6}{'found':>6}{'extra':>6}{'values':>8}{'wrong':>7}{'abstained':>12}{'settings':>18}"
    for score in scores:
        yield _row(score.name, [score])
    if len(scores) > 1:
        yield _row("all", scores)


def _row(name: str, scores: list[Score]) -> str:
    values = sum(score.values for score in scores)
    wrong, abstained = sum(len(s.wrong) for s in scores), sum(len(s.abstained) for s in scores)
    right = sum(score.conf_right for score in scores)
    others = f"-{sum(len(s.conf_wrong) for s in scores)} ?{sum(len(s.conf_abstained) for s in scores)}"
    share = f"{abstained} {100 * abstained / max(values, 1):.1f}%"
    tasks, found, extra = (sum(n) for n in zip(*((s.tasks, s.found, len(s.extra)) for s in scores), strict=True))
    return f"{name:28}{tasks:6}{found:6}{extra:6}{values:8}{wrong:7}{share:>12}{right:>10} {others:>7}"


def details(score: Score) -> Iterator[str]:
    """Everything that is not right."""
    yield f"\n{score.name}"
    for file, line in score.missing:
        yield f"  missing   {file}:{line}"
    for file, line in score.extra:
        yield f"  extra     {file}:{line} (invented, or not imported where the truth was taken)"
    for kind, entries in (("wrong", score.wrong), ("abstained", score.abstained)):
        for entry in entries:
            yield f"  {kind:9} {entry['at']} {entry['option']}: {entry['told']!r}, truly {entry['true']!r}"
            for link in entry["because"]:
                yield f"            {link}"
    for entry in score.conf_wrong:
        env = f" (default of {', '.join(entry['env'])})" if entry["env"] else ""
        yield f"  setting   {entry['setting']}: {entry['told']!r}{env}, truly {entry['true']!r}"
    for name in score.conf_abstained:
        yield f"  setting   {name}: abstained"


def by_field(scores: list[Score]) -> Iterator[str]:
    """One line for each option."""
    right: Counter[str] = sum((score.right for score in scores), Counter())
    wrong = Counter(entry["option"] for score in scores for entry in score.wrong)
    abstained = Counter(entry["option"] for score in scores for entry in score.abstained)
    yield f"\n{'option':28}{'right':>7}{'wrong':>7}{'abstained':>11}"
    for option in dict.fromkeys((*right, *wrong, *abstained)):
        yield f"{option:28}{right[option]:7}{wrong[option]:7}{abstained[option]:11}"


def as_json(score: Score) -> dict[str, Any]:
    """A score as plain data."""
    return {
        "tree": score.name,
        "tasks": score.tasks,
        "found": score.found,
        "missing": score.missing,
        "extra": score.extra,
        "values": score.values,
        "right": dict(score.right),
        "wrong": score.wrong,
        "abstained": score.abstained,
        "settings": {"right": score.conf_right, "wrong": score.conf_wrong, "abstained": score.conf_abstained},
        "reached": score.reached,
    }


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="Compare safecelery facts with what running applications say.")
    parser.add_argument("pairs", nargs="*", metavar="TREE TRUTH", help="a source tree and its truth file")
    parser.add_argument("--all", nargs=2, metavar=("FOLDER", "TRUTHS"), help="FOLDER/NAME for each TRUTHS/NAME.json")
    parser.add_argument("--verbose", action="store_true", help="list what is not right, with where it came from")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    options = parser.parse_args()
    if len(options.pairs) % 2:
        parser.error("trees and truth files come in pairs")
    pairs = [(Path(tree), Path(truth)) for tree, truth in zip(options.pairs[::2], options.pairs[1::2], strict=True)]
    if options.all:
        folder, truths = map(Path, options.all)
        pairs += [(folder / file.stem, file) for file in sorted(truths.glob("*.json"))]
    if not pairs:
        parser.error("nothing to measure: give TREE TRUTH, or --all FOLDER TRUTHS")
    scores = [compare(tree.name, read(tree), json.loads(truth.read_text("utf-8"))) for tree, truth in pairs]
    if options.json:
        print(json.dumps([as_json(score) for score in scores], indent=1))
    else:
        print(*table(scores), *by_field(scores), sep="\n")
        if options.verbose:
            print(*(line for score in scores for line in details(score)), sep="\n")
    return 0 if all(score.reached for score in scores) else 1


if __name__ == "__main__":
    sys.exit(main())
