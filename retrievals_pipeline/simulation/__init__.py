"""A collection that nobody made: vectors and records at any size, and a release of them."""
