"""A case: a directory with a README and a ``case.toml`` that says, as data, who asks what, and what the attacker does.

::

    backends                some of `subjects.BACKENDS`
    [call]                  what the caller sends
    kind                    "task", "group" or "chord"; a task of its own waits for its gate, see `service.answers`
    fails                   true: the task raises ValueError instead of returning a value
    when                    "waiting": the attacker acts while the task runs and its caller waits for it;
                            "pending": while it runs, and its caller does not look yet;
                            "stored": after the true result was stored, before the caller looks
    other, earlier          true: another task of the caller has a result by then; the same id had one before
    encrypted               the task is one that must be encrypted (to worker and caller), where the subject can
    leaf                    the caller follows children, too
    stranger                whoever looks has only the id: another process than the one that sent the task
    settled                 the caller has waited for a while, and has looked into the store before
    [[attack]]              what the attacker does: one operation of `operations.py` each
    encrypt                 of a value: encrypted before it is signed, {to = ["caller"]} and more of `ciphertext.py`
    signer, claims          of a value: whose key seals it, and what the seal says otherwise than a true one
    changes, seal           of a value: what is changed under the seal ("spoil": `spoilt.py`), or of the seal alone
    [expect]                for _rejected: reasons, of which the refusal has one; withheld: the caller may wait in vain,
                            since nobody can keep an attacker from taking things away;
                            for _harmless: nothing, the caller believes the truth;
                            for both: known, if safecelery does not prevent it, and docs/threat-model.md says so;
                            for _admitted: value or raised (the end of a class name), text (in that of the exception)

``_rejected`` and ``_harmless`` are attacks: the caller is told, or has the true result all the same. ``_admitted`` is
what a caller must believe.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.attacks.case import CaseError
from tests.attacks.ciphertext import MEMBERS as ENCRYPTION
from tests.attacks.results.operations import OPERATIONS, VALUES
from tests.attacks.results.subjects import BACKENDS

__all__ = ["CASES", "Case", "corpus", "load", "parse"]

CASES = Path(__file__).parent / "cases"
OUTCOMES = ("rejected", "admitted", "harmless")
KINDS = ("task", "group", "chord")
TIMES = ("waiting", "pending", "stored")
FLAGS = ("other", "earlier", "encrypted", "leaf", "settled", "stranger")
#: Of a step with a value, beside the value.
MEMBERS = ("encrypt", "signer", "claims", "changes", "seal")
CALL = {"kind", "fails", "when", *FLAGS}
EXPECT = {"rejected": {"reasons", "withheld", "known"}, "admitted": {"value", "raised", "text"}, "harmless": {"known"}}


@dataclass(frozen=True, slots=True)
class Case:
    """One attack, or one honest result as a control."""

    name: str
    outcome: str
    title: str
    backends: tuple[str, ...]
    attack: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Any]
    kind: str = "task"
    when: str = "stored"
    fails: bool = False
    flags: frozenset[str] = field(default=frozenset())
    """Of ``FLAGS``."""

    @property
    def honest(self) -> bool:
        """No attack."""
        return self.name.startswith("honest_")

    @property
    def about_encryption(self) -> bool:
        """It means nothing where nobody encrypts: whoever may answer is right to do so in clear there."""
        return any(
            "encrypt" in step
            or any(change[0] == "spoil" for change in step.get("changes", ()))
            or ("encrypted" in self.flags and step.get("signer") == "worker")
            for step in self.attack
        )

    @property
    def about_envelopes(self) -> bool:
        """It means nothing where there is none."""
        return any("seal" in step or step.get("claims", {}).keys() - {"ct", "ce"} for step in self.attack)


def corpus() -> list[Case]:
    """Every case there is."""
    return [load(path) for path in sorted(CASES.iterdir()) if path.is_dir()]


def load(directory: Path) -> Case:
    """Read the case of one directory.

    Raises:
        CaseError: anything in it is unknown, missing or wrong.
    """
    title = (directory / "README.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return parse((directory / "case.toml").read_text(encoding="utf-8"), directory.name, title)


def parse(text: str, name: str, title: str = "") -> Case:
    """As :func:`load`, from the text."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{name}: {error}") from None
    outcome = name.rpartition("_")[2]
    if outcome not in OUTCOMES:
        raise CaseError(f"{name}: must end in one of {OUTCOMES}")
    _known(name, "the case", document, {"backends", "call", "attack", "expect"})
    call, expect, attack = document.get("call", {}), document.get("expect", {}), document.get("attack", [])
    _known(name, "call", call, CALL)
    _known(name, "expect", expect, EXPECT[outcome])
    if not set(document.get("backends", ())) <= set(BACKENDS) or not document.get("backends"):
        raise CaseError(f"{name}: backends are some of {sorted(BACKENDS)}")
    if call.get("kind", "task") not in KINDS or call.get("when", "stored") not in TIMES:
        raise CaseError(f"{name}: kind is one of {KINDS}, when one of {TIMES}")
    if outcome == "rejected" and not expect.get("reasons"):
        raise CaseError(f"{name}: a refusal has a reason")
    if not attack and not name.startswith("honest_"):
        raise CaseError(f"{name}: attacks nothing")
    for step in attack:
        _check_step(name, step)
    return Case(
        name=name, outcome=outcome, title=title or name.rpartition("_")[0].replace("_", " "),
        backends=tuple(document["backends"]), attack=tuple(attack), expect=expect, kind=call.get("kind", "task"),
        when=call.get("when", "stored"), fails=call.get("fails", False),
        flags=frozenset(flag for flag in FLAGS if call.get(flag)),
    )  # fmt: skip


def _known(name: str, part: str, table: Any, members: set[str]) -> None:
    if not isinstance(table, dict):
        raise CaseError(f"{name}: {part} is not a table")
    if odd := sorted(table.keys() - members):
        raise CaseError(f"{name}: {part} has unknown {odd}; it takes {sorted(members)}")


def _check_step(name: str, step: Mapping[str, Any]) -> None:
    operation = OPERATIONS.get(step.get("do", ""))
    if operation is None:
        raise CaseError(f"{name}: unknown operation {step.get('do')!r}; there are {sorted(OPERATIONS)}")
    makers = [member for member in step if member in VALUES]
    if operation.value != (len(makers) == 1) or len(makers) > 1:
        raise CaseError(f"{name}: {step['do']} takes {'one' if operation.value else 'none'} of {sorted(VALUES)}")
    allowed = {"do", *operation.takes, *makers, *(MEMBERS if operation.value else ())}
    if odd := step.keys() - allowed:
        raise CaseError(f"{name}: {step['do']} takes {sorted(allowed)}, not {sorted(odd)}")
    _known(name, "encrypt", step.get("encrypt", {}), ENCRYPTION)
