"""Tables with fruit, flowers and vessels."""
