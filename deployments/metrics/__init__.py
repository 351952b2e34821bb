"""`/metrics`: what the operator service measures, from a table of its own and from what is under way."""
