"""Callbell: WhatsApp and other chats with one flat contact list. Documents: https://docs.callbell.eu/api/reference"""

from __future__ import annotations

from providers.backends.callbell.client import Callbell

__all__ = ["Callbell"]
