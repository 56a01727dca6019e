"""The signed envelope, version 1: bytes to typed stages and back. Specified in docs/spec/envelope-v1.md."""
