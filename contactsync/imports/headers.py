"""What people call their columns, in the languages of our users."""

from __future__ import annotations

import re

from contactsync.text import fold

#: field -> titles; earlier titles say it more clearly than later ones
SYNONYMS: dict[str, tuple[str, ...]] = {
    "phone": (
        "mobile", "mobile number", "mobile phone", "mobile no", "cell phone", "cell", "cellphone", "msisdn", "sms",
        "whatsapp", "whatsapp number", "gsm", "موبایل", "شماره موبایل", "تلفن همراه", "شماره همراه", "شماره تلفن همراه",
        "همراه", "گوشی", "شماره گوشی", "واتساپ", "شماره واتساپ", "جوال", "الجوال", "رقم الجوال", "رقم الموبايل",
        "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon", "mobilfunknummer", "rufnummer mobil",
        "mobile phone number", "cell phone number", "cell number", "handy nr", "handynr", "mobil nr", "tel mobil",
        "telefon mobil", "cellulare", "numero di cellulare", "cell.", "telefonino", "telefono cellulare",
        "numero cellulare", "n cellulare", "tel cellulare", "tel mobile", "telefono mobile", "numero mobile", "nº móvil",
        "tel móvil", "ش موبایل", "móvil", "número de móvil", "teléfono móvil",
        "celular", "número de celular", "teléfono celular",
        "phone", "phone number", "phone no", "telephone", "telephone number", "tel", "tel no", "number", "contact number",
        "phonenumber", "tlf", "شماره تلفن", "شماره تماس", "تلفن", "تلفن تماس", "شماره", "رقم الهاتف", "الهاتف", "هاتف",
        "telefon", "telefonnummer", "rufnummer", "nummer", "telefono", "numero di telefono", "numero", "recapito telefonico",
        "teléfono", "número de teléfono", "número",
        "phone nr", "contact no", "whats app", "whatsapp no", "whatsapp nr", "شماره واتس اپ", "واتس اپ", "tel nr",
        "telefon nr", "telefonnr", "numero telefonico", "nº de teléfono",
    ),
    "prefix": (
        "prefix", "title", "salutation", "name prefix", "honorific", "mr ms", "پیشوند", "عنوان", "لقب", "پیشوند نام",
        "anrede", "titel", "titolo", "appellativo", "tratamiento", "título", "اللقب",
    ),
    "first_name": (
        "first name", "firstname", "given name", "forename", "fname", "name first", "نام", "نام کوچک", "اسم", "اسم کوچک",
        "vorname", "rufname", "nome", "nome di battesimo", "nombre", "nombre de pila", "الاسم الأول", "الاسم",
    ),
    "last_name": (
        "last name", "lastname", "surname", "family name", "lname", "family", "نام خانوادگی", "فامیل", "فامیلی",
        "نام فامیل", "نام خانواده", "nachname", "familienname", "zuname", "cognome", "apellido", "apellidos",
        "اسم العائلة", "الكنية",
    ),
    "full_name": (
        "full name", "fullname", "name", "contact name", "customer name", "display name", "contact", "customer",
        "نام و نام خانوادگی", "نام ونام خانوادگی", "نام کامل", "نام و فامیل", "نام مشتری", "نام مخاطب", "مخاطب", "مشتری",
        "vollständiger name", "vor und nachname", "name vorname", "kunde", "kontakt", "nome completo", "nome e cognome",
        "nominativo", "cliente", "contatto", "nombre completo", "nombre y apellido", "nombre y apellidos", "contacto",
        "الاسم الكامل",
        "cust name", "kundenname", "ansprechpartner", "nome cliente", "nombre del cliente", "nombre cliente",
    ),
    "company": (
        "company", "company name", "organisation", "organization", "employer", "business", "firm", "شرکت", "نام شرکت",
        "سازمان", "موسسه", "نام سازمان", "فروشگاه", "firma", "firmenname", "unternehmen", "azienda", "società", "ditta",
        "ragione sociale", "empresa", "compañía", "organización", "الشركة", "اسم الشركة",
        "organization name", "organisation name", "account name", "نام شرکت سازمان", "نام فروشگاه", "nome azienda",
        "nombre de la empresa",
    ),
    "email": (
        "email", "e mail", "email address", "e mail address", "mail", "ایمیل", "آدرس ایمیل", "پست الکترونیک",
        "پست الکترونیکی", "رایانامه", "e mail adresse", "email adresse", "posta elettronica", "indirizzo email", "correo",
        "correo electrónico", "البريد الإلكتروني",
        "mail adresse", "emailadresse", "indirizzo e mail", "indirizzo posta elettronica", "indirizzo di posta elettronica",
        "dirección de correo electrónico", "dirección de correo", "correo e",
    ),
    "tags": (
        "tags", "tag", "labels", "label", "group", "groups", "category", "categories", "segment", "برچسب", "برچسب ها",
        "برچسب‌ها", "تگ", "گروه", "دسته", "دسته بندی", "گروه مشتری", "schlagwörter", "schlagwort", "gruppe", "gruppen",
        "kategorie", "etichette", "etichetta", "gruppo", "categoria", "etiquetas", "etiqueta", "grupo", "categoría",
        "kategorien", "categorie", "categorías",
    ),
    "assigned_user": (
        "assigned user", "assignee", "assigned to", "owner", "agent", "contact owner", "کاربر مسئول", "مسئول", "کارشناس",
        "زیر نظر", "zuständig", "bearbeiter", "betreuer", "assegnato a", "responsabile", "asignado a", "responsable",
    ),
    "note": (
        "note", "notes", "remark", "remarks", "comment", "comments", "یادداشت", "یادداشت ها", "توضیحات", "توضیح", "ملاحظات",
        "ملاحظة", "ملاحظات إضافية", "notiz", "notizen", "bemerkung", "bemerkungen", "anmerkung", "anmerkungen", "kommentar",
        "nota", "osservazioni", "commento", "commenti", "notas", "observaciones", "comentario", "comentarios",
    ),
    "consented_at": (
        "consent given at", "consent", "consented at", "consented", "consent date", "date of consent", "opt in",
        "opt in date", "opted in", "optin", "marketing consent", "gdpr consent", "whatsapp consent", "whatsapp opt in",
        "رضایت", "تاریخ رضایت", "زمان رضایت", "رضایت داده", "رضایت داده در", "زمان اعلام رضایت", "اجازه ارسال", "موافقت",
        "تاریخ موافقت", "الموافقة", "تاريخ الموافقة", "einwilligung", "einwilligung am", "einwilligungsdatum",
        "datum der einwilligung", "zustimmung", "zustimmung am", "consenso", "data consenso", "data del consenso",
        "consenso dato il", "consenso marketing", "consenso privacy", "consentimiento", "fecha de consentimiento",
        "fecha del consentimiento", "autorización",
    ),
    "consent_source": (
        "how consent was given", "consent source", "source of consent", "opt in source", "منبع رضایت", "نحوه رضایت",
        "چگونگی رضایت", "روش رضایت", "نحوه اعلام رضایت", "روش اعلام رضایت", "چگونگی اعلام رضایت", "quelle der einwilligung",
        "einwilligung durch", "einwilligung über", "art der einwilligung", "fonte del consenso", "modalità del consenso",
        "origen del consentimiento", "fuente del consentimiento", "forma de consentimiento",
    ),
}  # fmt: skip
#: the same for a list of numbers that want no messages; what names a phone number there does so here, after these
SUPPRESSION_SYNONYMS: dict[str, tuple[str, ...]] = {
    "phone": (
        "suppressed number", "suppressed numbers", "blocked number", "blocked numbers", "opt out number",
        "unsubscribed number", "do not call number", "شماره مسدود", "شماره لغو شده", "شماره انصرافی", "شماره لیست سیاه",
        "gesperrte nummer", "gesperrte rufnummer", "sperrnummer", "numero bloccato", "numero escluso", "número bloqueado",
    ),
    "reason": (
        "reason", "opt out reason", "unsubscribe reason", "reason for opt out", "reason for unsubscribing", "why", "cause",
        "علت", "دلیل", "سبب", "علت انصراف", "دلیل انصراف", "علت لغو", "دلیل لغو", "علت لغو عضویت", "السبب", "grund",
        "begründung", "abmeldegrund", "sperrgrund", "motivo", "causa", "ragione", "motivazione", "motivo della cancellazione",
        "motivo cancellazione", "razón", "motivo de baja", "motivo de la baja",
    ),
    "since": (
        "since", "suppressed since", "suppressed at", "blocked since", "blocked at", "opt out date", "date of opt out",
        "opted out at", "opted out on", "unsubscribed at", "unsubscribed on", "unsubscribe date", "added at", "added on",
        "date added", "date", "از تاریخ", "از", "تاریخ انصراف", "تاریخ لغو", "تاریخ لغو عضویت", "تاریخ ثبت", "تاریخ افزودن",
        "تاریخ", "منذ", "تاريخ الإلغاء", "seit", "gesperrt seit", "gesperrt am", "sperrdatum", "abgemeldet am",
        "abgemeldet seit", "abmeldedatum", "widerrufen am", "widerrufsdatum", "datum", "dal", "bloccato dal",
        "cancellato il", "data cancellazione", "data di cancellazione", "disiscritto il", "data disiscrizione", "data revoca",
        "data", "desde", "bloqueado desde", "fecha de baja", "dado de baja el", "baja desde", "fecha",
    ),
}  # fmt: skip
#: titles of numbers that take no messages: used only when there is no other phone column
LANDLINES = (
    "landline", "business phone", "telefon geschäftlich", "telefono ufficio", "teléfono del trabajo", "تلفن شرکت", "home phone", "work phone", "office phone", "fixed line", "fax", "تلفن ثابت", "شماره ثابت", "تلفن منزل",
    "تلفن محل کار", "تلفن دفتر", "فکس", "نمابر", "festnetz", "festnetznummer", "telefon privat", "telefono fisso", "fisso",
    "teléfono fijo", "fijo",
)  # fmt: skip


