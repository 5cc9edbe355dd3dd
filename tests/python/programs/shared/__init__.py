"""What the programs with matters share."""

HOST = "127.0.0.1"


async def outcome(awaitable):
    """The name of what is raised, or the result."""
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
