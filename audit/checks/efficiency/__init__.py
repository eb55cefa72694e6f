"""How small and how fast a model is, and what its smaller forms change."""
