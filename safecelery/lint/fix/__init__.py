"""Fixes: exact replacements in the text of a file, and nothing else changed.

``table.py`` says which rules have one, ``run.py`` fixes the files of a run, ``one_file.py`` one text.
"""
