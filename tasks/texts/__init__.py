"""What several families need to know about texts: words as numbers, near-duplicates, common runs. Pure functions."""
