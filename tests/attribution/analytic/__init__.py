"""Models whose attributions are known by hand; every default method is right within one per cent of all of them."""
