"""Attacks on results: what a caller believes when somebody writes to the result backend or to its reply queue.

Cases are data, a directory each in ``cases/``; subjects are those of the message attacks; worker and caller are
processes. ``python -m tests.attacks.results`` plays all of them and writes its part of ``docs/attack-matrix.md``.
"""
