"""Storage of ratings: the table, the databases and the migrations."""
