"""The rating below a result."""
