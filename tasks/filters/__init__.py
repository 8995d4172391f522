"""Blocks that name the rows to take out, and why."""
