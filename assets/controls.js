// The controls of a view come anew with each answer (callbacks/view.py). Whoever uses them does not
// notice: what was open is open, the focus is where it was, and so is what is being written. It
// comes with the first focus of a control or a tab (workbench.js).
(function () {
  "use strict";

  const place = document.getElementById("view-controls");
  let open = Boolean(place.querySelector(".axes[open]"));
  let focused = named(document.activeElement);
  let written = null; // and not sent yet

  // A selector of the control in which an element is; empty of what is elsewhere.
  function named(element) {
    const control = place.contains(element) && element.closest("[data-option], [data-view]");
    if (!control) return place.contains(element) && element.closest(".axes-summary") ? ".axes-summary" : "";
    const marks = ["option", "of", "value", "view"].filter((name) => name in control.dataset);
    const selector = marks.map((name) => `[data-${name}="${window.CSS.escape(control.dataset[name])}"]`).join("");
    return control.matches("label") ? `${selector}:is(label) :is(input, select)` : selector;
  }

  function write(input, text) {
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value").set.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true })); // for React, which keeps its own
  }

  function restore() {
    const axes = place.querySelector(".axes");
    if (!axes) open = false;
    else if (axes.open !== open) axes.open = open;
    const control = focused && document.activeElement === document.body && place.querySelector(focused);
    if (!control) return;
    if (written !== null) write(control, written);
    control.focus({ preventScroll: true });
  }

  // The text that is not sent yet goes as its user's change would.
  function send() {
    const input = written !== null && focused && place.querySelector(focused);
    if (input) input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  place.addEventListener("toggle", (event) => (open = event.target.open), true);
  place.addEventListener("input", (event) => (written = event.target.value));
  place.addEventListener("change", () => (written = null));
  // What was put back is not what its user has changed since, for the browser.
  place.addEventListener("focusout", function ({ relatedTarget, target }) {
    if (written !== null && relatedTarget) target.dispatchEvent(new Event("change", { bubbles: true }));
  });
  place.addEventListener("keydown", function ({ key, target }) {
    if (key === "Enter") send();
    const axes = key === "Escape" && target.closest(".axes[open]");
    if (!axes) return;
    axes.open = false;
    axes.firstElementChild.focus();
  });
  // Arrows go from one tab to the next.
  document.getElementById("views").addEventListener("keydown", function ({ key, target }) {
    const tabs = [...target.parentElement.children];
    const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (by) tabs[(tabs.indexOf(target) + by + tabs.length) % tabs.length].focus();
  });
  document.addEventListener("focusin", function ({ target }) {
    if (named(target) !== focused) written = null;
    focused = named(target);
  });
  document.addEventListener("pointerdown", function ({ target }) {
    const axes = place.querySelector(".axes[open]");
    if (axes && !axes.contains(target)) axes.open = false;
    if (place.contains(target)) return;
    send();
    focused = "";
    written = null;
  });
  new MutationObserver(restore).observe(place, { childList: true, subtree: true });
})();
