"""A real HTTP server on loopback that speaks the providers' wire formats onto stored state.

The demo, the training mode and the tests use it in the providers' place. One dialect per
provider, mounted under its slug; what a provider's document does not allow is refused.
"""

from __future__ import annotations

from providers.sandbox.dialect import Violation
from providers.sandbox.server import SandboxServer

__all__ = ["SandboxServer", "Violation"]
