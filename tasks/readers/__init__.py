"""Reads what models write: answers, verdicts, scores. The only place where such texts are read."""
