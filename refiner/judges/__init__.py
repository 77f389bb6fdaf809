"""Who judges. `protocol` is the seam, `ask` handles failures, `choose` picks a judge."""
