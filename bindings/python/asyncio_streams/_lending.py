"""Lending: the component keeps input that a server's reader got, because it may still belong to a handshake.

Only a program with a certificate can begin TLS as a server. Every other one takes its input at once, which costs a fraction.
"""

# Whether the program has loaded a certificate.
possible = False
