"""The mutation fuzzer: valid messages of every kind, changed at every layer, must not become anything else.

``python -m tests.attacks.fuzz --seed 1 --count 200000 [--live 2000]`` is the long run, ``tests/attacks/test_fuzz.py``
the short one.
"""
