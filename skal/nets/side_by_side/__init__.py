"""Training of many nets at once, with the results that each would have alone."""
