// The events of quality control in the tab Quality, as a list in which each can be looked at and
// decided about (layouts/review.py tells them, decisions.js keeps what was decided). It comes with
// the first picture of that tab (chart.js).
(function () {
  "use strict";

  const QUALITY = "quality";
  const byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("review").dataset.words);
  const decisions = window.riwayatDecisions;
  let told = null; // what the server said last
  let at = -1; // place of the event that is looked at
  let rows = [];
  let parts = null; // of the section

  function make(tag, css, ...children) {
    const made = document.createElement(tag);
    made.className = css;
    made.append(...children);
    return made;
  }

  function button(css, text, pressed, title = "") {
    const made = make("button", css, text);
    Object.assign(made, { type: "button", title });
    made.addEventListener("click", pressed);
    return made;
  }

  const same = (one, other) => ["station", "sensor", "rule", "from"].every((name) => one[name] === other[name]);
  const current = () => told && told.events && told.events[at];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  // ---- the list -------------------------------------------------------------------------------

  function build() {
    const table = make("table", "list-table review-table");
    const heads = [...words.heads, words.decision].map((text, place) => {
      const head = make("th", place === 5 ? "number" : "text", text);
      head.scope = "col";
      return head;
    });
    const body = make("tbody", "");
    table.append(make("thead", "", make("tr", "", ...heads)), body);
    const title = make("h2", "", words.events);
    const count = make("span", "review-count");
    const all = button("btn btn-sm", words.all, () => filter("", ""));
    const limits = button("btn btn-sm review-limits", words.limits, () => window.riwayatWorkbench.script("limits.js").then(() => window.riwayatLimits.open(current())));
    const keys = make("span", "review-keys");
    const picture = make("div", "review-picture");
    Object.assign(picture, { hidden: true });
    picture.setAttribute("role", "img");
    const trouble = make("p", "review-trouble");
    trouble.setAttribute("role", "alert");
    const none = make("p", "list-more", words.none);
    const more = make("p", "list-more");
    const place = make("div", "review-events");
    place.append(make("div", "review-head", title, count, all, limits, keys), trouble, picture, make("div", "review-scroll", table), none, more);
    byId("review").prepend(place);
    return { place, body, count, all, keys, picture, trouble, none, more, table };
  }

  // Other rules and series are listed: a selection as any.
  function filter(rule, of) {
    const { view, options } = window.riwayatWorkbench.shown;
    const kept = Object.fromEntries(Object.entries(options).filter(([name]) => name !== "rule" && name !== "of"));
    window.riwayatWorkbench.choose(view, { ...kept, ...(rule && { rule }), ...(of && { of }) });
  }

  const titled = (text) => Object.assign(make("td", "text", text), { title: text });

  function row(event, place) {
    const [when, rule, series, found, length, count] = event.words;
    const mark = make("span", event.hard ? "review-mark review-hard" : "review-mark");
    mark.title = event.hard ? words.hard : words.suspect;
    mark.append(make("span", "visually-hidden", ` (${mark.title})`));
    const name = button("door review-event", when, () => look(place));
    const acts = make("td", "text review-acts");
    const cells = [make("td", "text", name), make("td", "text review-rule", rule, mark), titled(series), titled(found), make("td", "text", length), make("td", "number", count)];
    const go = button("btn btn-sm", words.go, () => open(event), words.goHint);
    return { event, line: make("tr", "", ...cells, acts), name, acts, go };
  }

  function draw() {
    const here = parts && parts.place.contains(document.activeElement);
    const before = current();
    told = window.riwayatChart.review;
    const events = told && told.events;
    if (parts) parts.place.hidden = !events;
    if (!events) return void ((at = -1), window.riwayatEventPicture.forget());
    parts = parts || build();
    parts.place.hidden = false;
    listen();
    byId("review").hidden = false;
    rows = events.map(row);
    parts.body.replaceChildren(...rows.map(({ line }) => line));
    parts.none.hidden = events.length > 0;
    parts.more.textContent = told.left ? fill(words.more, { number: told.left }) : "";
    parts.all.hidden = !told.filtered;
    parts.keys.textContent = mayAny() ? words.keysAll : words.keys;
    parts.keys.hidden = !events.length;
    at = before ? events.findIndex((each) => same(each, before)) : -1;
    said();
    if (at < 0) return hidePicture();
    mark(here);
    picture();
  }

  // What was decided about each, and how many are left.
  function said() {
    if (!told || !told.events) return;
    let left = 0;
    for (const { event, acts, go, line } of rows) {
      const found = decisions.of(event);
      left += found ? 0 : 1;
      line.dataset.decided = found ? found.kind : "";
      const active = acts.contains(document.activeElement) && document.activeElement !== go;
      acts.replaceChildren(...(found ? [decided(found)] : []), go, ...(found ? undoing(event) : decisions.buttons(event)));
      if (active) acts.lastChild.focus({ preventScroll: true }); // the button that was pressed is gone
    }
    const number = { left, all: rows.length + told.left };
    parts.count.textContent = rows.length ? mayAny() ? fill(words.count, number) : String(number.all) : "";
  }

  const mayAny = () => told.events.some(({ gap, may }) => may && !gap);

  function decided(found) {
    const text = make("span", "review-decided", decisions.brief(found));
    text.title = decisions.whole(found);
    return text;
  }

  const undoing = (event) => (event.may ? [button("btn btn-sm", words.undo, () => decisions.takeBack(event))] : []);

  // ---- the event that is looked at ---------------------------------------------------------------

  function mark(focus) {
    for (const [place, { line, name }] of rows.entries()) {
      if (place === at) line.setAttribute("aria-current", "true");
      else line.removeAttribute("aria-current");
      name.tabIndex = place === Math.max(at, 0) ? 0 : -1; // one stop of the keyboard's way
    }
    if (focus) rows[at].name.focus({ preventScroll: true });
  }

  function hidePicture() {
    mark(false);
    parts.picture.hidden = true;
    parts.trouble.textContent = "";
    window.riwayatEventPicture.forget();
  }

  async function picture() {
    const event = current();
    parts.picture.hidden = false;
    parts.picture.setAttribute("aria-label", `${words.picture}: ${event.words.slice(0, 4).join(", ")}`);
    const trouble = await window.riwayatEventPicture.show(parts.picture, event, Boolean(decisions.of(event)));
    if (current() === event) parts.trouble.textContent = trouble;
  }

  function look(place) {
    if (!rows[place]) return;
    const isFirst = parts.picture.hidden;
    at = place;
    mark(true);
    picture();
    if (isFirst) parts.place.scrollIntoView({ block: "start" });
    rows[place].line.scrollIntoView({ block: "nearest" });
  }

  const open = ({ door }) => window.riwayatWorkbench.open(...door);

  // ---- keys --------------------------------------------------------------------------------------

  const KEYS = {
    j: () => look(at + 1),
    k: () => look(at < 0 ? 0 : at - 1),
    w: () => current() && decisions.decide(current(), "wrong"),
    r: () => current() && decisions.decide(current(), "right"),
    u: () => decisions.takeBack(current()),
    Enter: () => current() && open(current()),
  };

  // Keys are the list's while the focus is in it, or nowhere.
  function key(event) {
    if (!told || !told.events || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const action = KEYS[event.key];
    const inside = target === document.body || (parts.place.contains(target) && !target.closest("input, select, textarea"));
    if (!action || !inside) return;
    if (event.key === "Enter" && target !== document.body && !(current() && rows[at].name === target)) return; // of the button
    event.preventDefault();
    action();
  }

  // A cell of the picture lists its events, pressed again all.
  function pressed(press) {
    const [, , , rule, of] = (press.points[0] && press.points[0].customdata) || [];
    const { view, options } = window.riwayatWorkbench.shown;
    if (view !== QUALITY || rule === undefined) return;
    if (options.rule === rule && options.of === of) filter("", "");
    else filter(rule, of);
  }

  let listens = false; // Plotly hears once it has drawn

  function listen() {
    if (!listens) window.riwayatChart.chart.place.on("plotly_click", pressed);
    listens = true;
  }

  document.addEventListener("keydown", key);
  window.addEventListener("riwayat:review", draw);
  window.addEventListener("riwayat:decisions", function () {
    said();
    if (at >= 0) picture();
  });
  window.riwayatReview = { draw };
})();
