"""Plain text: sentences, words, and which sentences have to do with a statement."""
