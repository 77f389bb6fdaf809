"""What a visitor can keep of a result."""
