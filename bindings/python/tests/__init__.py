"""Tests without components: `python3 -m unittest discover -s bindings/python -t bindings/python`."""