def key(title: str) -> str:
    """A title for comparing: without case, accents, punctuation and kinds of space."""
    title = title.replace("␀", "")  # stands for a character that no database keeps
    return " ".join(re.sub(r"[\W_]+", " ", fold(title)).split())


_OF_SUPPRESSION = {
    "phone": SUPPRESSION_SYNONYMS["phone"] + SYNONYMS["phone"],
    "reason": SUPPRESSION_SYNONYMS["reason"] + SYNONYMS["note"],
    "since": SUPPRESSION_SYNONYMS["since"],
}
#: kind of import -> title -> field and rank
_BY_KEY = {
    kind: {
        key(synonym): (field, rank)
        for field, synonyms in reversed(known.items())
        for rank, synonym in enumerate(synonyms)
    }
    for kind, known in (("contacts", SYNONYMS), ("suppression", _OF_SUPPRESSION))
}
_LANDLINES = frozenset(map(key, LANDLINES))
#: say so of whatever number they stand beside
_FIXED = frozenset(map(key, ("fax", "telefax", "landline", "festnetz", "fisso", "fijo", "ثابت", "فکس", "نمابر")))
# What people and programs put around a title: “Phone 1 - Value”, “mobile (required)”, “customer e-mail”.
_BEFORE = frozenset(map(key, ("contact", "customer", "client", "lead", "kunde", "kunden", "primary", "main")))
_AFTER = frozenset(
    map(
        key,
        (
            "required", "optional", "value", "primary", "main", "pflichtfeld", "obbligatorio", "obligatorio", "principale",
            "principal", "cliente", "مشتری", "مخاطب", "اصلی", "اجباری", "الزامی",
        ),
    )
)  # fmt: skip
_LESS_CLEAR = 500
#: mean a phone only when they stand alone: “customer number” is another one
_BARE_NUMBERS = frozenset(map(key, ("number", "numero", "número", "شماره", "nummer")))


