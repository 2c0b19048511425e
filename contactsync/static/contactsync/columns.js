/* Choosing columns: what a person chose is no guess any more, and says so at once, as does the sentence above; a file read in
   another way is shown at once. */
"use strict";
{
  const say = (list) => {
    const lines = [...list.querySelectorAll(".cs-column")];
    const leftOut = lines.filter((line) => line.classList.contains("is-left-out"));
    const sentence = document.querySelector("[data-choice]");
    sentence.querySelector("[data-used]").textContent = lines.length - leftOut.length;
    const others = sentence.querySelector("[data-left-out]");
    others.hidden = !leftOut.length;
    const titles = leftOut.map((line) => `\u2068${line.querySelector("strong").textContent}\u2069`);
    others.querySelector("[data-titles]").textContent = titles.join(list.dataset.comma);
  };
  document.querySelectorAll(".cs-columns").forEach((list) => {
    list.addEventListener("change", (event) => {
      if (!event.target.name || !event.target.name.startsWith("column_")) return;
      const line = event.target.closest(".cs-column");
      const why = line.querySelector(".cs-column__why");
      const leftOut = event.target.value === "";
      line.classList.toggle("is-left-out", leftOut);
      why.classList.remove("is-guess");
      why.textContent = leftOut ? list.dataset.leftOut : list.dataset.chosen;
      say(list);
    });
  });

  const reading = document.querySelector("[data-reading]");
  if (reading) {
    const here = "reading again";
    reading.addEventListener("change", (event) => {
      sessionStorage.setItem(here, event.target.id); // where the person goes on, once the page has come again
      event.target.form.requestSubmit(reading.querySelector("[name=_reread]"));
    });
    document.getElementById(sessionStorage.getItem(here))?.focus();
    sessionStorage.removeItem(here);
  }
}
