"""Statistics over all votes: win rates, agreement with the judges, and biases."""
