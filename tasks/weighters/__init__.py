"""Blocks that give every row a weight."""
