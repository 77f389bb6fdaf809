"""The owner's page of what all votes tell."""
