"""A package as programs find them installed: what its modules do when they are imported, and when they are called."""
