// The search in the header. Stations, sensors, views, saved views and recent loads are found in what
// the page has; what a time such as "last July" means is asked of the server (callbacks/search.py).
//
// The field is a combobox: what is chosen in its list is told by aria-activedescendant.
(function () {
  "use strict";

  const MOST = 8; // of a kind
  const PAUSE_MS = 150;
  const KINDS = ["range", "view", "station", "saved", "sensor"];

  const byId = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const props = (id) => (window.dash_component_api.getLayout(id) || {}).props || {};
  const plain = (text) => text.toLowerCase();
  const [field, list] = [byId("search"), byId("search-list")];
  let shown = []; // what the list offers, in its order
  let at = 0;
  let meant = null; // the latest answer of the server
  let timer = null;

  // ---- what there is ----------------------------------------------------------------------------

  const hasChart = () => Boolean(byId("main") && byId("main").dataset.status);

  function stations() {
    const { rows = [] } = props("station-rows").data || {};
    return rows.map(([name, words, , , , last]) => ({ kind: "station", name, words, note: `${list.dataset.draw} · ${last}`, text: plain(words) }));
  }

  function sensors() {
    const known = props("sensor").options || [];
    return known.filter(({ disabled }) => !disabled).map(({ value, search }) => {
      const words = search.slice(0, search.indexOf(` ${value} `));
      return { kind: "sensor", name: value, words, note: list.dataset.add, text: plain(search) };
    });
  }

  function views() {
    if (!hasChart()) return [];
    return [...document.querySelectorAll("#views [data-view]")].map((tab) => ({ kind: "view", tab, words: tab.textContent, note: "" }));
  }

  function saved() {
    return [...document.querySelectorAll("#saved-lists a")].map((link) => {
      const [name, ...notes] = [...link.children].map((part) => part.textContent);
      return { kind: "saved", link, words: name, note: notes.join(" · ") };
    });
  }

  function range(text) {
    if (!meant || meant.text !== text) return [];
    const chart = hasChart() && window.riwayatChart.chart;
    const whole = chart && chart.meta && chart.whole; // none before its figure
    const within = Boolean(whole) && meant.start < whole.end && meant.end > whole.start;
    return [{ kind: "range", within, words: meant.words, note: within ? list.dataset.window : list.dataset.load, text: plain(text), ...meant }];
  }

  // ---- what is found ----------------------------------------------------------------------------

  function matches(items, words) {
    const found = items.filter(({ words: name, note, text = plain(`${name} ${note}`) }) => words.every((word) => text.includes(word)));
    const late = ({ words: name }) => (plain(name).startsWith(words[0]) ? 0 : 1);
    return found.sort((one, other) => late(one) - late(other)).slice(0, MOST);
  }

  function find() {
    const text = field.value.trim();
    const words = plain(text).split(/\s+/).filter(Boolean);
    const known = { range: () => range(text), view: views, saved, station: stations, sensor: sensors };
    const found = words.length ? KINDS.flatMap((kind) => (kind === "range" ? range(text) : matches(known[kind](), words))) : [];
    at = 0;
    show(found, words.length ? list.dataset.none : list.dataset.hint);
  }

  function seek() {
    find();
    window.clearTimeout(timer);
    const text = field.value.trim();
    if (text.length > 2) timer = window.setTimeout(() => setProps("search-text", { data: text }), PAUSE_MS);
  }

  // ---- the list ---------------------------------------------------------------------------------

  function make(className, text, ...parts) {
    const made = document.createElement("div");
    made.className = className;
    made.append(text, ...parts);
    return made;
  }

  function show(found, otherwise) {
    shown = found;
    const lines = found.flatMap((item, place) => {
      const line = make("search-item", make("search-words", item.words), make("search-note", item.note));
      line.id = `search-${place}`;
      line.setAttribute("role", "option");
      line.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
      line.addEventListener("click", (event) => choose(item, event.shiftKey));
      const head = make("search-kind", list.dataset[item.kind]);
      head.setAttribute("role", "presentation");
      return place && found[place - 1].kind === item.kind ? [line] : [head, line];
    });
    list.replaceChildren(...(lines.length ? lines : [make("search-none", otherwise)]));
    open(true);
    mark();
  }

  function mark() {
    shown.forEach((_item, place) => byId(`search-${place}`).setAttribute("aria-selected", String(place === at)));
    if (!shown.length) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", `search-${at}`);
    return byId(`search-${at}`).scrollIntoView({ block: "nearest" });
  }

  function open(on) {
    list.hidden = !on;
    field.setAttribute("aria-expanded", String(on));
  }

  function close() {
    window.clearTimeout(timer);
    meant = null; // of this job
    open(false);
    setProps("search", { value: "" });
    field.value = "";
    field.blur();
  }

  // ---- what is done -----------------------------------------------------------------------------

  function add(id, name) {
    const chosen = props(id).value || [];
    if (!chosen.includes(name)) setProps(id, { value: [...chosen, name] });
  }

  const ACTIONS = {
    view: ({ tab }) => tab.click(),
    saved: ({ link }) => link.click(),
    sensor: ({ name }) => add("sensor", name),
    station: ({ name }, added) => (added ? add("station", name) : setProps("station-choice", { data: { stations: [name], load: true, at: Date.now() } })),
    range({ within, start, end, from, to }) {
      const { chart } = window.riwayatChart;
      if (within) return chart.want({ start: Math.max(start, chart.whole.start), end: Math.min(end, chart.whole.end) }, 0);
      setProps("range-preset", { value: null });
      setProps("range-start", { value: from });
      return setProps("range-end", { value: to });
    },
  };

  function choose(item, added) {
    close();
    ACTIONS[item.kind](item, added);
    if (item.kind === "sensor" || added || (item.kind === "range" && !item.within)) byId("load").focus();
  }

  function key(event) {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && shown[at]) choose(shown[at], event.shiftKey);
    else if (by && shown.length) {
      at = (at + by + shown.length) % shown.length;
      mark();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": "search-list", "aria-expanded": "false" })) {
    field.setAttribute(name, value);
  }
  field.addEventListener("input", seek);
  field.addEventListener("focus", find);
  field.addEventListener("blur", () => open(false));
  field.addEventListener("keydown", key);
  window.dash_clientside.search = {
    range(answer) {
      meant = answer;
      if (answer && document.activeElement === field) find();
    },
  };
  if (document.activeElement === field) seek(); // what was written while this script came
})();
