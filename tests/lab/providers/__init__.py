"""Stand-ins for the official Pulumi provider plugins: test equipment for machines that cannot download those.

Each is a gRPC server run by the real engine. They behave like the official plugin wherever a program can
tell: property names and types, which changes replace, what a wait waits for, which values are secret.
``tests/lab/README.md`` lists where they differ.
"""
