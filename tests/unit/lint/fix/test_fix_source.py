"""Everything outside of an edit stays as it is, whatever the file is like."""

from __future__ import annotations

import ast
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.lint.fix.check import same_outside
from safecelery.lint.fix.edits import Edit, edited, overlap
from safecelery.lint.fix.one_file import _made
from safecelery.lint.fix.source import Source, Unfixable
from safecelery.lint.fix.table import FIXERS
from tests.unit.lint.fix.fix_builders import LIMITS, fixed_bytes, found
from tests.unit.lint.project.readings import facts_of

TASK = "@app.task(bind=True)\ndef f(): ...\n"


class TestBytes:
    @pytest.mark.parametrize(
        "raw",
        [
            b"\xef\xbb\xbf" + TASK.encode(),
            TASK.replace("\n", "\r\n").encode(),
            ("# -*- coding: latin-1 -*-\nx = '\u00e9'\n" + TASK).encode("latin-1"),
            ("# coding: cp1252\n# \u20ac\n" + TASK).encode("cp1252"),
            ("x = '\u2028\x0c'  # \U0001f600\n\x0c\n" + TASK).encode(),
            TASK.rstrip("\n").encode(),
            ("\t \n" + TASK).encode(),
        ],
    )
    def test_of_any_encoding_and_line_end_are_kept(self, raw: bytes) -> None:
        line = raw[: raw.index(b"@app")].count(b"\n") + 1
        done = fixed_bytes(raw, found("SFC401", line))
        after = done.source.encode(done.source.text)
        assert after == raw.replace(b"bind=True", b"bind=True, time_limit=1800")

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"# coding: utf-8\nx = '\xff'\n", "decoded"),
            (b"# coding: no-such-thing\n", "encoding"),
            (b"@app.task\rdef f(): ...\r", "carriage returns"),
        ],
    )
    def test_that_would_not_come_back_leave_the_file_alone(self, raw: bytes, why: str) -> None:
        with pytest.raises(Unfixable, match=why):
            Source(raw, python=True)

    @pytest.mark.parametrize("raw", [b"def f(:\n", b"x = 1\0", b"(" * 10_000])
    def test_that_do_not_parse_leave_the_file_alone(self, raw: bytes) -> None:
        with pytest.raises(Unfixable, match="parsed"):
            fixed_bytes(raw, found("SFC401"))

    def test_a_place_is_counted_in_characters_where_python_counts_bytes(self) -> None:
        source = Source("\u00e9 = '\U0001f600'; x = 1\n".encode(), python=True)
        assign = source.tree.body[1]
        assert source.text[slice(*source.span(assign))] == "x = 1"


class TestProof:
    def check(self, text: str, *edits: Edit) -> bool:
        before = Source(text.encode(), python=True)
        return same_outside(before, before.with_text(edited(text, edits)), edits)

    def test_a_new_keyword_changes_nothing_else(self) -> None:
        assert self.check("@t\ndef f(): g()\n", Edit(2, 2, "(a=1)"))
        assert self.check("t(a)\n", Edit(3, 3, ", b=1"))

    @pytest.mark.parametrize(
        ("text", "edit"),
        [
            ("a\nb\n", Edit(1, 1, "(")),
            ("x = 1\ny = 2\n", Edit(5, 6, "; #")),
            ("x = 1\ny = 2\n", Edit(0, 0, "'''")),
            ("f(a, b)\n", Edit(2, 2, "g)(")),
            ("if a:\n  b\nc\n", Edit(10, 10, "  ")),
            ("x = a\ny = 1\n", Edit(5, 6, " + ")),
            ("@t\ndef f(): ...\n", Edit(2, 2, "(a=1)(b)\n@u")),
        ],
    )
    def test_an_edit_that_reaches_further_than_it_says_is_seen(self, text: str, edit: Edit) -> None:
        before = Source(text.encode(), python=True)
        assert _made(before, [edit]) is None

    def test_edits_that_overlap_are_never_made_together(self) -> None:
        assert overlap([Edit(1, 3, ""), Edit(2, 4, "")])
        assert overlap([Edit(2, 2, "a"), Edit(2, 2, "b")])
        assert not overlap([Edit(1, 2, ""), Edit(2, 3, "")])
        with pytest.raises(ValueError, match="overlap"):
            edited("abcd", [Edit(1, 3, ""), Edit(2, 4, "")])


OPTIONS = st.lists(
    st.sampled_from(
        [
            "bind=True",
            "name='caf\u00e9 \U0001f600'",
            "time_limit=30",
            "time_limit=None",
            "time_limit=99999",
            "soft_time_limit=60",
            "max_retries=None",
            "max_retry=4",
            "retry_jitter=False",
            "acks_late=False",
            "serializer='pickle'",
            "retry_kwargs={'max_retries': 3, 'retry_jitter': False}",
            "base=make(')', [1])",
        ]
    ),
    unique_by=lambda option: option.partition("=")[0],
    max_size=5,
)
STYLES = st.sampled_from(["inline", "inline,", "lines", "lines,", "commented", "hanging", "class"])


