"""The commands of ``python -m ops``, by what they are about."""
