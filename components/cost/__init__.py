"""What a stack of a given rate needs and costs."""
