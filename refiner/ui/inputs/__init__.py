"""The left side of the page: question, draft, sources, rubric, options."""
