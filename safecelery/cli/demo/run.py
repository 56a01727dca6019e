"""The order of the demo: scene, processes, honest work, attacks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from safecelery.cli.demo.attacks import ATTACKS, Attack
from safecelery.cli.demo.honest import STEPS
from safecelery.cli.demo.report import Findings, HonestResult, Row, in_words
from safecelery.cli.demo.scene import Scene, set_scene
from safecelery.cli.demo.screen import Screen
from safecelery.cli.demo.sides import Side, plain_side, safe_side
from safecelery.cli.demo.strike import Outcome, audit, strike
from safecelery.testing.processes import CeleryProcess

__all__ = ["run"]


def run(screen: Screen, *, compare: bool, keep: bool) -> Findings:
    """Play it all. Every process and file is gone afterwards, also on Ctrl-C; with ``keep`` the files stay.

    Raises:
        SafeCeleryError: no Redis can be had.
    """
    with set_scene(keep=keep) as scene:
        findings = Findings(broker=scene.describe())
        screen.step("broker", findings.broker)
        screen.step("keys", "shop and orders-worker may send orders.*, intern may send orders.print_label")
        with _sides(scene, screen, compare=compare) as (safe, plain):
            with _beat(scene, safe, screen):
                _work(safe, screen, findings)
            _attack(safe, plain, screen, findings)
        findings.plain_restarts = plain.restarts if plain else None
        if keep:
            screen.step("kept", f"logs, books and keys are in {scene.directory}")
    findings.seconds = screen.seconds
    return findings


@contextmanager
def _sides(scene: Scene, screen: Screen, *, compare: bool) -> Iterator[tuple[Side, Side | None]]:
    with ExitStack() as stack:
        safe = safe_side(scene)
        stack.callback(safe.close)
        screen.step("eavesdrop", "three honest messages of the shop are copied while they wait in the queue")
        plain = None
        if compare:
            plain = plain_side(scene)
            stack.callback(plain.close)
        sides = [side for side in (safe, plain) if side]
        with ThreadPoolExecutor(len(sides)) as pool:
            for started in [pool.submit(side.worker.start) for side in sides]:
                started.result()
        screen.step("worker", f"celery -A orders.app worker, prefork, 2 children, pid {safe.worker.pid}")
        if plain:
            screen.step("comparison", f"the same tasks on plain Celery, pid {plain.worker.pid}")
        yield safe, plain


@contextmanager
def _beat(scene: Scene, safe: Side, screen: Screen) -> Iterator[None]:
    schedule = scene.directory / "beat-schedule"
    beat = CeleryProcess(
        "orders.app", "beat", ["--schedule", str(schedule), "--pidfile", ""],
        directory=scene.directory, env=scene.environment("orders-worker", safe.book.path),
    )  # fmt: skip
    with beat:
        screen.step("beat", f"celery -A orders.app beat, pid {beat.pid}")
        yield


def _work(safe: Side, screen: Screen, findings: Findings) -> None:
    screen.say(f"\n{screen.paint('Honest work', 'bold')}, sent by a shop that has a key and none of the tasks' code")
    for step in STEPS:
        try:
            said, ok = step.do(safe), True
        except Exception as error:  # noqa: BLE001  # any failure of honest work is a finding
            said, ok = f"{type(error).__name__}: {error}", False
        findings.honest.append(HonestResult(step.name, step.what, ok, said))
        screen.step("ok" if ok else "FAILED", f"{step.name:<11} {step.what:<30} {said}", "green" if ok else "red")


def _strike_plain(attack: Attack, plain: Side) -> Outcome:
    outcome = strike(attack, plain, dead_letters=False)
    if outcome.worker != "alive":
        plain.restart()
    return outcome


def _attack(safe: Side, plain: Side | None, screen: Screen, findings: Findings) -> None:
    screen.say(f"\n{screen.paint('Attacks', 'bold')}, pushed straight into Redis by somebody who has its password")
    columns = f"{'attack':<21} {'what was sent':<45} {'safecelery':<30}"
    screen.say(screen.paint(f"         {columns} {'plain Celery' if plain else ''}".rstrip(), "bold"))
    before = [safe.book.count(attack.trace) if attack.trace else 0 for attack in ATTACKS]
    for attack in ATTACKS:
        row = Row(attack, strike(attack, safe, dead_letters=True), _strike_plain(attack, plain) if plain else None)
        findings.rows.append(row)
        text, colour = in_words(row.safe, attack)
        line = f"{screen.seconds:5.1f} s  {attack.name:<21} {attack.sent:<45} {screen.paint(f'{text:<30}', colour)}"
        if row.plain:
            line += f" {screen.paint(*in_words(row.plain, attack))}"
        screen.say(line.rstrip())
        if row.safe.worker != "alive":
            safe.restart()
    findings.rows = [
        replace(row, safe=audit(row.attack, safe, count, row.safe))
        for row, count in zip(findings.rows, before, strict=True)
    ]
