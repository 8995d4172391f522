"""The commands of ``pairwright``, thin over functions one can call from Python."""
