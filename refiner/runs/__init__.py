"""A finished run as data: as a file, its validation, and the record that a rating keeps."""
