"""``safecelery rules``: the catalogue, and the page of one rule."""
