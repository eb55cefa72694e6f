"""The model held against the one that it would replace, on the same rows."""