@st.composite
def declarations(draw: st.DrawFn) -> str:
    options, style = draw(OPTIONS), draw(STYLES)
    indent = draw(st.sampled_from(["    ", "\t", "  "]))
    if style == "class":
        body = "".join(f"{indent}{option.replace('=', ' = ', 1)}  # \u00fc\n" for option in options)
        return f"class T(SafeTask):\n{body}{indent}def run(self): ...\n"
    name = draw(st.sampled_from(["app.task", "shared_task"]))
    if not options:
        bare = draw(st.sampled_from(["", "()", "(\n)", "(  # none\n)"]))
        return f"@{name}{bare}\ndef t(self): ...\n"
    if style.startswith("inline"):
        inside = ", ".join(options) + style.removeprefix("inline")
    elif style == "hanging":
        inside = f",\n{indent}{indent}".join(options)
    else:
        comments = ["  # why, (not" if style == "commented" else "" for _ in options]
        rows = [f"{indent}{option},{comment}\n" for option, comment in zip(options, comments, strict=True)]
        if style == "lines":
            rows[-1] = rows[-1].replace(",\n", "\n") if rows[-1].endswith(",\n") else rows[-1]
        inside = "\n" + "".join(rows)
    other = draw(st.sampled_from(["", "@other(\n  1)\n"]))
    return f"{other}@{name}({inside})\ndef t(self):\n{indent}'''\u00e4'''\n"


@given(
    st.lists(declarations(), min_size=1, max_size=3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.sampled_from(sorted(FIXERS)), min_size=1, max_size=5, unique=True),
    st.booleans(),
)
def test_fixing_any_module_keeps_the_rest_parses_and_is_done_at_once(
    parts: list[str], newline: str, bom: bytes, codes: list[str], unsafe: bool
) -> None:
    text = "# \u00e9\nfrom safecelery import SafeTask\n\n" + "\n".join(parts)
    raw = bom + text.replace("\n", newline).encode()
    findings = [
        found(code, number, "'max_retry' and 'retry_jitter' are not read")
        for number, line in enumerate(text.split("\n"), start=1)
        if line.startswith(("@", "class"))
        for code in codes
    ]
    done = fixed_bytes(raw, *findings, unsafe=unsafe)
    after = done.source.encode(done.source.text)
    assert done.refused == ()
    assert after != raw or not done.fixed
    assert after == raw or done.fixed or done.unsafe
    assert after.startswith(bom)
    assert after.count(b"\r\n") == (after.count(b"\n") if newline == "\r\n" else 0)
    old, new = ast.parse(text), ast.parse(after.removeprefix(b"\xef\xbb\xbf"))
    assert [getattr(node, "name", "") for node in old.body] == [getattr(node, "name", "") for node in new.body]
    comments = [line.partition("#")[2] for line in text.split("\n") if "#" in line]
    assert [line.partition("#")[2].rstrip("\r") for line in done.source.text.split("\n") if "#" in line] == comments
    # The same findings, at their new lines: nothing is left to do.
    heads = [n for n, line in enumerate(done.source.text.split("\n"), 1) if line.startswith(("@", "class"))]
    again = fixed_bytes(
        after, *(found(c, n, "'max_retry' and 'retry_jitter'") for n in heads for c in codes), unsafe=unsafe
    )
    assert again.source.text == done.source.text


@given(declarations())
def test_what_a_fix_promises_is_what_the_reader_of_tasks_then_reads(text: str) -> None:
    source = "from safecelery import SafeTask, create_app, shared_task\napp = create_app('shop')\n" + text
    line = next(n for n, row in enumerate(source.split("\n"), 1) if row.startswith(("@app", "@shared", "class")))
    codes = ["SFC401", "SFC402", "SFC404", "SFC405", "SFC601", "SFC605", "SFC501", "SFC106"]
    done = fixed_bytes(source.encode(), *(found(code, line) for code in codes))
    if "retry_kwargs" in text or "base=" in text:
        return  # another number wins, or anything may: the reader says so, and the next test is the rules'
    with TemporaryDirectory() as folder:
        reading = facts_of(Path(folder), {"a.py": done.source.text})
    (name,) = {name.rpartition(".")[2] for name in reading.names}
    hard, soft, retries = reading.values(name, "time_limit", "soft_time_limit", "max_retries")
    assert isinstance(hard, int)
    assert isinstance(soft, int)
    assert 0 < soft < hard <= LIMITS.max_time_limit_s
    assert retries in range(LIMITS.max_retries + 1)
    assert reading.values(name, "retry_jitter", "acks_late", "serializer") == (True, True, "json")
