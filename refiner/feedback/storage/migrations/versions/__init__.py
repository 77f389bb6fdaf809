"""The migration steps, oldest first: ``schema_1``, ``schema_2`` and so on."""
