"""The two ways in which a command ends early."""


class Failure(Exception):
    """A check failed, or something could not be made. The message is for people."""


class LeftOut(Exception):
    """Something that the command takes cannot be had on this machine. The message says what to install."""
