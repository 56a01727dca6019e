"""What the demo found: the table for people, the document for tools, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from safecelery.cli.demo.attacks import Attack, Harmless
from safecelery.cli.demo.screen import Colour, Screen
from safecelery.cli.demo.strike import Outcome

__all__ = ["Findings", "HonestResult", "Row", "in_words"]

#: MiB of growth of a worker that are worth telling.
_NOTABLE_MIB = 30


@dataclass(frozen=True, slots=True)
class HonestResult:
    """What came of one kind of honest work."""

    name: str
    what: str
    ok: bool
    said: str


@dataclass(frozen=True, slots=True)
class Row:
    """One attack and what became of it on both sides."""

    attack: Attack
    safe: Outcome
    plain: Outcome | None

    @property
    def held(self) -> bool:
        """Nothing forged ran, the message is accounted for, and the worker works on."""
        return self.safe.verdict in ("refused", "harmless") and self.safe.worker == "alive" and self.as_expected

    @property
    def as_expected(self) -> bool:
        """A message that runs as signed must be one that may, and with the result that its own limits give."""
        if self.safe.verdict == "harmless":
            return isinstance(self.attack.expected, Harmless) and self.safe.reason == self.attack.expected.status
        return True


@dataclass(slots=True)
class Findings:
    """Everything the demo saw."""

    broker: str
    honest: list[HonestResult] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    plain_restarts: int | None = None

    @property
    def good(self) -> bool:
        """Everything honest ran, nothing forged did; and there was something to see at all."""
        complete = bool(self.honest) and bool(self.rows)
        return complete and all(result.ok for result in self.honest) and all(row.held for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """For tools."""
        return {
            "ok": self.good,
            "seconds": round(self.seconds, 1),
            "broker": self.broker,
            "honest": [{"name": r.name, "ok": r.ok, "said": r.said} for r in self.honest],
            "attacks": [
                {
                    "name": row.attack.name,
                    "sent": row.attack.sent,
                    "expected": _expected(row.attack),
                    "held": row.held,
                    "safecelery": _outcome(row.safe),
                    "plain": _outcome(row.plain) if row.plain else None,
                }
                for row in self.rows
            ],
            "plain_restarts": self.plain_restarts,
        }

    def show_verdict(self, screen: Screen) -> None:
        """The last lines."""
        ran = [row.attack.name for row in self.rows if row.safe.verdict == "ran"]
        undone = [result.name for result in self.honest if not result.ok]
        odd = [row.attack.name for row in self.rows if not row.held and row.safe.verdict != "ran"]
        screen.say()
        for text, names in (("FORGED WORK RAN", ran), ("HONEST WORK DID NOT RUN", undone), ("NOT HELD", odd)):
            if names:
                screen.say(screen.paint(f"{text}: {', '.join(names)}", "red"))
        if self.good:
            text = f"{len(self.honest)} of {len(self.honest)} kinds of honest work ran, 0 of {len(self.rows)} attacks."
            screen.say(screen.paint(text, "green"))
        plain = [row.plain for row in self.rows if row.plain]
        if plain:
            forged = sum(outcome.verdict == "ran" for outcome in plain)
            deaths = sum(outcome.worker != "alive" for outcome in plain)
            screen.say(f"Plain Celery ran {forged} of them; its worker died or stuck {deaths} times and was restarted.")
        screen.say(f"{self.seconds:.0f} seconds in all.")


def in_words(outcome: Outcome, attack: Attack) -> tuple[str, Colour]:
    """A cell of the table."""
    text, colour = _verdict(outcome, attack)
    if outcome.worker != "alive":
        text, colour = f"{text}, WORKER {outcome.worker.upper()}" if outcome.verdict == "ran" else _dead(outcome), "red"
    if outcome.grown_mib is not None and outcome.grown_mib > _NOTABLE_MIB:
        text += f", +{outcome.grown_mib} MiB"
    return text, colour


def _dead(outcome: Outcome) -> str:
    return f"WORKER {outcome.worker.upper()}"


def _verdict(outcome: Outcome, attack: Attack) -> tuple[str, Colour]:
    match outcome.verdict:
        case "ran":
            return "RAN", "red"
        case "refused":
            return f"refused: {outcome.reason}" if outcome.reason else "refused", "green"
        case "harmless":
            means = attack.expected.means if isinstance(attack.expected, Harmless) else "ran as signed"
            return f"no effect, {means}", "green"
        case "vanished":
            return "VANISHED", "red"


def _expected(attack: Attack) -> str:
    return attack.expected.status if isinstance(attack.expected, Harmless) else attack.expected.value


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "worker": outcome.worker,
        "grown_mib": outcome.grown_mib,
    }
