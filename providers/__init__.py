"""Clients for messaging providers: one contract, one backend per provider, plain `requests`."""
