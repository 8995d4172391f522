"""Blocks that turn judgments into one score a completion."""
