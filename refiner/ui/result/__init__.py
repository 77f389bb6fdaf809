"""What a visitor can do with a result: save it, and come back to the earlier ones."""
