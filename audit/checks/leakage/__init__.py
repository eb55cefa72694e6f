"""Whether the test was fair: rows and answers that the model should not have known."""
