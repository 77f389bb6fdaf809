"""Citation chips and cards, the sources, the support of each claim."""
