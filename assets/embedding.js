// The dialog "Embed this chart": the preview follows the fields, for as long as the dialog is open.
(function () {
  "use strict";

  const EMPTY = "about:blank"; // a closed dialog asks for nothing

  function preview(open, shown, range, last, label, theme, language, switches, job) {
    const stage = `embed-stage embed-stage-${theme}`;
    if (!open || !job || !shown) return [EMPTY, stage];
    const { start, end, view, options } = shown;
    const what = { job, range, start, end, last, view, options: JSON.stringify(options) };
    const query = new URLSearchParams({ ...what, theme, language, label: label || "" });
    for (const name of switches || []) query.set(name, "1");
    return [`${document.documentElement.dataset.prefix || "/"}embed/preview?${query}`, stage];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    embedding: { preview, isFixed: (range) => range !== "rolling" },
  });
})();
