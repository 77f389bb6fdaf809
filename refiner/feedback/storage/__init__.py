"""Where ratings are kept: the table, the databases, the migrations."""
