"""The automation of everything written in Python: `python3 -m automation COMMAND`, in the folder `tests/python`.

`cargo xtask` calls it, with the programs that it has built in the environment. It takes Python 3.10 or later and nothing else.
"""
