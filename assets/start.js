// The stations of a first visit: their list, the search in it, and the press that loads one.
(function () {
  "use strict";

  const MORE = 60; // rows that are drawn at a time, the next ones as they come near
  const NEAR_PX = 600;
  const byId = (id) => document.getElementById(id);
  const [list, search] = [byId("station-list"), byId("station-search")];
  const heads = [...document.querySelectorAll(".station-heads > *")].map((head) => head.textContent);
  const { rows, sensors } = window.dash_component_api.getLayout("station-rows").props.data;
  const texts = rows.map((row) => `${row[1]} ${sensors[row[8]]}`.toLowerCase());
  let found = []; // positions in rows; the first of them are drawn

  function make(name, className, ...parts) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...parts);
    return made;
  }

  // A row of layouts/start.py: station_rows.
  function draw(at) {
    const [, shown, first, length, complete, last, readings, step, kind, synthetic] = rows[at];
    const words = [complete, last, readings, step, sensors[kind]];
    const mark = synthetic ? [make("small", "station-synthetic", list.dataset.synthetic)] : [];
    const covered = make("i", "");
    Object.assign(covered.style, { left: `${first / 10}%`, width: `${length / 10}%` });
    // Who does not see the heads hears them before each word.
    const cells = words.map((word, column) => make("span", "", ...(word ? [make("b", "visually-hidden", `${heads[column + 2]} `)] : []), word));
    const row = make("button", "station-row", make("span", "station-name", shown, ...mark), make("span", "station-bar", covered), ...cells);
    Object.assign(row, { type: "button", tabIndex: at === found[0] ? 0 : -1 }); // one stop of the keyboard's way
    row.firstChild.title = shown;
    row.lastChild.title = sensors[kind];
    return make("li", "", row);
  }

  function more() {
    const { length } = list.children;
    list.append(...found.slice(length, length + MORE).map(draw));
  }

  function fill() {
    const isNear = () => list.offsetParent && list.getBoundingClientRect().bottom < window.innerHeight + NEAR_PX;
    while (list.children.length < found.length && isNear()) more();
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/);
    found = [...rows.keys()].filter((at) => words.every((word) => texts[at].includes(word)));
    byId("station-none").hidden = found.length > 0;
    list.replaceChildren();
    more();
    fill();
    list.dispatchEvent(new CustomEvent("found", { detail: found }));
  }

  function load(place) {
    const stations = found.slice(place, place + 1).map((at) => rows[at][0]);
    window.dash_clientside.set_props("station-choice", { data: { stations, load: true, at: Date.now() } });
  }

  const placeOf = (event) => [...list.children].indexOf(event.target.closest("li"));

  filter();
  search.addEventListener("input", filter);
  document.addEventListener("scroll", fill, { passive: true });
  window.addEventListener("resize", fill);
  list.addEventListener("click", (event) => load(placeOf(event)));
  list.parentElement.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target === search) load(0);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const place = placeOf(event);
    if (place + by >= list.children.length) more();
    const line = list.children[place + by];
    if (place + by < 0) search.focus();
    if (!line) return;
    if (place >= 0) event.target.tabIndex = -1;
    line.firstChild.tabIndex = 0;
    line.firstChild.focus();
  });
})();
