"""The version of safecelery, and nothing else: build tools read this file without importing the package."""

__version__ = "0.1.0"
