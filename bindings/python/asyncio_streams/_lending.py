"""Whether bytes that a server's reader got may still belong to a handshake, so that the component has to keep them.

Only a program with a certificate can begin TLS as a server. Every other one takes its input at once, which costs a fraction.
"""

# Whether the program has loaded a certificate.
possible = False
