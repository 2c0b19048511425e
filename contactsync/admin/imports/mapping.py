"""The second step of an import: what each column of the file is."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from contactsync import work
from contactsync.admin import stages
from contactsync.admin.common import link, person, say
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.forms.imports import ColumnsForm, ListColumnsForm
from contactsync.admin.forms.reading import ReadingForm
from contactsync.admin.forms.rules import RulesForm
from contactsync.admin.imports import columns as import_columns
from contactsync.admin.imports.rights import require_with
from contactsync.imports import jobs, keeping
from contactsync.imports.discard import can_be_discarded
from contactsync.imports.sample import Sample, sample_of
from contactsync.models import ImportJob

State = ImportJob.State
#: where the columns may still be changed
OPEN = frozenset({State.UPLOADED, State.CHECKED, State.STOPPED, State.FAILED})


class MappingMixin(FlowAdmin):
    """Choosing the columns and starting the check, for everybody who may add imports."""

    def columns_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What each column is: guessed already, changeable until the import begins."""
        job = self.row(request, object_id)
        require_with(request, "add", job)
        if job.state not in OPEN or job.counts:
            return self.back(job)
        if "_reread" in request.POST:
            return self._read_again(request, job)
        return self._save_columns(request, job) if request.method == "POST" else self.show_columns(request, job)

    def _columns_form(
        self, request: HttpRequest, job: ImportJob, data: Any = None
    ) -> tuple[ColumnsForm | ListColumnsForm, Sample]:
        sample = sample_of(job)
        initial = {f"column_{index}": field for index, field in job.mapping.items()}
        initial |= {name: getattr(sample.form, name) for name in ReadingForm.base_fields}
        initial |= {name: getattr(job, name) for name in (*RulesForm.base_fields, "region")}
        offer = import_columns.offer(request, job, sample.columns)
        is_text = bool(sample.form.encoding)
        columns_form = ListColumnsForm if job.is_suppression else ColumnsForm
        form = columns_form(
            data,
            initial=initial,
            offer=offer,
            is_text=is_text,
            sheets=sample.sheets,
            has_hidden_rows=bool(sample.hidden.get("rows")),
        )
        return form, sample

    def show_columns(
        self, request: HttpRequest, job: ImportJob, form: ColumnsForm | ListColumnsForm | None = None
    ) -> HttpResponse:
        """The columns with what is chosen for them: in `form`, or else kept with the import."""
        form, sample = (form, sample_of(job)) if form else self._columns_form(request, job)
        return self.page(
            request,
            "columns",
            job,
            form=form,
            sample=sample,
            first_rows=import_columns.first_rows(sample),
            steps=stages.of_import(job, current="columns"),
            same_file=keeping.same_file(job).first(),
            can_discard=can_be_discarded(job),
            **import_columns.context(request, job, form),
        )

    def _save_columns(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        if "_use" in request.POST:
            with in_plain_words(request, job):
                import_columns.use(request, job)
            return HttpResponseRedirect(link(job, "columns"))
        form, _sample = self._columns_form(request, job, request.POST)
        if not form.is_valid():
            return self.show_columns(request, job, form)
        with in_plain_words(request, job):
            try:
                import_columns.confirm(request, job, form, log=lambda option: self.log_addition(request, option, []))
                work.check_import(job, user=person(request))
            except (jobs.MappingError, jobs.UnreadableFile) as error:
                if error.message == jobs.OTHER_COLUMNS:  # the form is about those there were
                    say(request, error.describe(), level=messages.WARNING)
                    return HttpResponseRedirect(link(job, "columns"))
                column, fixed = getattr(error, "column", ""), getattr(error, "fixed", "")
                form.show_refusal(error.describe(), column=column, fixed=fixed)
                return self.show_columns(request, job, form)
        return self.back(job)

    def _read_again(self, request: HttpRequest, job: ImportJob) -> HttpResponse:
        """Read the sample again in the form the person chose, and guess the columns anew."""
        form, _sample = self._columns_form(request, job, request.POST)
        if form.errors.keys() & ReadingForm.base_fields.keys():
            return self.show_columns(request, job, form)
        with in_plain_words(request, job):
            try:
                jobs.read_again(job, **form.dialect())
            except jobs.UnreadableFile as error:
                form.add_error(None, error.describe())
                return self.show_columns(request, job, form)
        return HttpResponseRedirect(link(job, "columns"))
