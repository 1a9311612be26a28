"""Stand-in for the official aws plugin 7.51.1: S3, IAM and EKS pod identity, on a moto server."""
