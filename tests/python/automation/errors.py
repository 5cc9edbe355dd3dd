"""The two ways in which a command ends early."""


class Failure(Exception):
    """A check failed, or a build failed. The message is for people."""


class LeftOut(Exception):
    """A requirement of the command is not available on this machine. The message names what to install."""
