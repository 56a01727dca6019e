"""Comments that excuse findings: ``# safecelery: ignore[SFC401] reason``.

``python`` and ``text`` find them in a file, ``instruction`` reads one, ``apply`` sets findings aside.
"""
