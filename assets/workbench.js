// The views of the history page: the row of tabs, the options of the view that is shown, doors to
// a window, and undo. The selection itself is chart.js's; here is who changes it.
(function () {
  "use strict";

  const TREND = "trend";
  const MOST_HIDDEN = 1500; // characters: servers take addresses of 4,000
  const byId = (id) => document.getElementById(id);
  const addresses = JSON.parse(document.documentElement.dataset.later); // of scripts that not every visit needs
  const script = (name) => window.riwayatView.scriptReady(addresses[name]);
  const kept = new Map(); // view -> the options that it had
  let shown = { view: TREND, options: {} };
  let top = 0; // the latest of this page's entries of the history

  // Several, each of which needs those before it.
  async function scripts(names) {
    for (const name of names) await script(name);
  }

  const depth = () => (window.history.state && window.history.state.riwayatDepth) || 0;

  // Show which view is drawn, or on its way.
  function show(view, options) {
    shown = { view, options };
    kept.set(view, options);
    for (const tab of document.querySelectorAll("#views [data-view]")) {
      const own = tab.dataset.views.split(" ").includes(view);
      if (own) tab.dataset.last = view;
      tab.setAttribute("aria-selected", String(own));
      tab.tabIndex = own ? 0 : -1;
    }
    const block = byId("chart-frame") && byId("chart-frame").closest(".chart");
    if (block) block.dataset.view = view;
  }

  // Which flags count is chosen once for all views.
  function choose(view, { ...options }, span) {
    if (view !== shown.view) options.flags = shown.options.flags;
    if (!options.flags) delete options.flags;
    show(view, options);
    window.riwayatChart.choose(view, options, span);
  }

  // A choice of the view's options; what is so already, or without a choice, is none.
  function option(name, value, usual = "") {
    const { [name]: before, ...options } = shown.options;
    if ((before || usual) === value) return;
    choose(shown.view, value === usual ? options : { ...options, [name]: value });
  }

  // The same of one sensor's part of an option, such as temperature:10..40,rainfall:0..5.
  function chosen({ option: name, of, usual, many }, text) {
    if (many !== undefined) {
      const pressed = new Set((shown.options[name] || usual).split(","));
      if (!pressed.delete(text)) pressed.add(text);
      text = usual.split(",").filter((each) => pressed.has(each)).join() || usual;
    }
    if (!of) return void option(name, text, usual);
    const others = (shown.options[name] || "").split(",").filter((part) => part && part.split(":")[0] !== of);
    const value = text.replaceAll(",", ".");
    if (value) others.push(value === of ? of : `${of}:${value}`);
    option(name, others.join(","));
  }

  // ---- the address ----

  // The view that an address names, with its options: all that means nothing else.
  const NO_OPTION = new Set(
    ["job", "saved", "view", "hidden", "from", "to", "start", "end", "resolution", "zone", "station", "stations", "sensor", "sensors"]
  );
  function read(query) {
    const options = [...query].filter(([name]) => !NO_OPTION.has(name));
    return { view: query.get("view") || TREND, options: Object.fromEntries(options), hidden: query.getAll("hidden") };
  }

  // `hidden` are the series that Trend does not show; as many as an address has room for.
  function write(query, view, options, hidden) {
    for (const name of [...query.keys()]) {
      if (name === "view" || name === "hidden" || !NO_OPTION.has(name)) query.delete(name);
    }
    if (view !== TREND) query.set("view", view);
    else if (encodeURIComponent(hidden.join()).length < MOST_HIDDEN) hidden.forEach((key) => query.append("hidden", key));
    for (const [name, value] of Object.entries(options)) query.set(name, value);
  }

  // What is drawn is another selection: a new entry, which Undo leaves again.
  function push(search) {
    top = depth() + 1;
    window.history.pushState({ riwayatDepth: top }, "", search + window.location.hash);
    window.riwayatReplaceAddress(search);
    steps();
  }

  // No entry follows a new one.
  function steps(isNew) {
    if (isNew) top = depth();
    const [undo, redo] = [byId("undo"), byId("redo")];
    if (undo) undo.disabled = depth() === 0;
    if (redo) redo.disabled = depth() >= top;
  }

  function step(by) {
    if (by < 0 ? depth() > 0 : depth() < top) window.history.go(by);
  }

  // ---- who presses ----

  document.addEventListener("click", function (event) {
    const at = (selector) => event.target.closest && event.target.closest(selector);
    const tab = at("#views [aria-selected=false], .question[aria-pressed=false]");
    if (tab) {
      const view = tab.dataset.last || tab.dataset.view;
      choose(view, kept.get(view) || {});
    }
    const choice = at("[data-option][data-value]");
    if (choice) chosen(choice.dataset, choice.dataset.value);
    const door = at(".door");
    if (door && door.dataset.view) choose(door.dataset.view, JSON.parse(door.dataset.options));
    else if (door) open(Number(door.dataset.from), Number(door.dataset.to));
    if (at("#undo")) step(-1);
    if (at("#redo")) step(1);
    if (at("#schedules-open")) schedules();
  });

  document.addEventListener("change", function (event) {
    const field = event.target.closest && event.target.closest("label[data-option]");
    if (field) chosen(field.dataset, event.target.value.trim());
  });

  document.addEventListener("focusin", function (event) {
    if (event.target.closest("#views, #view-controls")) script("controls.js");
  });

  document.addEventListener("keydown", function (event) {
    if (event.target.closest && event.target.closest("input, textarea, select, [contenteditable]")) return;
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (key === "backspace" || (control && key === "z" && !event.shiftKey)) step(-1);
    else if (control && (key === "y" || (key === "z" && event.shiftKey))) step(1);
    else return;
    event.preventDefault();
  });

  // A number leads to where it comes from: Trend, with that window.
  function open(start, end) {
    if (!(start < end)) return;
    choose(TREND, kept.get(TREND) || {}, { start, end });
    byId("chart-frame").scrollIntoView({ block: "nearest" });
  }

  async function schedules() {
    await scripts(["decisions.js", "schedules.js"]);
    window.riwayatSchedules.open();
  }

  // The search comes when its field is first used.
  document.addEventListener("focusin", (event) => void (event.target.id === "search" && script("search.js")));
  document.addEventListener("keydown", function (event) {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "k" || !byId("search")) return;
    event.preventDefault();
    byId("search").focus();
  });

  window.addEventListener("popstate", () => steps());
  window.riwayatWorkbench = {
    TREND, choose, show, read, write, push, open, steps, script, scripts,
    get shown() {
      return shown;
    },
  };
})();
