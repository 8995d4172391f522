"""Where data lives: the versioned store, the answer ledger, SQL, exports."""
