"""What the model does to groups of people."""
