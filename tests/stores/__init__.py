"""The stores of phase 4 with their real programs: three replicas of each on loopback, over a real S3."""
