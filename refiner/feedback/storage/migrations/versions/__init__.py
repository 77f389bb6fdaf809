"""The steps, oldest first: ``schema_1``, ``schema_2`` and on."""
