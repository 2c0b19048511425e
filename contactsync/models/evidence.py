"""What was found at a provider about a call whose outcome is not known."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models.ledger import Call
from contactsync.models.reasons import describe


class Evidence(models.Model):
    """The last search for one unknown call: the rows that the provider showed, and what they speak for."""

    class Proposal(models.TextChoices):
        SENT = "sent", _("sent")
        NOT_SENT = "not_sent", _("not sent")
        CANNOT_TELL = "cannot_tell", _("cannot tell")

    call = models.OneToOneField(Call, models.CASCADE, related_name="evidence", verbose_name=_("call"))
    proposal = models.CharField(_("proposal"), max_length=12, choices=Proposal)
    why = models.JSONField(_("reason"), default=dict)
    rows = models.JSONField(_("what the provider shows"), default=list)  # as of `campaigns.weighing.Row`
    searched_at = models.DateTimeField(_("searched at"))

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(proposal__in=["sent", "not_sent", "cannot_tell"]), name="evidence_proposal_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.call} {self.proposal}"

    @property
    def why_text(self) -> str:
        return describe(self.why)

    @property
    def speaks_for_a_send(self) -> bool:
        """Whether the provider shows a send, of no other call of ours, that reached people of this call."""
        sends = self.call.operation.startswith("send_")
        seen = any(row["matched"] and not row["belongs_to"] for row in self.rows)
        return sends and (seen or self.proposal == self.Proposal.SENT)

    @property
    def references(self) -> list[str]:
        """The provider's references of the rows that are this call, where the proposal is that it was sent."""
        if self.proposal != self.Proposal.SENT:
            return []
        return [row["reference"] for row in self.rows if row["is_it"]]
