// The dialog "Embed this chart": the preview follows the fields, for as long as the dialog is open.
(function () {
  "use strict";

  const EMPTY = "about:blank"; // a closed dialog asks for nothing

  function preview(open, span, range, last, label, theme, language, switches, job) {
    const stage = `embed-stage embed-stage-${theme}`;
    if (!open || !job || !span) return [EMPTY, stage];
    const query = new URLSearchParams({ job, range, start: span[0], end: span[1], last, theme, language, label: label || "" });
    for (const name of switches || []) query.set(name, "1");
    return [`${document.documentElement.dataset.prefix || "/"}embed/preview?${query}`, stage];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { embedding: { preview } });
})();
