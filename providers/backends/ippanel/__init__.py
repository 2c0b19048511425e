"""IPPanel Edge (Iran): SMS with phonebooks at the provider. Documents: https://ippanelcom.github.io/Edge-Document/"""

from __future__ import annotations

from providers.backends.ippanel.client import IPPanel

__all__ = ["IPPanel"]
