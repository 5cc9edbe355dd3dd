"""CPython's C module `_ssl`, implemented over the component's TLS. CPython's own `ssl` uses it."""
