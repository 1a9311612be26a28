"""What an operator runs: bring a stack up and down, prove it, watch it, back it up."""
