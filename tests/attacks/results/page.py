"""The part of ``docs/attack-matrix.md`` that is about results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.attacks.results.case import Case
from tests.attacks.results.driver import Outcome
from tests.attacks.results.groups import grouped
from tests.attacks.results.run import Key
from tests.attacks.results.subjects import BACKENDS, SUBJECTS

__all__ = ["BEGIN", "kept", "put", "section", "totals"]

#: The section goes from here to the end of the page.
BEGIN = "<!-- Written by `python -m tests.attacks.results`. -->"
NAMES = {"redis": "Redis", "rpc": "rpc", "database": "SQL"}
VERDICTS = ("true", "refused", "withheld", "believed", "disturbed", "hung", "died", "effect", "n/a")
HARM = ("believed", "disturbed", "hung", "died", "effect")
INTRODUCTION = """\
# Attacks on results

What somebody can do who writes to the result backend, or to the reply queue of rpc: every case of
`tests/attacks/results/`, against the same three subjects. The caller is a process of its own that sends a task, waits
for it with `get()`, looks at its state, value, traceback and children, and catches `Exception`. After each case the
same process must get the true result of an honest call from the same worker. `auth` has `result_serializer='auth'`.

* **true**: the caller has the true result. Of a result that is sealed by a key which may answer for the task: it
  believes that, as it should, and an exception that it does not know is a `RemoteError`.
* **refused**: it is told, by an exception that says why (a chord, by a failed body). Where Celery has no exception for
  it, whatever reading the stored value raises counts, as long as it is not what the attacker wrote.
* **withheld**: what was taken away does not come. Nobody can prevent that, and nothing else is believed instead.
* **believed**: it has a value, a failure, a traceback or a child that is not true; or a chord's body ran with
  numbers that are not.
* **disturbed**: waiting ends with an error though the true result comes; or a worker could not store it.
* **hung**: the caller waits in vain, then or in the honest call that comes after.
* **died**: the process of the caller, or of the worker, has ended.
* **effect**: code ran that nobody sent, or a process took 100 MiB more.
* **n/a**: only the seal or the encryption is changed, and this subject has none; or the seal is another one for each
  column of a row.
"""


def totals(outcomes: Mapping[Key, Outcome], cases: Sequence[Case]) -> dict[tuple[str, str], Counter[str]]:
    """Verdicts by subject and backend, attacks only."""
    names = [case.name for case in cases if not case.honest]
    return {
        (subject, backend): Counter(
            outcomes[subject, backend, name].verdict for name in names if (subject, backend, name) in outcomes
        )
        for subject in SUBJECTS
        for backend in BACKENDS
    }


def section(outcomes: Mapping[Key, Outcome], cases: Sequence[Case], about: Sequence[str]) -> str:
    """The whole section; ``about`` are lines on versions, machine and date."""
    parts = [BEGIN, "", INTRODUCTION, *(f"* {line}" for line in about), "", *_totals(outcomes, cases)]
    for title, members in grouped(cases).items():
        parts += ["", f"## Results: {title[0].lower()}{title[1:]}", "", *_table(outcomes, members)]
    return "\n".join(parts) + "\n"


def kept(page: Path) -> str:
    """The section as it is, for whoever writes the rest of the page anew."""
    _, found, rest = page.read_text(encoding="utf-8").partition(BEGIN) if page.exists() else ("", "", "")
    return f"\n{BEGIN}{rest}" if found else ""


def put(page: Path, text: str) -> None:
    """Replace the section in the page."""
    before = page.read_text(encoding="utf-8").partition(BEGIN)[0].rstrip("\n")
    page.write_text(f"{before}\n\n{text}", encoding="utf-8")


def _totals(outcomes: Mapping[Key, Outcome], cases: Sequence[Case]) -> Iterator[str]:
    yield "## Results: totals"
    yield ""
    yield f"| | attacks | {' | '.join(VERDICTS)} |"
    yield f"| --- |{' ---: |' * (len(VERDICTS) + 1)}"
    for (subject, backend), counted in totals(outcomes, cases).items():
        numbers = [counted[verdict] for verdict in VERDICTS]
        yield f"| {subject}, {NAMES[backend]} | {' | '.join(map(str, [sum(numbers), *numbers]))} |"


def _table(outcomes: Mapping[Key, Outcome], cases: Sequence[Case]) -> Iterator[str]:
    yield f"| case | on | {' | '.join(SUBJECTS)} |"
    yield f"| --- | --- |{' --- |' * len(SUBJECTS)}"
    for case in sorted(cases, key=lambda case: case.title):
        where = ", ".join(NAMES[backend] for backend in case.backends)
        cells = [_cell(outcomes, subject, case) for subject in SUBJECTS]
        yield f"| {_text(case.title)} <!-- {case.name} --> | {where} | {' | '.join(cells)} |"


def _cell(outcomes: Mapping[Key, Outcome], subject: str, case: Case) -> str:
    shown: dict[str, list[str]] = {}
    for backend in case.backends:
        outcome = outcomes.get((subject, backend, case.name))
        shown.setdefault(_verdict(outcome), []).append(NAMES[backend])
    if len(shown) == 1:
        return next(iter(shown))
    return "; ".join(f"{', '.join(backends)}: {verdict}" for verdict, backends in shown.items())


def _verdict(outcome: Outcome | None) -> str:
    if outcome is None:
        return "not run"
    word = f"**{outcome.verdict}**" if outcome.verdict in HARM else outcome.verdict
    told = {"refused": outcome.note, "effect": outcome.note, "died": "", "disturbed": outcome.note}
    note = told.get(outcome.verdict, "")
    return f"{word}: {_text(note[:40])}" if note and "\n" not in note else word


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
