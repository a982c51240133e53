// Written into each document (layouts/document.py) and run before anything is painted, so that a
// dark page never flashes white.
(function () {
  "use strict";

  const root = document.documentElement;
  const found = document.cookie.match(/(?:^|; )riwayat_theme=(light|dark|auto)/);
  const choice = found ? found[1] : "auto";
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const shade = choice === "auto" ? (dark ? "dark" : "light") : choice;
  root.setAttribute("data-bs-theme", shade);
  root.setAttribute("data-theme-choice", choice);
  root.toggleAttribute("data-linked", /[?&](job|saved)=/.test(location.search)); // no list of stations for now (page.js)
  const secure = /^https/.test(location.protocol) ? "; Secure" : ""; // the document names no scheme of elsewhere
  document.cookie = `riwayat_shade=${shade}; path=${root.dataset.prefix}; SameSite=Lax; max-age=31536000${secure}`;
})();
