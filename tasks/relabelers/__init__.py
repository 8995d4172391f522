"""Blocks that change labels on purpose, and note it."""
