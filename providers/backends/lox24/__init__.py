"""LOX24 (Germany): SMS and voice with groups at the provider. Documents: https://doc.lox24.eu/"""

from __future__ import annotations

from providers.backends.lox24.client import Lox24

__all__ = ["Lox24"]
