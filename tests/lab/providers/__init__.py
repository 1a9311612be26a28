"""Stand-ins for the official Pulumi provider plugins: test equipment for machines that cannot download those.

Each is a gRPC server run by the real engine. They behave as the official plugin does where a program can
tell: property names and types, which changes replace, what a wait waits for, which values are secret.
``tests/lab/README.md`` lists where they differ.
"""
