"""The text of a file, with the ways to find places in it."""

from __future__ import annotations

import ast
import io
from bisect import bisect_left
from functools import cached_property
from typing import Final, Protocol

from safecelery.deferred import dataclass

__all__ = ["Source", "Token", "Unfixable"]

_BOM: Final = b"\xef\xbb\xbf"


class Unfixable(Exception):
    """A file that is left alone. The text says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of Python, by character offsets."""

    kind: int
    text: str
    start: int
    end: int


class _Located(Protocol):
    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class Source:
    """One file. Raises Unfixable for bytes that would not come back as they were."""

    def __init__(self, raw: bytes, *, python: bool) -> None:
        self.python = python
        self.bom = raw.startswith(_BOM)
        self.encoding = _encoding(raw) if python else "utf-8"
        try:
            self.text = raw.removeprefix(_BOM).decode(self.encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise Unfixable(f"it cannot be decoded: {error}") from None
        if self.encode(self.text) != raw:
            raise Unfixable(f"it does not survive decoding and encoding as {self.encoding}")
        if "\r" in self.text.replace("\r\n", ""):
            raise Unfixable("its lines end in carriage returns alone")
        self.starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            self.starts.append(at + 1)
            at = self.text.find("\n", at + 1)

    def encode(self, text: str) -> bytes:
        """A text as bytes of this file. Raises UnicodeEncodeError."""
        return _BOM * self.bom + text.encode(self.encoding)

    def with_text(self, text: str) -> Source:
        """The same file with another text."""
        return Source(self.encode(text), python=self.python)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises Unfixable if there is none."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Unfixable(f"it cannot be parsed: {error}") from None

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, outermost first. Walked once, for there may be many findings. Raises Unfixable."""
        return list(ast.walk(self.tree))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """``from celery import shared_task as job``: the names that imports gave another one."""
        return {
            alias.asname: alias.name
            for node in self.nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }

    @cached_property
    def declarations(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
        """Every function and class."""
        return [n for n in self.nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def simple_statements(self) -> list[ast.stmt]:
        """Every statement without a block."""
        return [node for node in self.nodes if isinstance(node, ast.stmt) and not hasattr(node, "body")]

    @cached_property
    def tokens(self) -> list[Token]:
        """Every token but those without a text. Raises Unfixable."""
        import tokenize

        try:
            return [
                Token(
                    token.type,
                    token.string,
                    self.starts[token.start[0] - 1] + token.start[1],
                    self.starts[token.end[0] - 1] + token.end[1],
                )
                for token in tokenize.generate_tokens(io.StringIO(self.text, newline="\n").readline)
                if token.string and token.type not in (tokenize.INDENT, tokenize.DEDENT)
            ]
        except (tokenize.TokenError, SyntaxError, IndexError) as error:
            raise Unfixable(f"it cannot be tokenized: {error}") from None

    @cached_property
    def _token_starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    def token_at(self, offset: int) -> int:
        """The index of the first token that begins at ``offset`` or later."""
        return bisect_left(self._token_starts, offset)

    def offset(self, line: int, column: int) -> int:
        """The character offset of a place of a syntax tree, whose columns are counted in bytes of UTF-8."""
        begin = self.starts[line - 1]
        stop = self.starts[line] if line < len(self.starts) else len(self.text)
        content = self.text[begin:stop]
        if content.isascii():
            return begin + column
        return begin + len(content.encode("utf-8")[:column].decode("utf-8"))

    def span(self, node: _Located) -> tuple[int, int]:
        """Where a node begins and ends."""
        assert node.end_lineno is not None  # noqa: S101  # every node of a parsed tree has one
        assert node.end_col_offset is not None  # noqa: S101
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def line_of(self, offset: int) -> int:
        """The line, from 1, that a character is on."""
        at = bisect_left(self.starts, offset)
        return at + 1 if at < len(self.starts) and self.starts[at] == offset else at

    def line_start(self, offset: int) -> int:
        """Where the line of a character begins."""
        return self.starts[self.line_of(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Where the line of a character ends, before its line break."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if end > offset and self.text[end - 1] == "\r" else end

    def indent(self, offset: int) -> str | None:
        """What stands before a character on its line if that is only white space, else None."""
        before = self.text[self.line_start(offset) : offset]
        return None if before.strip(" \t\f") else before

    @property
    def newline(self) -> str:
        """How the first line ends."""
        end = self.text.find("\n")
        return "\r\n" if end > 0 and self.text[end - 1] == "\r" else "\n"


def _encoding(raw: bytes) -> str:
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        raise Unfixable(f"its encoding cannot be told: {error}") from None
    return "utf-8" if encoding == "utf-8-sig" else encoding
