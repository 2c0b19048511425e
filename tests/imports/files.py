"""Files as people upload them, and imports of them, in one line each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from django.core.files.base import ContentFile
from openpyxl import Workbook

from contactsync.imports import jobs
from contactsync.imports.detect import Found, examine
from contactsync.imports.read import Row, read_rows
from contactsync.imports.rules import Rules
from contactsync.imports.run import run_apply, run_check
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook
from tests.factories import make_account, make_option, make_phonebook

HEADER = "phone,first name,last name,email\n"


def examined(content: bytes | str, encoding: str = "utf-8") -> Found:
    """What is found out about a file by itself."""
    return examine(io.BytesIO(as_bytes(content, encoding)))


def rows_of(content: bytes | str, encoding: str = "utf-8") -> list[Row]:
    """All rows of a file below its header, read as detection says."""
    file = io.BytesIO(as_bytes(content, encoding))
    return list(read_rows(file, examine(file).form))


def as_bytes(content: bytes | str, encoding: str = "utf-8") -> bytes:
    return content.encode(encoding) if isinstance(content, str) else content


def xlsx(*rows: Sequence[object], title: str = "Sheet") -> bytes:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rezipped(content: bytes, member: str, change: Mapping[bytes, bytes]) -> bytes:
    """A zip file with pieces of one member replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith(member):
                for before, after in change.items():
                    assert before in data
                    data = data.replace(before, after)
            new.writestr(name, data)
    return out.getvalue()


_ODS_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def ods(*rows: Sequence[object]) -> bytes:
    """A LibreOffice spreadsheet; numbers become number cells."""
    cells = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_ODS_NAMESPACES}><office:body>'
        f'<office:spreadsheet><table:table table:name="S">{cells}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return out.getvalue()


def _ods_cell(value: object) -> str:
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"><text:p>x</text:p></table:table-cell>'
    return (
        f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'
        if value
        else "<table:table-cell/>"
    )


def make_book(**options: str) -> tuple[Phonebook, dict[str, CustomOption]]:
    """A phonebook in Iran with options: title -> kind."""
    account = make_account(default_region="IR")
    made = {title: make_option(account, title, kind) for title, kind in options.items()}
    return make_phonebook(account, options=tuple(made.values())), made


def upload(
    book: Phonebook | None,
    content: bytes | str,
    *,
    name: str = "people.csv",
    region: str = "IR",
    mapping: Mapping[str, str] | None = None,
    fixed: Mapping[str, str] | None = None,
    rules: Rules | None = None,
    encoding: str = "utf-8",
    user: Any = None,
) -> ImportJob:
    """Without a book, for the suppression list; `region` is for that alone."""
    file = ContentFile(as_bytes(content, encoding), name=name)
    job = jobs.create_job(phonebook=book, upload=file, user=user, region="" if book else region)
    if mapping is not None:
        jobs.set_columns(job, mapping=mapping, fixed=fixed, rules=rules)
    return job


def checked(book: Phonebook | None, content: bytes | str, **more: Any) -> ImportJob:
    """An import after its dry run."""
    job = upload(book, content, **more)
    check(job)
    return job


def check(job: ImportJob) -> None:
    jobs.begin_check(job, user=None)
    run_check(job.pk)
    job.refresh_from_db()


def apply(job: ImportJob) -> None:
    jobs.begin_apply(job, user=None)
    run_apply(job.pk)
    job.refresh_from_db()


def imported(book: Phonebook | None, content: bytes | str, **more: Any) -> ImportJob:
    """An import that has gone all the way."""
    job = checked(book, content, **more)
    assert job.state == ImportJob.State.CHECKED, job.error_text
    apply(job)
    assert job.state == ImportJob.State.APPLIED, job.error_text
    return job


def table(book: Phonebook) -> dict[str, tuple[Any, ...]]:
    """Everything an import may set, by phone."""
    names = (
        "prefix", "first_name", "last_name", "company", "email", "tags", "assigned_user", "options", "deleted_at",
        "sync_state", "payload_hash",
    )  # fmt: skip
    return {phone: tuple(row) for phone, *row in Contact.objects.filter(phonebook=book).values_list("phone", *names)}


def outcomes(counts: Mapping[str, int]) -> dict[str, int]:
    """The parts of the equation that are not zero."""
    names = ("created", "updated", "unchanged", "skipped", "duplicate", "rejected")
    return {name: counts[name] for name in names if counts[name]}


def codes(job: ImportJob) -> list[tuple[int, str, str]]:
    """(line, severity, code) of every issue, in the order of the file."""
    return list(job.issues.order_by("row", "pk").values_list("line", "severity", "code"))
