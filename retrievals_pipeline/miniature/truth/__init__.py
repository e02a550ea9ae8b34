"""What is true of the museum's works, and what can be asked of them."""
