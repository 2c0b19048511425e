/* The menu button of narrow screens, menus that close by themselves, buttons that copy, and forms that ask only once. */
"use strict";
{
  const button = document.querySelector(".cs-nav-button");
  const nav = document.getElementById("cs-nav");
  if (button && nav) {
    button.addEventListener("click", () => {
      const open = nav.classList.toggle("is-open");
      button.setAttribute("aria-expanded", String(open));
    });
  }

  const menus = [...document.querySelectorAll("details.cs-menu")];
  document.addEventListener("click", (event) => {
    menus.forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus.forEach((menu) => {
      if (menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  });

  // Where there is no room beside the list the filters stand before it, closed, each with what is chosen in it.
  const filters = document.querySelectorAll("#changelist-filter details");
  if (window.matchMedia("(max-width: 100rem)").matches) {
    filters.forEach((filter) => {
      filter.open = false;
      const chosen = filter.querySelector("li.selected:not(:first-child) a");
      if (!chosen) return;
      const name = document.createElement("bdi");
      name.className = "cs-filter-chosen";
      name.textContent = chosen.textContent.trim();
      const summary = filter.querySelector("summary");
      summary.replaceChildren(`${summary.textContent.trim()}: `, name);
    });
    if (window.matchMedia("(min-width: 48.01rem)").matches) menus.push(...filters);
  }

  // What scrolls can be reached with the keyboard.
  document.querySelectorAll(".cs-table-wrap:not([tabindex]), #changelist .results").forEach((wrap) => {
    if (wrap.scrollWidth > wrap.clientWidth && !wrap.querySelector("a, button, input, select")) wrap.tabIndex = 0;
  });

  // A button that copies what stands in a field; without the right to do so the field can still be selected.
  document.querySelectorAll("button[data-copy]").forEach((copy) => {
    const field = document.getElementById(copy.dataset.copy);
    const said = copy.parentElement.querySelector("[data-copy-said]");
    const say = (words) => {
      said.textContent = words;
    };
    // Without https, or against the person's will, a browser gives no clipboard: then the text is selected for the keyboard.
    const byHand = () => {
      field.focus();
      field.select();
      say(document.execCommand("copy") ? copy.dataset.copied : copy.dataset.selected);
    };
    copy.hidden = false;
    copy.addEventListener("click", () => {
      if (navigator.clipboard) navigator.clipboard.writeText(field.value).then(() => say(copy.dataset.copied), byHand);
      else byHand();
    });
  });

  // A second click on a form that asks for work is not a second request. The server refuses it too.
  document.querySelectorAll("form[data-once]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent);
  });
}
