"""Which replies ask for no more messages. Only a reply that says nothing else counts: a sentence is read by a person."""

from __future__ import annotations

from contactsync.text import fold

#: as `fold` writes them
WORDS = frozenset(
    {
        *("stop", "stop all", "stopall", "unsubscribe", "opt out", "opt-out", "optout", "quit"),
        *("stopp", "abmelden", "abbestellen", "austragen"),
        *("basta", "annulla", "cancellami", "disiscrivi", "disiscrivimi"),
        *("baja", "darme de baja", "parar", "arret", "desabonner"),
        *("لغو", "لغو 11", "لغو11", "انصراف", "لغو اشتراک", "الغاء", "ايقاف"),
    }
)
#: words that mean it in one country only: Iranian advertising ends with “cancel: 11”
WORDS_OF_REGIONS = {"IR": frozenset({"11"})}
LONGEST = 60  # characters; whatever is longer says more than one of the words
_AROUND = " .,;:!?…،؛؟*\"'“”„«»()[]-_"


def is_opt_out(text: str, *, region: str = "") -> bool:
    """Whether the whole text is one of the words, in any spelling of them."""
    if len(text) > LONGEST:
        return False
    word = fold(text).strip(_AROUND)
    return word in _FOLDED or word in WORDS_OF_REGIONS.get(region.upper(), ())


_FOLDED = frozenset(fold(word) for word in WORDS)
