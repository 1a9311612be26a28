"""The parts of a stack put together: what the phases have in common, their addresses and outputs."""
