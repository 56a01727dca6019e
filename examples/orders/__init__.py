"""A small order service on safecelery: the code to copy from."""
