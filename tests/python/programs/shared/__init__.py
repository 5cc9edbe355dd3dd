"""Shared by the programs with topics."""

HOST = "127.0.0.1"


async def outcome(awaitable):
    """Returns the name of the raised exception, or the result."""
    try:
        return await awaitable
    except BaseException as error:
        return type(error).__name__


def attempt(function, *arguments):
    """The same for a plain call."""
    try:
        return function(*arguments)
    except BaseException as error:
        return type(error).__name__
