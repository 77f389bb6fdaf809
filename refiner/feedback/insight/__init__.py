"""What all votes tell: win rates, agreement with the judge, biases."""
