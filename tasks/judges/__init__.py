"""Rules and exchanges that judge the completions of one prompt."""
