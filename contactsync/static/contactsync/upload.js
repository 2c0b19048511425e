/* Sending a file: how much of it has left, on a slow line. Without this script the form goes its usual way. */
"use strict";
{
  const SAY_EVERY = 10000;
  const MEGABYTE = 1024 * 1024;
  const inMegabytes = (bytes) => (bytes / MEGABYTE).toFixed(1);

  const send = (form) => {
    const box = form.querySelector("[data-upload-progress]");
    const bar = box.querySelector("progress");
    const line = box.querySelector("[data-upload-line]");
    const voice = box.querySelector("[data-upload-said]");
    const cancel = box.querySelector("[data-upload-cancel]");
    const button = form.querySelector("button[type=submit]");
    const request = new XMLHttpRequest();
    let said = 0;

    const tell = (text, { now = false } = {}) => {
      line.textContent = text;
      if (!now && Date.now() - said < SAY_EVERY) return;
      voice.textContent = text;
      said = Date.now();
    };
    const rest = () => {
      delete form.dataset.sent;
      delete form.dataset.sending;
      button.disabled = false;
      bar.hidden = true;
      cancel.hidden = true;
    };
    const fail = (text) => {
      rest();
      box.hidden = false;
      tell(text, { now: true });
      button.focus();
    };
    const showPage = (text) => {
      const page = new DOMParser().parseFromString(text, "text/html");
      const content = page.getElementById("content");
      if (!content || !content.querySelector("form[data-upload]")) {
        fail(box.dataset.refused);
        return;
      }
      document.getElementById("content").replaceWith(content);
      const wrong = content.querySelector("[aria-invalid=true], .errorlist ~ input, .errorlist ~ select");
      if (wrong) wrong.focus();
    };

    const file = form.querySelector("input[type=file]").files[0];
    if (file && file.size > Number(box.dataset.most)) {
      fail(box.dataset.large);
      return;
    }

    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.max = event.total;
      bar.value = event.loaded;
      const percent = `${Math.floor((100 * event.loaded) / event.total)}%`;
      const sizes = { percent, done: inMegabytes(event.loaded), total: inMegabytes(event.total) };
      tell(box.dataset.sending.replace(/\{(\w+)\}/g, (_, name) => sizes[name]));
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      cancel.hidden = true;
      tell(box.dataset.reading, { now: true });
    });
    request.addEventListener("load", () => {
      if (request.getResponseHeader("Content-Type") === "application/json" && request.status === 200) {
        window.location.assign(JSON.parse(request.responseText).url);
      } else if (request.status >= 400) {
        fail(request.status === 413 ? box.dataset.large : box.dataset.refused);
      } else if (new URL(request.responseURL).pathname !== new URL(form.action).pathname) {
        window.location.assign(request.responseURL); // the login, when the session has ended
      } else {
        showPage(request.responseText);
      }
    });
    request.addEventListener("error", () => { fail(box.dataset.lost); });
    request.addEventListener("abort", () => { fail(box.dataset.cancelled); });
    cancel.onclick = () => { request.abort(); };

    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json, text/html;q=0.5");
    request.send(new FormData(form));
    form.dataset.sending = "yes";
    button.disabled = true;
    box.hidden = false;
    bar.hidden = false;
    cancel.hidden = false;
    tell("", { now: true });
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-upload]")) return;
    event.preventDefault();
    if (!form.dataset.sending) send(form);
  });

  // Who goes back finds the page as it was left, also in the middle of sending.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-upload]").forEach((form) => {
      delete form.dataset.sending;
      form.querySelector("button[type=submit]").disabled = false;
      form.querySelector("[data-upload-progress]").hidden = true;
    });
  });
}
