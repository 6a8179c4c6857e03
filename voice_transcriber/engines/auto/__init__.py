"""ENGINE=auto: the parts that are fastest on this machine, found by measuring them once."""
