"""CPython's C module `_ssl`, written over the component's TLS. CPython's own `ssl` stands on it."""
