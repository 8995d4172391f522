"""What answers requests: the one plural that may touch a network, a GPU or a subprocess."""
