"""The sections of the stack configuration: names, types, defaults.

Field names are the configuration keys in snake case; ``Pulumi.<stack>.yaml`` writes them in camel case.
"""
