"""What an AWS bucket is made of: its name, its policies, its resources."""
