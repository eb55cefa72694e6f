"""How good the model's answers are, overall and for every group."""
