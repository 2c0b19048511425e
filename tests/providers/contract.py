"""What every backend promises, tested against its sandbox dialect over real sockets, each as its capabilities say."""

from __future__ import annotations

from .contract_account import AccountPromises
from .contract_contacts import ContactPromises
from .contract_conversations import ConversationPromises
from .contract_sends import SendPromises


class ProviderContract(AccountPromises, ContactPromises, ConversationPromises, SendPromises):
    """Subclass it as `class TestContract(ProviderContract)` in a backend's test module; `contract_base` says what to fill in."""
