"""Blocks that give rows the shape a trainer loads."""
