"""In what order, when and where: the Prefect flows and the command line."""
