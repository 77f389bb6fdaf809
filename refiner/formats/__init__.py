"""The notations that answers and sources come in: tags, brackets, tool output, the answer format."""
