"""People who told the provider that they want nothing more: suppressed here before anybody is decided about."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_noop

from contactsync.models import Campaign
from contactsync.models.reasons import reason
from contactsync.sync.connect import Operation, ProviderError, capabilities, reason_of
from contactsync.sync.line import Line
from contactsync.sync.opt_outs import OptOuts

logger = logging.getLogger(__name__)


def take_over_list(campaign: Campaign, *, pulse: Callable[[], None]) -> list[dict[str, Any]]:
    """Suppress everybody on the provider's own list, where it has one. Returns warnings when it could not be read.

    The provider sends nothing to them in any case. Refused credentials are raised, and what `pulse` raises.
    """
    if not capabilities(campaign.account).can(Operation.LIST_SUPPRESSED):
        return []
    opt_outs = OptOuts()
    try:
        with Line(campaign.account, pulse=pulse) as line:
            opt_outs.read_list(line)
    except ProviderError as error:
        if campaign.account.is_stopped:
            raise
        logger.warning("The opt-outs for campaign %s could not be read: %s", campaign.pk, error.reason)
        return [
            reason(
                gettext_noop(
                    "The provider's list of people who unsubscribed could not be read, so some of them may be counted "
                    "here: %(reason)s"
                ),
                reason=reason_of(error),
            )
        ]
    opt_outs.take_over()
    return []
