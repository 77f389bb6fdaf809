"""The scores of both answers, and how good their judge was measured to be."""
