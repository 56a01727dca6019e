"""The cases themselves: complete, understood to the last member, and one for every reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.errors import Reason
from tests.attacks.capabilities import PRESENT
from tests.attacks.case import CASES, CaseError, load, parse
from tests.attacks.corpus import corpus, malformed
from tests.attacks.matrix.groups import GROUPS, group_of, grouped
from tests.attacks.operations import OPERATIONS
from tests.attacks.placeholders import Resolver
from tests.attacks.probes import PROBES
from tests.attacks.publishing import ACTIONS
from tests.attacks.results.case import corpus as results_corpus

DIRECTORIES = sorted(path for path in CASES.iterdir() if path.is_dir())
HONEST = '[message]\ntask = "service.note"\nsigner = "full"\n'
REJECTED = HONEST + '[expect]\nreason = "stale"\n'
ADMITTED = HONEST + "[expect]\nran = []\n"
HARMLESS = '[[publish]]\ndo = "raw"\nexchange = "celeryev"\nkey = ""\ntext = ""\n'
VERDICTS = {"admitted": "**Must run.**", "rejected": "**Must not run.**", "harmless": "**Must have no effect.**"}
ROOT = Path(__file__).resolve().parents[2]
#: Reasons that no message on a queue leads to any more, with why.
WITHOUT_A_CASE = {
    Reason.INTERNAL: "for what nobody thought of: every way to it that was found is refused by name since",
    Reason.POISON: "it takes a few dead processes: tests/integration/test_ledger.py",
    # Broadcast, not queued: tests/integration/test_control_attacks.py and test_control_garbage.py
    Reason.COMMAND_UNKNOWN: "of remote commands",
    Reason.COMMAND_NOT_GRANTED: "of remote commands",
    Reason.COMMAND_ARGUMENTS: "of remote commands",
    Reason.COMMAND_REPLAYED: "of remote commands",
    Reason.COMMANDS_TOO_MANY: "of remote commands; tests/unit/firewall/test_command_memory.py",
    Reason.REPLY_UNASKED: "of replies to remote commands",
    Reason.RESULT_OF_ANOTHER_CHORD: "of what workers gather: tests/integration/test_gathered_by_others.py",
}


def test_there_are_cases_of_both_outcomes() -> None:
    outcomes = [load(directory).outcome for directory in DIRECTORIES]
    assert outcomes.count("rejected") >= 100
    assert outcomes.count("admitted") >= 20


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_a_case_says_in_words_what_it_does(directory: Path) -> None:
    assert {path.name for path in directory.iterdir()} == {"README.md", "case.toml"}
    title, _, text = (directory / "README.md").read_text(encoding="utf-8").partition("\n")
    assert title.startswith("# ")
    assert VERDICTS[load(directory).outcome] in text


def test_names_are_unique_and_malformed_messages_many() -> None:
    names = [case.name for case in corpus()]
    assert len(names) == len(set(names))
    assert len(malformed()) >= 60


def test_every_reason_has_a_case() -> None:
    covered = {case.reason for case in corpus() if not case.lacks} - {None}
    covered |= {reason for case in results_corpus() for reason in case.expect.get("reasons", ())} & set(Reason)
    assert covered == set(Reason) - WITHOUT_A_CASE.keys()


def test_what_is_not_there_yet_has_cases_and_what_is_needed_is_known() -> None:
    needed = {name for case in corpus() for name in case.needs}
    assert needed == set(PRESENT)


def test_every_operation_action_and_probe_is_used() -> None:
    assert {step["op"] for case in corpus() for step in case.wire} == set(OPERATIONS)
    assert {step["do"] for case in corpus() for step in case.publish} == set(ACTIONS)
    assert {name for case in corpus() for name in case.expect.get("probes", ())} == set(PROBES)


def test_every_case_is_in_a_group_and_in_the_matrix() -> None:
    page = (ROOT / "docs" / "attack-matrix.md").read_text(encoding="utf-8")
    assert [case.name for case in corpus() if f"<!-- {case.name} -->" not in page] == []
    assert sum(len(cases) for cases in grouped(corpus()).values()) == len(corpus())
    assert set(GROUPS) == {group_of(case) for case in corpus()}


def test_the_smallest_cases_load() -> None:
    assert parse(REJECTED, "x_rejected").reason == Reason.STALE
    assert parse(ADMITTED, "x_admitted").reason is None
    assert parse(HARMLESS, "x_harmless").message == {}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("x", REJECTED, "must end in"),
        ("x_rejected", "a = [", "x_rejected"),
        ("x_rejected", REJECTED + "[more]\n", "unknown"),
        ("x_rejected", REJECTED.replace("signer", "singer"), "singer"),
        ("x_rejected", REJECTED.replace('"full"', '"nobody"'), "signer"),
        ("x_rejected", REJECTED.replace('task = "service.note"', ""), "task"),
        ("x_rejected", HONEST, "expects nothing"),
        ("x_rejected", REJECTED.replace("stale", "old"), "'old'"),
        ("x_rejected", HONEST + "[expect]\nran = []\n", "ran"),
        ("x_admitted", REJECTED, "reason"),
        ("x_admitted", HONEST + "[expect]\nresult = 1\n", "what ran"),
        ("x_rejected", REJECTED + "[signed]\nhaeders = {}\n", "haeders"),
        ("x_rejected", REJECTED + "[signed]\nbody = { gif = 1 }\n", "made body"),
        ("x_rejected", REJECTED + '[other]\ntask = "service.note"\n', "signer"),
        ("x_rejected", 'brokers = ["kafka"]\n' + REJECTED, "brokers"),
        ("x_rejected", "brokers = []\n" + REJECTED, "brokers"),
        ("x_rejected", REJECTED + '[[wire]]\nop = "explode"\n', "explode"),
        ("x_rejected", REJECTED + '[[wire]]\nop = "to-queue"\n', "to-queue takes"),
        ("x_rejected", REJECTED + '[[wire]]\nop = "to-queue"\nqueue = "a"\nmore = 1\n', "to-queue takes"),
        ("x_rejected", REJECTED + "[[wire]]\nqueue = 1\n", "unknown operation"),
        ("x_harmless", "[expect]\n", "sends nothing"),
        ("x_harmless", HARMLESS.replace("raw", "shout"), "shout"),
        ("x_harmless", HARMLESS.replace("text", "txt"), "raw takes"),
        ("x_harmless", HARMLESS + '[expect]\nprobes = ["tea"]\n', "tea"),
        ("x_rejected", 'needs = ["magic"]\n' + REJECTED, "magic"),
        ("x_rejected", REJECTED + "[again]\noften = 1\n", "often"),
    ],
)
def test_a_case_that_means_nothing_is_refused(name: str, text: str, complaint: str) -> None:
    with pytest.raises(CaseError, match=complaint):
        parse(text, name)


def resolver() -> Resolver:
    return Resolver({"ID": "1"}, lambda owner: f"{owner}-0")


def test_placeholders_are_replaced_however_deep() -> None:
    assert resolver()({"a": ["x$ID", "$NULL", {"$repeat": "a", "times": 3}, "$KID:full"]}) == {
        "a": ["x1", None, "aaa", "full-0"]
    }


@pytest.mark.parametrize(
    "value", ["$NOTHING", "$CANARY", "$5", {"$explode": 1}, {"$nest": 1, "more": 2}, {"$repeat": "a"}]
)
def test_a_placeholder_that_means_nothing_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"unknown|not known|takes"):
        resolver()(value)
