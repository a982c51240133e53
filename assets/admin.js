// The administrators' page: its tabs, buttons that ask once more, and details that close.
(function () {
  "use strict";

  const page = () => document.querySelector(".admin-main");
  const tabs = () => [...document.querySelectorAll(".admin-tabs [role=tab]")];

  function show(tab, focus) {
    for (const each of tabs()) {
      const chosen = each === tab;
      each.setAttribute("aria-selected", String(chosen));
      each.tabIndex = chosen ? 0 : -1;
      document.getElementById(`admin-${each.dataset.tab}-panel`).classList.toggle("admin-hidden", !chosen);
    }
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focus) tab.focus();
    window.history.replaceState(window.history.state, "", `#${tab.dataset.tab}`);
  }

  function byAddress() {
    const tab = tabs().find((each) => `#${each.dataset.tab}` === window.location.hash);
    if (tab && tab.getAttribute("aria-selected") !== "true") show(tab, false);
  }

  // What cannot be taken back asks once more: the first press changes the words, the second does
  // it.
  function disarm(button) {
    button.textContent = button.dataset.words;
    button.classList.remove("armed");
  }

  document.addEventListener("click", (event) => {
    if (!page() || !event.target.closest) return;
    const tab = event.target.closest(".admin-tabs [role=tab]");
    if (tab) show(tab, false);
    const close = event.target.closest("[data-close]");
    if (close) window.dash_clientside.set_props(`admin-${close.dataset.close}-grid`, { selectedRows: [] });
    const button = event.target.closest("[data-confirm]");
    if (!button || button.classList.contains("armed")) return;
    event.stopPropagation();
    event.preventDefault();
    button.dataset.words = button.textContent;
    button.textContent = button.dataset.confirm;
    button.classList.add("armed");
  }, true);

  document.addEventListener("focusout", (event) => {
    if (event.target.classList && event.target.classList.contains("armed")) disarm(event.target);
  });

  document.addEventListener("keydown", (event) => {
    if (!page() || !event.target.closest) return;
    const armed = event.target.closest(".armed");
    if (event.key === "Escape" && armed) { disarm(armed); return; }
    if (event.key === "Escape") document.querySelectorAll(".admin-panel:not(.admin-hidden) [data-close]").forEach((close) => close.click());
    if (event.key === "Enter" && event.target.matches(".admin-form input[type=text]")) {
      const send = event.target.closest(".admin-form").querySelector(".btn-primary");
      if (send) { event.target.blur(); window.setTimeout(() => send.click()); } // the field's value is told first
      return;
    }
    const tab = event.target.closest(".admin-tabs [role=tab]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    event.preventDefault();
    const all = tabs();
    show(all[(all.indexOf(tab) + step + all.length) % all.length], true);
  }, true);

  // Whom a grant is for: the field of the name offers users or groups, and is closed where everyone
  // is meant.
  const subjectField = (kind) => [kind === "everyone", kind === "group" ? "admin-known-groups" : "admin-known-users"];

  window.dash_clientside = Object.assign({}, window.dash_clientside, { admin: { subjectField } });

  window.addEventListener("hashchange", byAddress);
  new MutationObserver((_changes, observer) => {
    if (!tabs().length) return;
    observer.disconnect();
    byAddress();
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
