"""Whether this installation finds what is wrong with a model: audits of models whose faults were planted."""
