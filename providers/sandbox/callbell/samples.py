"""A fresh account: what its owner has made in the dashboard before anybody calls the API."""

from __future__ import annotations

from providers.sandbox.callbell.records import (
    CLOSED_CHANNEL,
    INSTAGRAM_CHANNEL,
    MAIN_CHANNEL,
    SECOND_CHANNEL,
    Channel,
    CustomField,
    Template,
    make_id,
)


def channels() -> list[Channel]:
    return [
        Channel(MAIN_CHANNEL, "Botega Milano", "whatsapp", main=True),
        Channel(SECOND_CHANNEL, "Botega Madrid", "whatsapp"),
        Channel(INSTAGRAM_CHANNEL, "botega", "instagram"),
        Channel(CLOSED_CHANNEL, "Botega Torino", "whatsapp", discarded_at="2024-05-01T10:00:00Z"),
    ]


def templates() -> list[Template]:
    rows = [
        ("welcome", "Ciao {{1}}, grazie per l'iscrizione!", "approved", "text"),
        ("order_ready", "Hola {{1}}, tu pedido {{2}} está listo.", "approved", "text"),
        ("opening_hours", "Siamo aperti dalle 9 alle 18.", "approved", "text"),
        ("spring_sale", "{{1}}, -20% su tutto!", "paused", "text"),
        ("catalogue", "Ecco il catalogo, {{1}}.", "approved", "image"),
    ]
    return [
        Template(make_id("template", number), title, text, status, kind)
        for number, (title, text, status, kind) in enumerate(rows, start=1)
    ]


def custom_fields() -> list[CustomField]:
    return [
        CustomField("City"),
        CustomField("Company"),
        CustomField("Billing Address"),
        CustomField("Email", "email"),
        CustomField("Points", "number"),
        CustomField("Birthday", "date"),
        CustomField("Size", "dropdown", ["S", "M", "L", "XL"]),
        CustomField("Interests", "checkbox", ["Pane", "Vino", "Formaggio"]),
    ]


TAGS = ("Newsletter", "Clienti Italia", "Clientes España", "VIP", "Callback", "Interested")
USERS = {"ops@example.org": "Ops", "agent@example.org": "Agent", "marta@example.org": "Marta"}
