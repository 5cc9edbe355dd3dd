"""Kinds of records, each a module that is imported by name at its first use."""
