"""Values that know how they are written."""
