// The sheets of a small screen: the bar at its foot opens the form (at its series or its range) and
// what leaves the page. One is open at a time; Escape, a press beside it, Load and a note close it, and the
// focus goes back to the button that opened it.
(function () {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const { body } = document;
  let opener = null;

  const sheetOf = (button) => byId(button.getAttribute("aria-controls"));

  function close() {
    if (!opener) return;
    const inside = sheetOf(opener).contains(document.activeElement);
    opener.setAttribute("aria-expanded", "false");
    if (inside) opener.focus();
    opener = null;
    delete body.dataset.sheet;
    byId("main").inert = false;
  }

  function open(button) {
    opener = button;
    const name = button.dataset.sheet;
    body.dataset.sheet = name;
    button.setAttribute("aria-expanded", "true");
    byId("main").inert = name !== "export"; // the keyboard stays in the form
    const sheet = sheetOf(button);
    sheet.scrollTop = 0;
    const first = sheet.querySelector("button, a[href]"); // not a field, for which a telephone shows its keys
    if (first) first.focus({ preventScroll: true });
  }

  // The button of a sheet that is open closes it.
  function press(button) {
    const again = opener === button;
    close();
    if (!again) open(button);
  }

  document.addEventListener("click", function ({ target }) {
    if (!opener || !target.closest) return;
    const beside = body.dataset.sheet === "export" && !target.closest("[data-sheet]");
    if (beside || target.closest(".sheet-backdrop, .sheet-close, .note-go, #load")) close();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  window.matchMedia("(max-width: 820px)").addEventListener("change", close); // as riwayat.css has it

  window.riwayatSheets = { press };
})();
