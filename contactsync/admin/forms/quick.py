"""Form controls for pages with hundreds of them: no template for each, and choices that many share are written once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.utils.choices import BaseChoiceIterator
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


class Choices(BaseChoiceIterator):
    """The choices of any number of selects. Give the same one to all of them."""

    def __init__(self, choices: Sequence[tuple[str, Any]]) -> None:
        self._choices = choices

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._choices)

    @cached_property
    def _written(self) -> str:
        return format_html_join("", "{}", ((_written(*choice),) for choice in self))

    def shown(self, chosen: str) -> SafeString:
        """All of them, with that one chosen."""
        begin = f'<option value="{escape(chosen)}"'
        return mark_safe(self._written.replace(f"{begin}>", f"{begin} selected>", 1))  # noqa: S308 - escaped above


def _written(value: str, label: Any) -> SafeString:
    if isinstance(label, list | tuple):
        inner = format_html_join("", "{}", ((_written(*choice),) for choice in label))
        return format_html('<optgroup label="{}">{}</optgroup>', value, inner)
    return format_html('<option value="{}">{}</option>', value, label)


class QuickSelect(forms.Select):
    """A select of `Choices`."""

    choices: Choices

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        body = self.choices.shown("" if value is None else str(value))
        return _element("select", self.build_attrs(self.attrs, attrs) | {"name": name}, body)


class QuickInput(forms.TextInput):
    """A line of text."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        told = {"type": "text", "name": name, "value": self.format_value(value)}
        return _element("input", self.build_attrs(self.attrs, attrs) | told)


class QuickTextarea(forms.Textarea):
    """Lines of text."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        text = "\n" + escape(self.format_value(value) or "")
        return _element("textarea", self.build_attrs(self.attrs, attrs) | {"name": name}, text)


def _element(tag: str, attributes: Mapping[str, Any], body: str | None = None) -> SafeString:
    """`body` is HTML, and None for an element that has none."""
    told = [
        f' {name}="{escape(value)}"' if value is not True else f" {name}"
        for name, value in attributes.items()
        if value is not None and value is not False
    ]
    end = "" if body is None else f"{body}</{tag}>"
    return mark_safe(f"<{tag}{''.join(told)}>{end}")  # noqa: S308 - every value is escaped


class QuickChoice(forms.ChoiceField):
    """One of `Choices`."""

    widget = QuickSelect

    def __init__(self, choices: Choices, **more: Any) -> None:
        super().__init__(choices=choices, required=False, **more)


def labelled(field: forms.BoundField) -> SafeString:
    """The field below its label and, if there are any, its errors."""
    label = _element("label", {"for": field.auto_id}, escape(field.label))
    return format_html("{}{}{}", label, field.errors or "", field.as_widget())