def is_known_header(title: str) -> bool:
    """Is this what people call a column?"""
    return bool(field_of(title)[0]) or key(title) in _LANDLINES


#: begin the line of sums below a table
_SUMS = frozenset(
    map(
        key,
        ("total", "grand total", "totals", "subtotal", "summe", "gesamt", "gesamtsumme", "insgesamt", "totale",
         "totale generale", "total general", "جمع", "جمع کل", "مجموع", "تعداد کل", "المجموع"),
    )
)  # fmt: skip


def is_sum(cell: str) -> bool:
    """Does the cell begin the line of sums below a table?"""
    return key(cell) in _SUMS


def is_landline(title: str) -> bool:
    """Does the title speak of a number that takes no messages?"""
    return key(title) in _LANDLINES or bool(_FIXED.intersection(key(title).split()))


def field_of(title: str, kind: str = "contacts") -> tuple[str, int]:
    """The field the title names in an import of this kind, and how clearly (0 is clearest); an empty field when it names none."""
    whole, known = key(title), _BY_KEY[kind]
    if whole in known:
        return known[whole]
    core = _core(whole)
    field, rank = known.get(core, ("", 0))
    return ("", 0) if not field or core in _BARE_NUMBERS else (field, rank + _LESS_CLEAR)


def _core(title: str) -> str:
    words = [word for part in title.split() if (word := part.rstrip("0123456789"))]
    while len(words) > 1 and words[-1] in _AFTER:
        del words[-1]
    while len(words) > 1 and words[0] in _BEFORE:
        del words[0]
    return " ".join(words)


def phone_within(title: str) -> bool:
    """Does a longer title speak of a phone number, as “customer mobile (main)” does?"""
    words = f" {key(title)} "
    return any(f" {key(word)} " in words for word in SYNONYMS["phone"] if key(word) not in _BARE_NUMBERS)


#: say that a column holds dates, not which
_OF_ANY_DATE = frozenset(
    word
    for title in (
        "date", "day", "on", "of", "the", "datum", "tag", "am", "der", "des", "data", "giorno", "di", "del", "della", "fecha",
        "día", "de", "la", "تاریخ", "روز", "column", "col", "field", "ستون", "spalte", "colonna", "columna",
    )
    for word in key(title).split()
)  # fmt: skip
_OF_BIRTH = frozenset(
    word
    for title in (
        "birth", "birthday", "birthdate", "born", "dob", "bday", "تولد", "زادروز", "متولد", "الميلاد", "geburtstag",
        "geburtsdatum", "geboren", "geb", "nascita", "compleanno", "nato", "nacimiento", "cumpleaños", "nacido",
    )
    for word in key(title).split()
)  # fmt: skip


def may_be_same_date(title: str, other: str) -> bool:
    """False when the title of a column of dates names another date than the other title: membership is not birth."""
    told, wanted = (
        {word for word in key(text).split() if len(word) > 1 and not word.isdecimal()} - _OF_ANY_DATE
        for text in (title, other)
    )
    return not told or bool(told & wanted) or bool(told & _OF_BIRTH and wanted & _OF_BIRTH)
