"""``safecelery lint``: options, one run, what is printed, what the exit status says."""
