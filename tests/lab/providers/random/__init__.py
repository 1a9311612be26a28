"""Stand-in for the official random plugin 4.21.4: values that stay the same until their inputs change."""
