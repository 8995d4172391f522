"""Blocks that draw what a version is, for a person."""
