"""Blocks that choose pairs, lists or rows from completions and scores."""
