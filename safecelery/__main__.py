"""``python -m safecelery``."""

from __future__ import annotations

from safecelery.cli.main import main

if __name__ == "__main__":
    main()
