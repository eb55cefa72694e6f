"""Models of every class that is known to make attributions go wrong."""
