"""``docs/attack-matrix.md``, from what a run has found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.attacks.case import BROKERS, Case
from tests.attacks.driver import Outcome
from tests.attacks.matrix.groups import HONEST, group_of, grouped
from tests.attacks.subjects import SUBJECTS

__all__ = ["Results", "document", "totals"]

#: (subject, broker, case) -> outcome.
Results = Mapping[tuple[str, str, str], Outcome]
COLUMNS = [(subject, broker) for subject in SUBJECTS for broker in BROKERS]
NAMES = {"redis": "Redis", "rabbitmq": "RabbitMQ"}
INTRODUCTION = """\
# Attack matrix

<!-- Written by `python -m tests.attacks.matrix`; the outcomes are measured, on real brokers with real workers. -->

What somebody can do who writes to the message broker: every case of `tests/attacks/`, played by one driver against
{subjects}

After each case an honest task on each of two queues must be answered by the same worker process.

* **blocked**: nothing ran that the sender may not have run, and nothing else changed. Where safecelery refused the
  message, the reason is given, and the message is in the dead-letter queue, whole.
* **ran**: the message, or a part of it, ran though this sender may not send it; or it had
  another effect, which is given.
* **crashed**: the worker's main process exited, or honest work was not answered within ten seconds. The worker was then
  restarted and its queues emptied.
* **n/a**: the case changes only what this subject does not have, such as the envelope, or concerns another transport.
* **skipped**: it needs a part of safecelery that is not there yet.

A case is written for safecelery. For the others its nearest equivalent is played: the same message without an envelope;
with `auth`, its body signed by a certificate that the worker trusts wherever the sender's key is one that safecelery's
worker trusts. `auth` knows no grants: what a limited sender may not send, it lets everybody send who has a certificate.
All three have late acknowledgement, TLS to the broker, and quorum queues on RabbitMQ.
"""


def totals(results: Results, cases: Sequence[Case]) -> dict[tuple[str, str], Counter[str]]:
    """Verdicts by column, attacks only."""
    attacks = [case.name for case in cases if not case.honest]
    return {
        (subject, broker): Counter(
            results[subject, broker, name].verdict for name in attacks if (subject, broker, name) in results
        )
        for subject, broker in COLUMNS
    }


def document(results: Results, cases: Sequence[Case], about: Sequence[str]) -> str:
    """The whole page; ``about`` are lines on versions, machine and date."""
    words = "\n".join(["", *(f"* {subject.words}" for subject in SUBJECTS.values())])
    parts = [INTRODUCTION.format(subjects=words), *(f"* {line}" for line in about), "", *_totals(results, cases)]
    for title, members in grouped(cases).items():
        if members:
            parts += ["", f"## {title}", "", *_table(results, members)]
    return "\n".join(parts) + "\n"


def _totals(results: Results, cases: Sequence[Case]) -> Iterator[str]:
    yield "## Totals"
    yield ""
    yield "| | attacks | blocked | ran | crashed | n/a | skipped | honest messages that ran |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    honest = [case.name for case in cases if group_of(case) == HONEST]
    for (subject, broker), counted in totals(results, cases).items():
        verdicts = [counted[verdict] for verdict in ("blocked", "ran", "crashed", "n/a", "skipped")]
        fine = sum(
            results[subject, broker, name].verdict == "ran" for name in honest if _has(results, subject, broker, name)
        )
        of = sum(_has(results, subject, broker, name) for name in honest)
        cells = [f"{subject}, {NAMES[broker]}", sum(verdicts), *verdicts, f"{fine} of {of}"]
        yield f"| {' | '.join(map(str, cells))} |"


def _has(results: Results, subject: str, broker: str, name: str) -> bool:
    return (subject, broker, name) in results


def _table(results: Results, cases: Sequence[Case]) -> Iterator[str]:
    yield f"| case | {' | '.join(f'{subject}, {NAMES[broker]}' for subject, broker in COLUMNS)} |"
    yield f"| --- |{' --- |' * len(COLUMNS)}"
    for case in sorted(cases, key=lambda case: case.title):
        cells = [_cell(results, subject, broker, case) for subject, broker in COLUMNS]
        yield f"| {_text(case.title)} <!-- {case.name} --> | {' | '.join(cells)} |"


def _cell(results: Results, subject: str, broker: str, case: Case) -> str:
    outcome = results.get((subject, broker, case.name))
    if broker not in case.brokers:
        return "n/a"
    if outcome is None:
        return "not run"
    bold = outcome.verdict == "crashed" or (outcome.verdict == "ran" and not case.honest)
    shown = f"**{outcome.verdict}**" if bold else outcome.verdict
    note = outcome.note if outcome.verdict not in ("n/a", "skipped") else ""
    return f"{shown}: {_text(_short(note))}" if note else shown


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _text(text: Any) -> str:
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
