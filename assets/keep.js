// Another language is another page: what stands in the form comes along.
(function () {
  "use strict";

  const KEPT = "riwayat.kept"; // in the tab's sessionStorage, for the moment between two pages
  const POLL_MS = 50;
  const PATIENCE_MS = 20000;
  // In the order in which they are set again: a station asks for the range of the preset, unless
  // there is another range.
  const FIELDS = [
    ["range-of-preset", "data"],
    ["range-start", "value"],
    ["range-end", "value"],
    ["range-preset", "value"],
    ["resolution", "value"],
    ["zone", "value"],
    ["flagged", "value"],
    ["sensor", "value"],
    ["station", "value"],
  ];

  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const job = () => new URLSearchParams(window.location.search).get("job");

  function property(id, name) {
    const found = window.dash_component_api.getLayout(id);
    return found && found.props ? found.props[name] : undefined;
  }

  // A field that is being written in has not told Dash yet.
  function valueOf(id, name) {
    const field = document.getElementById(id);
    return field && field.tagName === "INPUT" && field.type === "text" ? field.value : property(id, name);
  }

  function keep() {
    const values = FIELDS.map(([id, name]) => valueOf(id, name));
    window.sessionStorage.setItem(KEPT, JSON.stringify({ values, job: job() }));
    if (!job()) window.history.replaceState(window.history.state, "", window.location.pathname); // else it would fill the form
  }

  // Call `what` once `ready` is true; not at all after a while.
  function when(ready, what) {
    const end = Date.now() + PATIENCE_MS;
    const timer = window.setInterval(function () {
      const found = ready();
      if (!found && Date.now() < end) return;
      window.clearInterval(timer);
      if (found) what();
    }, POLL_MS);
  }

  function restore() {
    const text = window.sessionStorage.getItem(KEPT);
    if (!text) return;
    window.sessionStorage.removeItem(KEPT);
    const kept = JSON.parse(text);
    if (kept.job !== job()) return;
    const estimate = () => document.getElementById("estimate");
    const filled = () => estimate() && estimate().textContent && (!kept.job || property("job-id", "data") === kept.job);
    when(filled, function () {
      FIELDS.forEach(([id, name], at) => kept.values[at] !== undefined && setProps(id, { [name]: kept.values[at] }));
    });
  }

  window.riwayatKeep = keep;
  restore();
})();
