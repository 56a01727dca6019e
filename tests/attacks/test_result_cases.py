"""The cases on results themselves: complete, understood to the last member, in the matrix; and how they are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.attacks.case import CaseError
from tests.attacks.corpus import corpus as message_corpus
from tests.attacks.results.case import CASES, corpus, load, parse
from tests.attacks.results.driver import Outcome
from tests.attacks.results.groups import GROUPS, group_of
from tests.attacks.results.judging import judge
from tests.attacks.results.keys import SIGNERS
from tests.attacks.results.operations import OPERATIONS, VALUES
from tests.attacks.results.page import BEGIN, kept, put, section
from tests.attacks.results.values import SEALS
from tests.attacks.spoilt import SPOILT

DIRECTORIES = sorted(path for path in CASES.iterdir() if path.is_dir())
ROOT = Path(__file__).resolve().parents[2]
VERDICTS = {
    "rejected": "**The caller must be told.**",
    "harmless": "**The caller must get the true result.**",
    "admitted": "**The caller must believe it.**",
}
WRITE = 'backends = ["redis"]\n[[attack]]\ndo = "write"\ntext = "a"\n'
REJECTED = WRITE + '[expect]\nreasons = ["stale"]\n'


def test_there_are_many_cases_of_each_outcome() -> None:
    outcomes = [load(directory).outcome for directory in DIRECTORIES]
    assert outcomes.count("rejected") >= 100
    assert outcomes.count("harmless") >= 100
    assert outcomes.count("admitted") >= 20


@pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)
def test_a_case_says_in_words_what_it_does(directory: Path) -> None:
    assert {path.name for path in directory.iterdir()} == {"README.md", "case.toml"}
    title, _, text = (directory / "README.md").read_text(encoding="utf-8").partition("\n")
    assert title.startswith("# ")
    assert VERDICTS[load(directory).outcome] in text


def test_every_operation_value_seal_and_signer_is_used() -> None:
    steps = [step for case in corpus() for step in case.attack]
    assert {step["do"] for step in steps} == set(OPERATIONS)
    assert {member for step in steps for member in step if member in VALUES} == set(VALUES)
    assert {step["seal"] for step in steps if "seal" in step} == set(SEALS)
    assert {step.get("signer", "none") for step in steps} == set(SIGNERS) - {"caller"}


def test_every_way_to_spoil_a_container_is_used() -> None:
    steps = [step for case in corpus() for step in case.attack]
    changes = {change[1] for step in steps for change in step.get("changes", ()) if change[0] == "spoil"}
    before = [step["encrypt"] for step in steps if "encrypt" in step]
    before += [case.signed["encrypt"] for case in message_corpus() if "encrypt" in case.signed]
    assert changes | {how["spoil"] for how in before if "spoil" in how} == {*SPOILT, "recipient-added"}


def test_every_case_is_in_a_group_and_in_the_matrix() -> None:
    cases = corpus()
    part = (ROOT / "docs" / "attack-matrix.md").read_text(encoding="utf-8").partition(BEGIN)[2]
    assert [case.name for case in cases if f"<!-- {case.name} -->" not in part] == []
    assert set(GROUPS) == {group_of(case) for case in cases}


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("x", REJECTED, "must end in"),
        ("x_rejected", "a = [", "x_rejected"),
        ("x_rejected", REJECTED + "[more]\n", "unknown"),
        ("x_rejected", WRITE, "has a reason"),
        ("x_harmless", REJECTED, "reasons"),
        ("x_harmless", WRITE.replace("redis", "files"), "backends"),
        ("x_harmless", WRITE.replace('["redis"]', "[]"), "backends"),
        ("x_harmless", 'backends = ["redis"]\n', "attacks nothing"),
        ("x_harmless", WRITE.replace("write", "erase"), "erase"),
        ("x_harmless", WRITE.replace("text", "txt"), "takes one of"),
        ("x_harmless", WRITE + 'hex = "00"\n', "takes one of"),
        ("x_harmless", WRITE + "score = 1\n", "score"),
        ("x_harmless", WRITE.replace('do = "write"', 'do = "delete"'), "takes none of"),
        ("x_harmless", WRITE + 'encrypt = { too = ["caller"] }\n', "too"),
        ("x_harmless", WRITE + '[call]\nkind = "story"\n', "kind is one of"),
        ("x_harmless", WRITE + '[call]\nwhen = "later"\n', "when one of"),
        ("x_harmless", WRITE + "[call]\nalone = true\n", "alone"),
    ],
)
def test_a_case_that_means_nothing_is_refused(name: str, text: str, complaint: str) -> None:
    with pytest.raises(CaseError, match=complaint):
        parse(text, name)


REFUSED = {"raised": "safecelery.errors.ResultRefused", "text": "lie", "reason": "stale"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"value": "truth"}, "true"),
        ({"value": "lie"}, "believed"),
        ({"value": None}, "believed"),
        ({"timeout": True}, "hung"),
        (REFUSED, "refused"),
        ({"raised": "builtins.ValueError", "text": "a lie"}, "believed"),
        ({"raised": "builtins.ValueError", "text": "else"}, "disturbed"),
        ({"raised": "kombu.exceptions.DecodeError", "text": "a lie"}, "disturbed"),
        ({"raised": "celery.exceptions.ChordError", "text": "a part"}, "refused"),
        ({"raised": "celery.exceptions.ChordError", "text": "a lie"}, "believed"),
    ],
)
def test_what_a_caller_says_is_judged(said: dict[str, Any], kind: str) -> None:
    assert judge(said, {"value": "truth"}, ["lie"]).kind == kind


def test_a_true_failure_is_the_truth() -> None:
    truth = {"raised": "ValueError", "text": "secret"}
    assert judge({"raised": "builtins.ValueError", "text": "secret"}, truth, ["lie"]).kind == "true"
    assert judge({"raised": "builtins.TypeError", "text": "secret"}, truth, ["lie"]).kind == "disturbed"
    assert judge({"value": "secret"}, truth, ["lie"]).kind == "believed"


def test_the_section_is_replaced_and_kept(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Messages\n\ntext\n")
    assert kept(page) == ""
    case = next(case for case in corpus() if case.name == "stored_value_overwritten_rejected")
    found = {
        ("plain", "redis", case.name): Outcome("believed", "a lie"),
        ("safecelery", "redis", case.name): Outcome("refused", "a|reason"),
        ("safecelery", "database", case.name): Outcome("refused", "other"),
    }
    for _ in range(2):
        put(page, section(found, [case], ["today"]))
    text = page.read_text()
    assert text.startswith("# Messages\n\ntext\n\n" + BEGIN)
    assert text.count(BEGIN) == 1
    assert "Redis: refused: a\\|reason; SQL: refused: other | not run | Redis: **believed**; SQL: not run |" in text
    assert "| plain, Redis | 1 | 0 | 0 | 0 | 1 |" in text
    assert kept(page) == "\n" + text.partition("text\n\n")[2]
