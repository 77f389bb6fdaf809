"""The owner's page, with figures of all votes."""
