"""What is done to data. Verbs (files here) do I/O; plurals (folders here) hold pure blocks; they meet in tables."""
