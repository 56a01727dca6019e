"""Which comments are instructions, and which lines they cover."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.lint.suppress.python import read_comments
from safecelery.lint.suppress.text import read_text_comments

OK = "# safecelery: ignore[SFC401] the driver has its own limit"


def covered(source: str) -> list[list[list[int]]]:
    return [comment["lines"] for comment in read_comments(source)]


def problem(comment: str) -> str:
    (found,) = read_comments(f"x = 1  {comment}\n")
    return found["problem"]


class TestInstructions:
    def test_codes_and_reason_are_read(self) -> None:
        (found,) = read_comments("x = 1  # safecelery: ignore[SFC101, SFC4] legacy, see #12\n")
        assert (found["codes"], found["reason"], found["problem"]) == (["SFC101", "SFC4"], "legacy, see #12", "")
        assert found["line"] == 1
        assert json.loads(json.dumps(found)) == found

    @pytest.mark.parametrize(
        "comment",
        [
            "# noqa: E501  # safecelery: ignore[SFC401] why not",
            "#safecelery:ignore[SFC401] why not",
            "# safecelery: ignore[SFC401] - why not",
            "# safecelery: ignore[SFC401]: why not  # noqa",
        ],
    )
    def test_stand_beside_those_of_other_tools(self, comment: str) -> None:
        (found,) = read_comments(f"x = 1  {comment}\n")
        assert (found["codes"], found["reason"], found["problem"]) == (["SFC401"], "why not", "")

    @pytest.mark.parametrize(
        ("comment", "said"),
        [
            ("# safecelery: ignore", "no code"),
            ("# safecelery: ignore[] because", "no code"),
            ("# safecelery: ignore because", "no code"),
            ("# safecelery: ignore[SFC401", "bracket"),
            ("# safecelery: ignore[SFC401]", "no reason"),
            ("# safecelery: ignore[SFC401] --", "no reason"),
            ("# safecelery: ignore[SFC401]  # noqa", "no reason"),
            ("# safecelery: ingore[SFC401] because", "no instruction 'ingore'"),
            ("# safecelery: noqa", "no instruction 'noqa'"),
            ("# safecelery: ignored", "no instruction 'ignored'"),
            ("# safecelery: ignore[SFC401] a # safecelery: ignore[SFC402] b", "one instruction"),
        ],
    )
    def test_that_are_incomplete_say_what_is_missing(self, comment: str, said: str) -> None:
        assert said in problem(comment)

    @pytest.mark.parametrize(
        "source",
        [
            "x = '# safecelery: ignore[SFC401] in a string'\n",
            '"""\n# safecelery: ignore[SFC401] in a docstring\n"""\n',
            "# safecelery: a framework on top of Celery\nx = 1\n",
            "# see https://example.com/safecelery: it explains\n",
            "safecelery: int = 1\n",
        ],
    )
    def test_are_not_what_merely_looks_like_one(self, source: str) -> None:
        assert read_comments(source) == []

    def test_files_without_the_mark_are_not_tokenized(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tokenize", None)
        assert read_comments("x = 1  # safecelery ignore\n") == []


class TestCoverage:
    def test_of_a_trailing_comment_is_its_line(self) -> None:
        assert covered(f"a = 1\nb = 2  {OK}\nc = 3\n") == [[[2, 2]]]

    def test_of_a_comment_alone_is_the_next_line_even_past_other_comments(self) -> None:
        assert covered(f"{OK}\n# more\nb = 2\nc = 3\n") == [[[3, 3]]]

    def test_does_not_cross_a_blank_line(self) -> None:
        assert covered(f"{OK}\n\nb = 2\n") == [[[1, 1]]]

    @pytest.mark.parametrize("line", [1, 4])
    def test_of_the_first_or_last_line_is_the_whole_statement(self, line: int) -> None:
        lines = ["conf.update(", "    a=1,", "    b=2,", ")"]
        lines[line - 1] += f"  {OK}"
        assert covered("\n".join(lines)) == [[[1, 4]]]

    def test_of_a_line_in_the_middle_is_that_line(self) -> None:
        assert covered(f"conf.update(\n    a=1,  {OK}\n    b=2,\n)\n") == [[[2, 2]]]
        assert covered(f"conf.update(\n    {OK}\n    a=1,\n    b=2,\n)\n") == [[[2, 3]]]

    TASK = ("@app.task(", "    bind=True,", ")", "@other", "def charge(", "    self,", "): ...")

    @pytest.mark.parametrize(
        ("line", "lines"),
        [
            (1, [[1, 3], [5, 7]]),
            (3, [[1, 3], [5, 7]]),
            (4, [[4, 4], [5, 7]]),
            (5, [[1, 3], [4, 4], [5, 7]]),
            (7, [[1, 3], [4, 4], [5, 7]]),
            (2, [[2, 2]]),
        ],
    )
    def test_of_a_decorator_reaches_the_def_and_back(self, line: int, lines: list[list[int]]) -> None:
        source = [text + f"  {OK}" if number == line else text for number, text in enumerate(self.TASK, 1)]
        assert covered("\n".join(source) + "\n") == [lines]

    def test_of_a_comment_above_a_decorator(self) -> None:
        assert covered(f"{OK}\n@app.task\nasync def f(): ...\n") == [[[2, 2], [3, 3]]]

    def test_of_a_class_does_not_reach_into_its_body(self) -> None:
        assert covered(f"class A(Task):  {OK}\n    time_limit = None\n") == [[[1, 1]]]

    def test_counts_lines_as_python_does(self) -> None:
        assert covered(f"a = 1\r\nb = '\u2028'\r\x0c\nc = 3  {OK}\r\n") == [[[4, 4]]]


class TestWholeFile:
    def test_stands_before_the_first_statement_but_the_docstring(self) -> None:
        source = '#!/usr/bin/env python\n"""Doc."""\n# safecelery: ignore-file[SFC7] vendored\nimport a\n'
        (found,) = read_comments(source)
        assert (found["file"], found["problem"], found["codes"]) == (True, "", ["SFC7"])

    def test_elsewhere_it_does_nothing(self) -> None:
        (found,) = read_comments("import a\n# safecelery: ignore-file[SFC7] vendored\n")
        assert "before the first statement" in found["problem"]
        (found,) = read_text_comments("a: 1\n# safecelery: ignore-file[SFC7] vendored\n", "c.yml")
        assert "before the first entry" in found["problem"]


class TestOtherFiles:
    def test_dockerfile(self) -> None:
        text = "FROM python\n# safecelery: ignore[SFC910] needs it\nCMD celery \\\n  worker -P solo\nUSER a\n"
        (found,) = read_text_comments(text, "Dockerfile")
        assert found["lines"] == [[3, 4]]

    def test_yaml_with_what_is_nested(self) -> None:
        text = "services:\n  w:\n    # safecelery: ignore[SFC410] one task\n    command:\n      - celery\n    user: a\n"
        (found,) = read_text_comments(text, "docker-compose.yml")
        assert found["lines"] == [[4, 5]]

    def test_ini_takes_a_semicolon_and_shell_does_not(self) -> None:
        text = "[program:w]\n; safecelery: ignore[SFC410] one task\ncommand=celery worker -P solo\n"
        (found,) = read_text_comments(text, "supervisord.conf")
        assert found["lines"] == [[3, 3]]
        assert read_text_comments(text, "run.sh") == []

    def test_not_in_quotes_or_inside_a_word(self) -> None:
        assert (
            read_text_comments('a: "x # safecelery: ignore[SFC1] y"\nb: u#safecelery: ignore[SFC1] z\n', "a.yml") == []
        )

    def test_head_of_a_file(self) -> None:
        (found,) = read_text_comments("---\n# safecelery: ignore-file[SFC9] local only\na: 1\n", "a.yaml")
        assert (found["file"], found["problem"]) == (True, "")


@given(st.text(alphabet="ab(){}[]'\"#@:=\\\n\r\t \x0c,;\u2028\x00\x85", max_size=80), st.integers(0, 80))
def test_any_text_is_read_without_an_exception(text: str, at: int) -> None:
    source = text[:at] + OK + text[at:]
    count = len(source.splitlines()) + 2
    for found in (*read_comments(source), *read_text_comments(source, "a.yml"), *read_text_comments(source, "a.ini")):
        assert 1 <= found["line"] <= count
        json.dumps(found)
