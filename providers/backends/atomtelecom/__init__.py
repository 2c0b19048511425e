"""Atom Telecom (Australia): the SMS API with address books at the provider. Documents: https://help.atomtelecom.com.au/kb/API/

The provider's other product, the Atomic API, has another address, other credentials and another way to show them.
It only adds a list of received messages and the registration of brand names, and is left out.
"""

from __future__ import annotations

from providers.backends.atomtelecom.client import AtomTelecom

__all__ = ["AtomTelecom"]
