/* Choosing columns: what a person chose is no guess any more, and says so at once. */
"use strict";
{
  document.querySelectorAll(".cs-columns").forEach((list) => {
    list.addEventListener("change", (event) => {
      if (!event.target.name || !event.target.name.startsWith("column_")) return;
      const line = event.target.closest(".cs-column");
      const why = line.querySelector(".cs-column__why");
      const leftOut = event.target.value === "";
      line.classList.toggle("is-left-out", leftOut);
      why.classList.remove("is-guess");
      why.textContent = leftOut ? list.dataset.leftOut : list.dataset.chosen;
    });
  });
}
