"""Exchanges that grow a search tree from one prompt."""
