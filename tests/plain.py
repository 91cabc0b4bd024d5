"""What an HTTP client of a test is told of TLS: nothing, for servers on loopback speak none.

httpx reads the machine's authorities for each client, and for each ``httpx.get``, which costs more than what is asked.
"""

from typing import Final

import httpx

PLAIN: Final = httpx.create_ssl_context(trust_env=False)
"""Made once; to be given as ``verify``."""
