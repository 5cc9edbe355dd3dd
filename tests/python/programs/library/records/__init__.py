"""Kinds of records, each a module that is imported by its name when one is met."""
