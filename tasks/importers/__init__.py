"""Reads what others made: one reader of foreign shapes for runs, audits and gold sets; rows in, records out."""
