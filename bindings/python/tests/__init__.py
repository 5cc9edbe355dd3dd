"""Tests of what needs no component: `python3 -m unittest discover -s bindings/python -t bindings/python`."""
