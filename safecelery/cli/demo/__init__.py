"""``safecelery demo``: a scene (broker, keys, processes), honest work in it, attacks on it, a report."""
