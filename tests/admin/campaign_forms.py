"""What a browser posts to make a campaign."""

from __future__ import annotations

from typing import Any

ADD = "/admin/contactsync/campaign/add/"


def form(account: Any, *targets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What the browser posts for a campaign with these targets."""
    data = {
        "title": "Yalda",
        "account": account.pk,
        "sender": "",
        "message": "سلام {first_name|دوست}",
        "scheduled_for_0": "",
        "scheduled_for_1": "",
        "targets-TOTAL_FORMS": len(targets),
        "targets-INITIAL_FORMS": 0,
        "targets-MIN_NUM_FORMS": 0,
        "targets-MAX_NUM_FORMS": 1000,
        "_continue": "1",
        **fields,
    }
    for index, target in enumerate(targets):
        data |= {f"targets-{index}-{name}": value for name, value in {"type": "all", **target}.items()}
    return data
