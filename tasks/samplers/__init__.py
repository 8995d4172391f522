"""Exchanges that ask a policy for completions of one prompt."""
