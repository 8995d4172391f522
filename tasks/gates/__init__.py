"""Blocks that look at what is about to be published and may refuse it."""
