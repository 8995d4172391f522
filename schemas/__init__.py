"""What data looks like: tables, messages, requests, recipes and errors. Nothing here does I/O."""
