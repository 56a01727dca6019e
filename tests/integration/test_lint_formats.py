"""Every output format of a real run is what it says it is, holds every finding, and does not depend on the terminal."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from safecelery.lint.config.model import OUTPUT_FORMATS
from tests.integration.lint_process import SHOP, LintedProject

Places = list[tuple[str, int]]


def from_json(text: str) -> Places:
    return [(item["code"], item["line"]) for item in json.loads(text)["findings"]]


def from_lines(text: str) -> Places:
    rows = [json.loads(line) for line in text.splitlines()]
    return [(row["code"], row["line"]) for row in rows if row["kind"] == "finding"]


def from_sarif(text: str) -> Places:
    (run,) = json.loads(text)["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    found = []
    for item in run["results"]:
        assert item["ruleId"] in rules
        if not item.get("suppressions") and item.get("kind", "fail") == "fail":
            found.append((item["ruleId"], item["locations"][0]["physicalLocation"]["region"]["startLine"]))
    return found


def from_gitlab(text: str) -> Places:
    return [(item["check_name"][:6], item["location"]["lines"]["begin"]) for item in json.loads(text)]


def from_github(text: str) -> Places:
    rows = re.findall(r"^::(?:error|warning) .*?line=(\d+).*?(SFC\d{3})", text, re.MULTILINE)
    return [(code, int(line)) for line, code in rows]


def from_junit(text: str) -> Places:
    return re.findall(r"SFC\d{3}", " ".join(case.get("name", "") for case in ET.fromstring(text).iter("testcase")))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        loads = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
        self.remote += [value for name, value in attrs if value and name == loads.get(tag)]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def from_concise(text: str) -> Places:
    return [(code, int(line)) for line, code in re.findall(r"^tasks\.py:(\d+):\d+: (SFC\d{3}) ", text, re.MULTILINE)]


EXACT: dict[str, Callable[[str], Places]] = {
    "json": from_json,
    "json-lines": from_lines,
    "sarif": from_sarif,
    "concise": from_concise,
}
#: Formats for people, or that put findings together: every code is in them.
BY_CODE = sorted(set(OUTPUT_FORMATS) - set(EXACT))


@pytest.fixture
def shop(linted: LintedProject) -> LintedProject:
    linted.write({"tasks.py": SHOP})
    return linted


@pytest.mark.parametrize("form", EXACT)
def test_formats_for_programs_hold_the_same_findings_at_the_same_lines(shop: LintedProject, form: str) -> None:
    done = shop.run("lint", "--format", form)
    expected = [(item["code"], item["line"]) for item in shop.report()["findings"]]
    assert len(expected) > 4
    assert sorted(EXACT[form](done.stdout)) == sorted(expected)
    assert done.stderr == ""


@pytest.mark.parametrize("form", BY_CODE)
def test_formats_for_people_and_services_name_every_rule_that_is_broken(shop: LintedProject, form: str) -> None:
    done = shop.run("lint", "--format", form)
    assert done.returncode == 1
    assert set(shop.codes()) <= set(re.findall(r"SFC\d{3}", done.stdout))
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_gitlab_github_and_junit_parse(shop: LintedProject) -> None:
    report = shop.report()
    codes = sorted(item["code"] for item in report["findings"])
    gitlab = json.loads(shop.run("lint", "--format", "gitlab").stdout)
    assert len({item["fingerprint"] for item in gitlab}) == len(gitlab) >= len(codes)
    assert sorted(code for code, _ in from_github(shop.run("lint", "--format", "github").stdout)) == codes
    junit = ET.fromstring(shop.run("lint", "--format", "junit").stdout)
    assert junit.tag in ("testsuites", "testsuite")
    assert list(junit.iter("failure"))


def test_html_is_one_file_that_loads_nothing_from_elsewhere(shop: LintedProject) -> None:
    page = _Text()
    text = shop.run("lint", "--format", "html").stdout
    page.feed(text)
    page.close()
    assert [place for place in page.remote if not place.startswith(("data:", "#"))] == []
    assert {"SFC401", "SFC901"} <= set(re.findall(r"SFC\d{3}", " ".join(page.words)))
    assert "<script src" not in text


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_a_report_in_a_file_is_the_report_that_would_be_printed(shop: LintedProject, form: str) -> None:
    printed = shop.run("lint", "--format", form)
    written = shop.run("lint", "--format", form, "--output-file", "report.out")
    assert (written.returncode, written.stdout, written.stderr) == (1, "", "")
    assert timeless((shop.directory / "report.out").read_text(encoding="utf-8")) == timeless(printed.stdout)


def timeless(text: str) -> str:
    """Without how long it took, and without how many files there were: the report is one more."""
    return re.sub(
        r"\d{4}-\d\d-\d\d[T ][\d:.+Z]*|\d+\.\d+(?= s\b| seconds)|(?<=\"seconds\": )[\d.]+|time=\"[\d.]+\"", "", text
    )


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_an_output_that_cannot_say_every_character_says_it_otherwise(linted: LintedProject, form: str) -> None:
    linted.write({"tâsks.py": SHOP.replace("charge", "chârge")})
    done = linted.run("lint", "--format", form, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert "SFC401" in done.stdout
