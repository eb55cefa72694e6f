"""Where in the data a model errs more than chance explains."""
