"""Why the model answers as it does, and how far its reasons can be trusted."""
