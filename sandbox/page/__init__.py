"""The live page and the control API behind it."""
