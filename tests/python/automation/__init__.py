"""The automation of everything written in Python: `python3 -m automation COMMAND`, in the folder `tests/python`.

`cargo xtask` calls it, with the paths of its built programs in the environment. It needs Python 3.10 or later and
nothing else.
"""
