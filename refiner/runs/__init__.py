"""A finished run as data: the saved file, its validation, and the record kept with a rating."""
