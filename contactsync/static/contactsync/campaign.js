/* Writing a campaign: SMS parts while you type, placeholders by click, senders of the account, contacts of the phonebook. */
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const tools = document.getElementById("cs-writing");
  const message = document.getElementById("id_message");
  const account = document.getElementById("id_account");

  const later = (action, pause) => {
    let timer = 0;
    return () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(action, pause);
    };
  };
  const read = async (url, options = {}) => {
    const response = await fetch(url, { credentials: "same-origin", ...options });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  };

  /* SMS parts: counted by the server, so that there is one truth */
  const count = async () => {
    const body = new URLSearchParams({ text: message.value, account: account ? account.value : "" });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await read(tools.dataset.partsUrl, { method: "POST", body, headers: { "X-CSRFToken": token } });
      tools.querySelector("[data-parts-line]").textContent = answer.line;
      tools.querySelector("[data-parts-hint]").textContent = answer.hint;
    } catch {
      tools.querySelector("[data-parts-line]").textContent = "";
    }
  };

  // Before anybody has put the cursor into the text, a placeholder goes to its end.
  let placed = false;
  if (message) message.addEventListener("focus", () => { placed = true; });
  const insert = (name) => {
    const text = `{${name}}`;
    if (!placed) message.setSelectionRange(message.value.length, message.value.length);
    message.setRangeText(text, message.selectionStart, message.selectionEnd, "end");
    message.focus();
    message.dispatchEvent(new Event("input"));
  };

  /* Templates: read anew by the server; what is chosen and written stays */
  const template = document.getElementById("id_template");
  const refresh = document.getElementById("cs-templates");
  const optionOf = ([value, label]) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = label;
    return option;
  };
  const groupOf = ([name, rows]) => {
    const group = document.createElement("optgroup");
    group.label = name;
    group.append(...rows.map(optionOf));
    return group;
  };
  const showTemplates = (choices) => {
    const chosen = template.selectedOptions[0];
    template.replaceChildren(...choices.map((each) => (Array.isArray(each[1]) ? groupOf(each) : optionOf(each))));
    const same = chosen && [...template.options].find((option) => option.value === chosen.value);
    if (!same && chosen) template.append(chosen);
    if (chosen) template.value = chosen.value;
  };
  const refreshTemplates = async () => {
    const button = refresh.querySelector("button");
    const text = refresh.querySelector("[data-templates-text]");
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    button.disabled = true;
    text.textContent = "…";
    try {
      const url = refresh.dataset.url.replace("/0/", `/${account.value}/`);
      const answer = await read(url, { method: "POST", headers: { "X-CSRFToken": token } });
      if (answer.ok) showTemplates(answer.choices);
      text.textContent = answer.text;
    } catch {
      text.textContent = refresh.dataset.failed;
    }
    button.disabled = false;
  };
  if (template && refresh && account) {
    (template.closest(".flex-container") || template).insertAdjacentElement("afterend", refresh);
    refresh.querySelector("button").addEventListener("click", refreshTemplates);
  }

  /* Targets: only the fields that belong to the choice and that the provider can do */
  let sliceNote = "";
  const arrange = (group) => {
    const type = group.querySelector("select[name$='-type']");
    if (!type) return;
    const chosen = type.value === "detail";
    group.querySelectorAll(".form-row.field-start").forEach((row) => {
      const entered = [...row.querySelectorAll("input")].some((input) => input.value);
      row.hidden = chosen || (sliceNote !== "" && !entered);
    });
    group.querySelectorAll(".form-row.field-contacts").forEach((row) => {
      row.hidden = !chosen;
    });
    let note = group.querySelector("[data-slice-note]");
    if (!note) {
      note = document.createElement("div");
      note.className = "help";
      note.dataset.sliceNote = "";
      type.closest(".form-row").append(note);
    }
    note.textContent = chosen ? "" : sliceNote;
  };

  /* What belongs to the account */
  const showAccount = async () => {
    const senders = document.getElementById("cs-senders");
    const names = tools.querySelector("[data-names]");
    senders.replaceChildren();
    names.replaceChildren();
    if (refresh) refresh.hidden = true;
    if (!account.value) return;
    let facts;
    try {
      facts = await read(tools.dataset.accountUrl.replace("/0/", `/${account.value}/`));
    } catch {
      return;
    }
    sliceNote = facts.slice_note;
    document.querySelectorAll(".inline-related").forEach(arrange);
    if (refresh) {
      refresh.hidden = !template || !facts.has_templates;
      refresh.querySelector("[data-templates-text]").textContent = "";
    }
    for (const value of facts.senders) {
      const option = document.createElement("option");
      option.value = value;
      senders.append(option);
    }
    const sender = document.getElementById("id_sender");
    if (sender) sender.placeholder = facts.default_sender;
    for (const name of facts.placeholders) {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.className = "cs-chip";
      chip.textContent = `{${name}}`;
      chip.addEventListener("click", () => insert(name));
      names.append(chip);
    }
    const note = document.getElementById("id_message_helptext") || tools.querySelector("[data-message-note]");
    note.textContent = facts.message_note;
    document.querySelector("[data-moment-note]").textContent = facts.schedule_note;
    document.getElementById("cs-moment").hidden = false;
  };

  /* The chosen time in both calendars */
  const day = document.getElementById("id_scheduled_for_0");
  const clock = document.getElementById("id_scheduled_for_1");
  const showMoment = async () => {
    const place = document.getElementById("cs-moment");
    const query = new URLSearchParams({ date: day.value, time: clock.value });
    let text = "";
    if (day.value) {
      try {
        text = (await read(`${tools.dataset.momentUrl}?${query}`)).text;
      } catch {
        text = "";
      }
    }
    place.querySelector("[data-moment-text]").textContent = text;
    place.hidden = false;
  };

  if (tools && message && account) {
    message.insertAdjacentElement("afterend", tools);
    tools.hidden = false;
    message.addEventListener("input", later(count, 250));
    account.addEventListener("change", showAccount);
    account.addEventListener("change", count);
    count();
    showAccount();
  }
  if (tools && day && clock) {
    const place = document.getElementById("cs-moment");
    day.closest(".form-row").append(place);
    let shown = "";
    // The calendar of the admin sets the fields without an event, so they are looked at.
    window.setInterval(() => {
      const now = `${day.value} ${clock.value}`;
      if (now === shown) return;
      shown = now;
      showMoment();
    }, 700);
  }

  /* Targets: contacts of the phonebook chosen beside them */
  const pick = (group) => {
    const $ = window.django && window.django.jQuery;
    if (!$ || !$.fn.select2) return;
    group.querySelectorAll("select.cs-contact-picker").forEach((select) => {
      if (select.name.includes("__prefix__") || select.dataset.ready) return;
      select.dataset.ready = "yes";
      $(select).select2({
        ajax: {
          data: (params) => ({
            term: params.term,
            page: params.page,
            phonebook: (group.querySelector("select[name$='-phonebook']") || {}).value || "",
          }),
        },
      });
      const words = select.nextElementSibling.querySelector(".select2-search__field");
      if (words && select.labels.length) words.setAttribute("aria-label", select.labels[0].textContent.trim());
    });
  };
  const prepare = (group) => {
    arrange(group);
    pick(group);
    const type = group.querySelector("select[name$='-type']");
    if (type) type.addEventListener("change", () => { arrange(group); });
  };
  document.querySelectorAll(".inline-related:not(.empty-form)").forEach(prepare);
  document.addEventListener("formset:added", (event) => { prepare(event.target); });
});
