"""Makes a context, and loads certificates, while it is imported."""

import os
import ssl

PLACE = os.path.join(os.path.dirname(__file__), "authority.pem")

from_file = ssl.create_default_context(cafile=PLACE)
server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
with open(PLACE) as file:
    text = file.read()
from_data = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
from_data.load_verify_locations(cadata=text)
from_data.load_verify_locations(cadata=ssl.PEM_cert_to_DER_cert(text))
