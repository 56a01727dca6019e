"""One file for each family of rules that can be fixed; the table is safecelery/lint/fix/table.py."""
