"""Training of many nets at once, with the same results as one by one."""
