"""Blocks that make prompts: keyword parameters in, a prompts table out."""
