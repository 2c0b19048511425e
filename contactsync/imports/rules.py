"""What happens with contacts that are there already: add, update, or both; tags; and the sign that empties a field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.imports.errors import MappingError
from contactsync.models import ImportJob
from contactsync.text import clean, fold, isolated

Mode, TagsMode = ImportJob.Mode, ImportJob.TagsMode
CLEAR_TOKEN = ImportJob.CLEAR_TOKEN
LONGEST_TOKEN = 50  # as the model has it
#: signs that mean the same; who chooses one of them gets all
ALIKE = frozenset({"<clear>", "<پاک>"})
#: letters and blanks that may stand unseen behind the sign
_UNSEEN = frozenset(
    " \t\r\n\x0b\x0c\xa0\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\ufeff"
)

TOKEN_LONG = gettext_noop("The sign that empties a field has at most %(limit)s characters.")


@dataclass(frozen=True, slots=True)
class Rules:
    """A person's choice. An empty `clear_token` means that no sign empties anything."""

    mode: str = Mode.ADD_AND_UPDATE.value
    tags_mode: str = TagsMode.REPLACE.value
    clear_token: str = CLEAR_TOKEN

    @classmethod
    def of(cls, job: ImportJob) -> Rules:
        """The rules an import keeps."""
        return cls(job.mode, job.tags_mode, job.clear_token)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Rules:
        """The rules of a saved mapping; what it does not say, or what a later version wrote, is as usual."""
        usual = cls()
        mode, tags_mode = kept.get("mode"), kept.get("tags_mode")
        return cls(
            mode=mode if mode in Mode.values else usual.mode,
            tags_mode=tags_mode if tags_mode in TagsMode.values else usual.tags_mode,
            clear_token=clean(str(kept.get("clear_token", usual.clear_token)))[:LONGEST_TOKEN],
        )

    def as_json(self) -> dict[str, str]:
        """The form in which a saved mapping keeps them."""
        return {name: str(value) for name, value in asdict(self).items()}

    def keep_in(self, job: ImportJob) -> None:
        """Set them on an import; not saved. Raises `MappingError`."""
        token = clean(self.clear_token)
        if len(token) > LONGEST_TOKEN:
            raise MappingError(TOKEN_LONG, limit=LONGEST_TOKEN)
        job.mode, job.tags_mode, job.clear_token = Mode(self.mode), TagsMode(self.tags_mode), token

    def words(self, fields: Collection[str]) -> list[str]:
        """One sentence each, for a page: what has a meaning for a file that fills these fields."""
        said = [str(_MODES[Mode(self.mode)])]
        if self.mode == Mode.ADD_ONLY:  # nobody who is there changes
            return said
        if "tags" in fields:
            said.append(str(_TAGS[TagsMode(self.tags_mode)]))
        if not set(fields) - {"phone"}:
            return said
        if self.clear_token:
            sign = isolated(self.clear_token)
            said.append(_("A blank cell keeps the existing value; “%(sign)s” empties the field.") % {"sign": sign})
        else:
            said.append(_("A blank cell keeps the existing value."))
        return said


class _Sentences(dict[Any, str]):
    """Constant sentences, translated when they are read."""

    def __getitem__(self, key: Any) -> str:
        return _(super().__getitem__(key))


_MODES = _Sentences(
    {
        Mode.ADD_AND_UPDATE: gettext_noop("New numbers are added; existing contacts are updated."),
        Mode.ADD_ONLY: gettext_noop("Only new numbers are added; existing contacts stay as they are."),
        Mode.UPDATE_ONLY: gettext_noop("Only existing contacts are updated; nobody is added."),
    }
)
_TAGS = _Sentences(
    {
        TagsMode.REPLACE: gettext_noop("Tags of the file replace those a contact has."),
        TagsMode.ADD: gettext_noop("Tags of the file are added to those a contact has."),
    }
)


def clears(token: str) -> Callable[[str], bool]:
    """What tells whether a cell holds the sign and nothing else, in whatever case and keyboard it was written."""
    signs = frozenset(map(fold, ALIKE if fold(token) in set(map(fold, ALIKE)) else {token}))
    last = frozenset(sign[-1:] for sign in signs)
    if not all(sign.isascii() and not sign.isalnum() for sign in last):
        return lambda raw: fold(raw) in signs
    # Nearly no cell ends like the sign, and to fold each would take longer than to read it.
    ends = last | _UNSEEN
    return lambda raw: raw[-1:] in ends and fold(raw) in signs
