"""A small service for the integration and attack tests: the same tasks in the worker process and in the test."""
