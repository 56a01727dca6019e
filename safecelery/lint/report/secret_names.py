"""Names that sound like a secret, and what is given to them.

Asked only of texts that hold one of :data:`safecelery.lint.report.masking.WORDS`. Compiling these takes three
milliseconds, so a run of the linter does it while another process reads.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ANYWHERE", "BARE", "SECRET"]

_WORD: Final = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![A-Za-z])pass(?![A-Za-z])|pwd|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|signing[_-]?key|encryption[_-]?key|credential|basic[_-]?auth|authorization)"
)
SECRET: Final = re.compile(_WORD, re.IGNORECASE)
"""In a name: what it stands for is a secret."""
_NAME: Final = rf"[\w-]*?{_WORD}[\w-]*+"
_KEY: Final = rf"(?<![\w-]){_NAME}"

# Gaps are bounded so that no text makes the search slow.
_QUOTE: Final = r"(?P<prefix>[rbfu]{0,2})(?P<quote>\"\"\"|\x27\x27\x27|\"|\x27)"
_LITERAL: Final = _QUOTE + r"(?P<value>(?:\\.|(?!(?P=quote)).)*+)(?P<end>(?P=quote)|$)"
_FLAGS: Final = re.IGNORECASE | re.DOTALL
# getenv("PASSWORD", "x"), env.str("PASSWORD", default="x")
_DEFAULT: Final = re.compile(
    rf"(?P<head>{_KEY}" + r"[\"']\s{0,4},\s{0,4}(?:[a-z]{1,12}\s{0,2}=\s{0,2})?)" + _LITERAL, _FLAGS
)
# password="x", "password": b"x", d["password"] = "x", PASSWORD: str = "x", password or "x", password=SecretStr("x")
_QUOTED: Final = re.compile(
    rf"(?P<head>{_KEY}"
    r"[\"']?\s{0,4}\]?\s{0,4}\)?(?:\s{0,4}:\s{0,4}[\w.|]{1,40})?\s{0,4}(?:=>|:=|[!=]?=|:|\bis\b|\bor\b|\|\|)\s{0,4}"
    r"(?:[\w.]{1,40}\(\s{0,4})?)" + _LITERAL,
    _FLAGS,
)
# PASSWORD=x, password: x (alone on its line), as in environment files, YAML and command lines
BARE: Final = re.compile(
    rf"(?P<head>{_KEY}"
    r"[\"']?(?:\s{0,4}=\s{0,4}|:(?=\S)|:\s{1,8}(?=[^\s#]{1,200}\s{0,8}(?:#.*)?$)))(?P<value>[^\s\"'&;,()\[\]<>]+)",
    re.IGNORECASE | re.MULTILINE,
)
# --password x, ?password=x: secrets wherever they stand, in Python too
_FLAG: Final = re.compile(
    rf"(?P<head>(?<![\w-])--?{_NAME}" + r"(?:\s{1,8}|=))(?P<value>[^\s\"'=-][^\s\"']*)", re.IGNORECASE
)
_QUERY: Final = re.compile(rf"(?P<head>[?&]{_KEY}=)" + r"(?P<value>[^\s\"'&#]+)", re.IGNORECASE)
_BEARER: Final = re.compile(r"(?P<head>\b(?:Bearer|Basic)\s{1,8})(?P<value>(?=\S*[0-9=])[\w.+/=~-]{8,})")

ANYWHERE: Final = (_QUERY, _FLAG, _DEFAULT, _QUOTED, _BEARER)
"""What is a secret in any text. Each has a group ``head``, which stays, and a group ``value``, which does not."""
