"""The matrix: every case, against every subject, on every broker, as one document.

``python -m tests.attacks.matrix`` runs it (long) and writes ``docs/attack-matrix.md``.
"""
