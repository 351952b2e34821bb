"""A small shop on Python's standard library."""
