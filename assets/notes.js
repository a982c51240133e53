// Notes of people on the chart, and the history of its stations: the flags on the time axis as
// buttons, what they say, their list beneath the rail, and the dialog that writes one. The figure
// has the flags' places alone (figures/note_marks.py); what notes say is asked of the server once
// for each version of them, and is text wherever it is shown.
//
// It comes where there is a note, or one is written (rail.js).
(function () {
  "use strict";

  const MOST_LISTED = 50;
  const FLAG_PX = 16;
  const PANEL_PX = 320;
  const DAY = "%-d %b %Y";
  const FORMAT = `${DAY} %H:%M`;
  const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
  const ZONED = /(?:z|[+-]\d\d:?\d\d)$/i;

  const byId = (id) => document.getElementById(id);
  const chart = () => window.riwayatChart.chart;
  const meta = () => (chart().meta && chart().meta.series ? chart().meta : null); // null: no Trend
  const words = JSON.parse(byId("notes").dataset.words);
  const state = { found: new Map(), order: [], version: null, job: null, pressed: null, quiet: false, wanted: null };
  const { place } = chart();

  function make(tag, css = "", text = "", attributes = {}) {
    const made = document.createElement(tag);
    made.className = css;
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function button(css, text, pressed) {
    const made = make("button", css, text, { type: "button" });
    made.addEventListener("click", pressed);
    return made;
  }

  const layer = make("div", "note-flags", "", { role: "group", "aria-label": words.flags });
  const panel = make("div", "note-panel", "", { role: "dialog", tabindex: "-1" });
  const list = make("ul", "note-list");
  const head = make("div", "note-head");

  // ---- the server ---------------------------------------------------------------------------------

  const address = (rest) => `${document.documentElement.dataset.prefix}api/notes${rest}`;

  async function send(method, rest, body) {
    const headers = body ? { "Content-Type": "application/json" } : {};
    const answer = await fetch(address(rest), { body: body && JSON.stringify(body), cache: "no-store", headers, method });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const said = await answer.json().catch(() => ({ error: { message: words.trouble } }));
    throw Object.assign(new Error(said.error.message), { field: said.error.field });
  }

  // What the notes of the chart say, once for each version.
  async function load() {
    const { revision: job, notes } = meta();
    if (state.version === notes.version && state.job === job) return;
    Object.assign(state, { job, version: notes.version });
    const found = notes.version ? await send("GET", `?job=${encodeURIComponent(job)}`) : { history: [], notes: [] };
    if (state.version !== notes.version || state.job !== job) return; // another one is asked for meanwhile
    const all = [...found.notes, ...found.history.map((one) => ({ ...one, history: true }))];
    for (const one of all) Object.assign(one, { start: Date.parse(one.from), end: one.to ? Date.parse(one.to) : null });
    state.order = all.sort((one, other) => one.start - other.start);
    state.found = new Map(all.map((one) => [one.id, one]));
  }

  // Something has changed: the chart is drawn anew, with its flags.
  const again = () => chart().want(chart().window, 0);

  // ---- words ----------------------------------------------------------------------------------------

  const months = () => JSON.parse(byId("readout").dataset.months);
  const clock = (time, format = FORMAT) => window.riwayatReadings.clock(time + meta().offset, format, months());
  const times = ({ start, end }) => clock(start) + (end ? ` – ${clock(end)}` : "");
  const fill = (text, name, value) => text.replace(`{${name}}`, () => value);

  function placeOf(one) {
    const at = one.latitude === null ? [] : [`${one.latitude}, ${one.longitude}`];
    return [...at, ...(one.elevation === null ? [] : [`${one.elevation} m`])].join(", ");
  }

  // What turns the text around it is written out, as escaping.py does.
  const plain = (text) => text.replace(TURNS, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const said = (one) => plain(one.history ? [one.instrument, placeOf(one), one.text].filter(Boolean).join(" · ") : one.text);

  function about({ station, sensor }) {
    const series = meta().series.find(({ name }) => name && name[0] === station && name[1] === sensor);
    return series ? `${series.short} · ${series.sensor}` : [station, sensor].filter(Boolean).join(" · ");
  }

  const kind = (one) => (one.history ? words.history : words.kinds[one.kind]);
  const flag = (one) => make("span", one.history ? "note-mark note-past" : "note-mark", "", { "aria-hidden": "true" });

  // ---- flags ----------------------------------------------------------------------------------------

  function paint() {
    const drawn = meta();
    const size = place._fullLayout && place._fullLayout._size;
    layer.hidden = !drawn || !size || !drawn.notes;
    if (layer.hidden) return hide();
    layer.style.top = `${size.t + size.h}px`;
    const scale = size.w / (drawn.end - drawn.start);
    const held = layer.contains(document.activeElement) ? document.activeElement.dataset.ids : null;
    layer.replaceChildren(...drawn.notes.marks.map((mark) => markOf(mark, size.l + (mark.at - drawn.start) * scale)));
    if (held) focusOn(held);
    show();
  }

  function markOf(mark, px) {
    const notes = mark.ids.map((id) => state.found.get(id)).filter(Boolean);
    const name = notes.length === 1 ? `${kind(notes[0])}: ${said(notes[0])}` : fill(words.several, "count", mark.ids.length);
    const made = button("note-flag", "", () => open(made, notes, true));
    made.style.left = `${px - FLAG_PX / 2}px`;
    made.dataset.ids = mark.ids.join(" ");
    made.setAttribute("aria-label", name);
    made.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && open(made, notes, false));
    made.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && !state.pressed && hide());
    made.addEventListener("focus", () => !state.pressed && !state.quiet && open(made, notes, false));
    made.addEventListener("blur", () => !state.pressed && hide());
    return made;
  }

  // ---- what a flag says -------------------------------------------------------------------------

  function open(from, notes, pressed) {
    if (!notes.length || (state.pressed && !pressed)) return;
    state.pressed = pressed ? from : null;
    panel.replaceChildren(...notes.map((one) => entry(one, pressed)), ...(pressed ? [button("btn btn-sm note-close", words.close, hide)] : []));
    panel.setAttribute("aria-label", notes.length === 1 ? kind(notes[0]) : words.title);
    panel.hidden = false;
    const room = byId("chart").clientWidth;
    const width = Math.min(PANEL_PX, room);
    const left = parseFloat(from.style.left) + FLAG_PX / 2 - width / 2;
    Object.assign(panel.style, { left: `${Math.max(0, Math.min(left, room - width))}px`, width: `${width}px` });
    panel.style.top = `${parseFloat(layer.style.top) + FLAG_PX + 2}px`;
    if (pressed) panel.focus({ preventScroll: true });
  }

  function hide() {
    const from = state.pressed;
    state.pressed = null;
    const inside = panel.contains(document.activeElement);
    panel.hidden = true;
    if (from && inside) focusOn(from.dataset.ids);
  }

  // The flag of some notes gets the focus, and says nothing for it; the chart where it has gone.
  function focusOn(ids) {
    state.quiet = true;
    const found = [...layer.children].find(({ dataset }) => dataset.ids === ids);
    (found || byId("chart-frame")).focus({ preventScroll: true });
    state.quiet = false;
  }

  function entry(one, pressed) {
    const made = make("article", "note-entry");
    made.append(make("p", "note-when", `${kind(one)} · ${times(one)}`), make("p", "note-about", about(one)), make("p", "note-text", said(one), { dir: "auto" }));
    if (one.history) return made;
    const foot = make("div", "note-foot");
    foot.append(make("span", "", one.shared ? one.owner : words.private));
    if (pressed && one.own) foot.append(button("btn btn-sm", words.edit, () => write(one)));
    if (pressed && one.removable) foot.append(removing(one));
    made.append(foot);
    return made;
  }

  // The second press removes, but for that of a double click.
  function removing(one) {
    const made = button("btn btn-sm note-remove", words.remove, function ({ detail }) {
      if (detail > 1) return;
      if (made.dataset.sure) return void send("DELETE", `/${one.id}`).then(gone, (error) => (made.textContent = error.message));
      made.dataset.sure = "true";
      made.textContent = words.sure;
    });
    return made;
  }

  function gone() {
    hide();
    again();
  }

  // ---- the list -----------------------------------------------------------------------------------

  function show() {
    const { order } = state;
    head.replaceChildren(make("h3", "", words.title), make("small", "", order.length ? String(order.length) : ""), window.riwayatRail.adding());
    list.replaceChildren(...order.slice(0, MOST_LISTED).map(line));
    if (order.length > MOST_LISTED) list.append(make("li", "note-more", fill(words.more, "count", order.length - MOST_LISTED)));
    list.hidden = !order.length;
    if (head.parentNode !== byId("notes")) byId("notes").replaceChildren(head, list);
  }

  function line(one) {
    const item = make("li");
    const go = button("note-go", "", () => lead(one));
    go.append(flag(one), make("span", "note-name", said(one), { dir: "auto" }), make("small", "", clock(one.start, DAY)));
    go.title = `${kind(one)} · ${about(one)} · ${times(one)}`;
    item.append(go);
    return item;
  }

  // To where the note is, in a window as long as the one that is shown, or that a span has room in.
  function lead(one) {
    const { start, end } = chart().seen;
    state.wanted = one.id;
    if (one.start >= start && (one.end || one.start) <= end) return void arrive();
    const span = (one.end || one.start) - one.start;
    const half = Math.max(end - start, 1.4 * span) / 2;
    const middle = one.start + span / 2;
    chart().want({ start: middle - half, end: middle + half }, 0);
  }

  // The one that was pressed in the list is open once its flag is there.
  function arrive() {
    const from = [...layer.children].find(({ dataset }) => dataset.ids.split(" ").includes(state.wanted));
    if (!from) return;
    const one = state.found.get(state.wanted);
    state.wanted = null;
    if (one) open(from, [one], true);
  }

  // ---- writing ------------------------------------------------------------------------------------

  // What a note can be about: each station as a whole, and each series that is drawn.
  function subjects(one) {
    const series = meta().series.filter(({ name }) => name);
    const stations = new Map(series.map(({ name, station }) => [name[0], station]));
    const found = [
      ...series.map(({ name, station, sensor }) => ({ name, text: `${station} · ${sensor}` })),
      ...[...stations].map(([name, station]) => ({ name: [name, null], text: fill(words.whole, "name", station) })),
    ];
    const at = found.findIndex(({ name }) => one && name[0] === one.station && name[1] === one.sensor);
    if (one && at < 0) found.push({ name: [one.station, one.sensor], text: about(one) });
    return { chosen: one ? (at < 0 ? found.length - 1 : at) : series.length === 1 ? 0 : series.length, found };
  }

  function field(name, label, control) {
    const made = make("label", "note-field");
    made.append(make("span", "", label), control);
    Object.assign(control, { name });
    return made;
  }

  function select(choices, chosen) {
    const made = make("select", "form-select form-select-sm");
    made.append(...choices.map(([value, text]) => Object.assign(make("option", "", text), { value })));
    made.value = chosen;
    return made;
  }

  const input = (value) => Object.assign(make("input", "form-control form-control-sm"), { autocomplete: "off", type: "text", value });

  // A time of the axis as it is written, and what it means.
  const written = (time) => (time === undefined ? "" : new Date(time).toISOString().replace(/:00\.000Z$|\.?0*Z$/, "").replace("T", " "));

  function meant(text) {
    const found = text.trim().replace(" ", "T");
    if (!found || ZONED.test(found.slice(10))) return found || null;
    const minutes = Math.round(meta().offset / 60000);
    const [sign, size] = [minutes < 0 ? "-" : "+", Math.abs(minutes)];
    const zone = `${sign}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
    return `${found}${/^\d{4}-\d\d-\d\d$/.test(found) ? "T00:00" : ""}${zone}`;
  }

  // At A and B, else at the cursor, else in the middle of what is shown.
  function here() {
    const found = window.riwayatCursors ? window.riwayatCursors.places() : [];
    const { start, end, offset } = meta();
    return found.length ? found : [Math.round((start + end) / 2 / 60000) * 60000 + offset];
  }

  // The dialog of a new note, or of one that is changed.
  function write(one = null) {
    if (!meta()) return;
    hide();
    const { offset } = meta();
    const [from, to] = one ? [one.start + offset, one.end ? one.end + offset : undefined] : here();
    const { chosen, found } = subjects(one);
    const form = make("form", "note-form", "", { method: "dialog" });
    const parts = {
      text: Object.assign(make("textarea", "form-control"), { maxLength: words.longest, required: true, rows: 3, value: one ? one.text : "" }),
      about: select(found.map(({ text }, index) => [String(index), text]), String(chosen)),
      from: input(written(from)),
      to: input(written(to)),
      kind: select(Object.entries(words.kinds), one ? one.kind : "event"),
      shared: Object.assign(make("input", "form-check-input"), { checked: Boolean(one && one.shared), type: "checkbox" }),
    };
    const wrong = make("p", "note-wrong", "", { role: "alert" });
    const share = make("label", "note-share");
    share.append(parts.shared, words.share);
    const foot = make("div", "note-buttons");
    foot.append(make("button", "btn btn-primary", words.save, { type: "submit" }), button("btn btn-sm", words.cancel, () => dialog.close()));
    const two = make("div", "note-two");
    two.append(field("from", words.from, parts.from), field("to", words.to, parts.to));
    const title = make("h2", "", one ? words.change : words.write, { id: "note-title" });
    form.append(title, field("text", words.text, parts.text), field("about", words.about, parts.about), two, field("kind", words.kind, parts.kind), share, wrong, foot);
    const dialog = make("dialog", "note-dialog", "", { "aria-labelledby": "note-title" });
    dialog.append(form);
    dialog.addEventListener("close", () => dialog.remove());
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      wrong.textContent = "";
      const [station, sensor] = found[Number(parts.about.value)].name;
      const body = { station, sensor, from: meant(parts.from.value) || "", to: meant(parts.to.value), kind: parts.kind.value, text: parts.text.value, shared: parts.shared.checked };
      send(one ? "PATCH" : "POST", one ? `/${one.id}` : "", body).then(function (made) {
        state.wanted = made.id;
        dialog.close();
        again();
      }, (error) => refused(form, wrong, error));
    });
    document.body.append(dialog);
    dialog.showModal();
    parts.text.focus();
  }

  function refused(form, wrong, { field: name, message }) {
    wrong.textContent = message;
    const control = form.elements[{ sensor: "about", station: "about" }[name] || name];
    if (control) control.focus();
  }

  // ---- the chart ------------------------------------------------------------------------------------

  async function drawn() {
    if (!meta() || !meta().notes) return paint();
    await load().catch((trouble) => console.warn(trouble));
    if (!meta()) return;
    paint();
    if (state.wanted) arrive();
  }

  panel.hidden = true;
  byId("chart").append(layer, panel);
  place.on("plotly_afterplot", paint);
  window.addEventListener("riwayat:drawn", () => void drawn());
  document.addEventListener("keydown", (event) => event.key === "Escape" && !panel.hidden && hide());
  document.addEventListener("pointerdown", ({ target }) => state.pressed && !panel.contains(target) && target !== state.pressed && hide());

  window.riwayatNotes = { write: () => write() };
  drawn();
})();
