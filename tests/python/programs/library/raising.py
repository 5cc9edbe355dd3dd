"""Raises while it is imported."""


def calculate():
    return 1 / 0


calculate()
