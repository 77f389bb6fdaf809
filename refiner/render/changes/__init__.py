"""The diff of draft and refined answer, and what each change did to the scores."""
