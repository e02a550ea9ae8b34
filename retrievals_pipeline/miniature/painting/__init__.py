"""How scenes are painted."""
