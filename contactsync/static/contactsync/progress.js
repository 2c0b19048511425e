/* Bars that move: asks the server how far the work has come, and loads the page anew when its state changes. */
"use strict";
{
  const EVERY = 1000;
  const SLOWEST = 15000;
  const SAY_EVERY = 15000;

  const show = (box, answer) => {
    const bar = box.querySelector("progress");
    if (answer.total === null) {
      bar.removeAttribute("value");
    } else {
      bar.max = Math.max(1, answer.total);
      bar.value = answer.done;
    }
    const line = box.querySelector("[data-progress-line]");
    if (line) line.textContent = answer.line;
    const label = box.querySelector("[data-progress-label]");
    if (label) label.textContent = answer.label;
    const place = box.closest("[data-progress-scope]") || box;
    for (const [name, count] of Object.entries(answer.counts)) {
      const called = CSS.escape(name);
      place.querySelectorAll(`[data-count="${called}"], [data-part="${called}"] > b`).forEach((element) => {
        element.textContent = count;
      });
    }
    if (!answer.lists) return;
    document.querySelectorAll("[data-list]").forEach((list) => {
      const name = CSS.escape(list.dataset.list);
      list.textContent = answer.lists[list.dataset.list] ?? "0"; // a list that is empty may be left out
      const isEmpty = list.textContent === "0";
      document.querySelectorAll(`[data-list-files="${name}"]`).forEach((files) => { files.hidden = isEmpty; });
      document.querySelectorAll(`[data-list-none="${name}"]`).forEach((dash) => { dash.hidden = !isEmpty; });
    });
  };

  const watch = (box) => {
    let pause = EVERY;
    let said = 0;
    const lost = box.querySelector("[data-progress-lost]");
    const again = () => window.setTimeout(ask, document.hidden ? SLOWEST : pause);
    const ask = async () => {
      try {
        const response = await fetch(box.dataset.progressUrl, {
          headers: { Accept: "application/json" },
          credentials: "same-origin",
          redirect: "error",
        });
        if (!response.ok) throw new Error(String(response.status));
        const answer = await response.json();
        // What it waits for is said by the page itself.
        const rests = "rests" in box.dataset && String(answer.rests) !== box.dataset.rests;
        if (answer.state !== box.dataset.state || rests) {
          window.location.reload();
          return;
        }
        show(box, answer);
        if (lost) lost.hidden = true;
        // While nothing moves, ask less often.
        pause = answer.line === box.dataset.line ? Math.min(pause * 1.5, 5000) : EVERY;
        box.dataset.line = answer.line;
        const voice = box.querySelector("[data-progress-said]");
        if (voice && Date.now() - said > SAY_EVERY) {
          voice.textContent = answer.line;
          said = Date.now();
        }
        if (answer.running) again();
      } catch {
        if (lost) lost.hidden = false;
        pause = Math.min(pause * 2, SLOWEST);
        again();
      }
    };
    window.setTimeout(ask, EVERY);
  };

  document.querySelectorAll("[data-progress-url]").forEach(watch);
}
