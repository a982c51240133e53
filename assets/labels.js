// Dash's dropdowns name themselves after what is chosen ("JFK"), and so drop the label that stands
// over them: who does not see it hears no "Stations". Here each is named after both, and is itself a
// stop of the keyboard's way, not the hidden field that Dash puts before it: nobody could tell what
// that is.
(function () {
  "use strict";

  function name() {
    for (const dropdown of document.querySelectorAll("button.dash-dropdown[aria-labelledby]")) {
      const label = dropdown.id && document.querySelector(`label[for="${CSS.escape(dropdown.id)}"]`);
      if (!label) continue;
      label.id = label.id || `${dropdown.id}-label`;
      const named = dropdown.getAttribute("aria-labelledby");
      if (!named.split(" ").includes(label.id)) dropdown.setAttribute("aria-labelledby", `${label.id} ${named}`);
    }
    for (const hidden of document.querySelectorAll(".dash-dropdown-focus-target")) {
      hidden.disabled = true;
      hidden.nextElementSibling.tabIndex = 0;
    }
    // The option that Dash measures the width of a long list by is not there for the keyboard.
    for (const sizer of document.querySelectorAll(".dash-options-list > [aria-hidden]")) sizer.inert = true;
    // Boxes to check are no list of options, as Dash says, but what they are.
    for (const box of document.querySelectorAll(".dash-checklist[role], .dash-checklist [role=option], .dash-checklist [aria-selected]")) {
      box.removeAttribute("role");
      box.removeAttribute("aria-selected");
    }
  }

  let frame = 0;
  new MutationObserver(function () {
    window.cancelAnimationFrame(frame);
    frame = window.requestAnimationFrame(name);
  }).observe(document.documentElement, { attributeFilter: ["aria-selected"], childList: true, subtree: true });
})();
