"""What the model reads: the prompt's text, its token budget, and what the extractive form may quote."""
