// The cursor of Trend: a line under the pointer, whose time stands above the chart and whose values
// stand in the rail, and two places A and B that a click, a long press of a finger or Enter pins.
// It comes when a pointer is first over the chart, or the keyboard in it (rail.js).
//
// Times of the axis are as view.js has them. What is drawn says the readings at A and B; mean and
// total between them are of all readings and are asked of the server.
(function () {
  "use strict";

  const MOVED_PX = 5; // farther is a drag
  const DOUBLE_MS = 400;
  const LONG_MS = 450;
  const LINE_PX = 24; // how far from the pointer a line may be that it means
  const FAST = 10; // readings that Shift and an arrow go
  const MOST_TOLD = 6; // values beside the time; all are in the rail
  const LONG_BUCKET = /\d(d|w|mo|y)$/; // stands at the clock of its own time (figures/wallclock.py)

  const { at: readingAt, clock, difference, length, read, said, snap, step } = window.riwayatReadings;
  const byId = (id) => document.getElementById(id);
  const words = () => byId("readout").dataset;
  const state = { at: null, byKey: false, figure: null, lit: null, pins: [], press: null, series: [], touch: null, waits: false };
  let place = null; // what Plotly draws in
  let layer = null; // of the lines over it

  const chart = () => window.riwayatChart.chart;
  const meta = () => (chart().meta && chart().meta.series ? chart().meta : null); // null: no Trend
  const shown = () => state.series.filter(({ key }) => !chart().hidden.has(key));

  function make(tag, css, text = "") {
    const made = document.createElement(tag);
    made.className = css;
    made.textContent = text;
    return made;
  }

  function button(css, text, pressed) {
    const made = make("button", css, text);
    made.type = "button";
    made.addEventListener("click", pressed);
    return made;
  }

  // ---- places -----------------------------------------------------------------------------------

  const size = () => place._fullLayout._size;
  const ends = () => [meta().start + meta().offset, meta().end + meta().offset];
  const pixel = () => (meta().end - meta().start) / size().w;
  const timeAt = (px) => ends()[0] + (px - size().l) * pixel();
  const pxAt = (time) => size().l + (time - ends()[0]) / pixel();

  // Where an event is in the plot: px from the place's edge; null beside the plot.
  function within(event) {
    const box = place.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const { l, t, w, h } = size();
    const over = !event.target.closest || !event.target.closest(".modebar");
    return over && x >= l && x <= l + w && y >= t && y <= t + h ? x : null;
  }

  // A time of the axis that stays where it is in figures of other windows: long buckets stand at the
  // clock of their own time, all else at UTC and the one offset of the figure.
  function moment({ x, series }) {
    const wall = Boolean(series && LONG_BUCKET.test(series.bucket));
    return { wall, time: wall ? x : x - meta().offset };
  }

  const onAxis = ({ wall, time }) => (wall ? time : time + meta().offset);
  const asked = ({ wall, time }) => (wall ? new Date(time).toISOString().slice(0, -1) : String(Math.round(time)));

  // ---- the cursor -------------------------------------------------------------------------------

  function moveTo(found, byKey = false) {
    Object.assign(state, { at: found, byKey });
    if (state.waits) return;
    state.waits = true;
    window.requestAnimationFrame(paint);
  }

  function follow(event) {
    const px = meta() && within(event);
    if (px === null || px === false) return leave();
    refresh();
    const found = snap(shown(), timeAt(px), pixel());
    light(lineAt(found.x, event.clientY - place.getBoundingClientRect().top));
    moveTo(found);
  }

  // Of many stations the one whose line is nearest to the pointer.
  function lineAt(time, y) {
    let best = null;
    for (const series of shown().filter(({ many }) => many)) {
      const axis = place._fullLayout[series.axis];
      const reading = axis ? readingAt(series, time, pixel()) : -1;
      const far = reading < 0 ? LINE_PX : Math.abs(axis._offset + axis.d2p(series.y[reading]) - y);
      if (far < (best ? best.far : LINE_PX)) best = { far, key: series.key };
    }
    return best && best.key;
  }

  function light(key) {
    if (key || state.lit) window.riwayatRail.light(key);
    state.lit = key;
  }

  // A finger leaves with each touch; what it has told stays.
  function leave({ pointerType } = {}) {
    if (pointerType !== "touch" && state.at && !state.byKey && !state.touch) moveTo(null);
    if (state.lit) light(null);
  }

  function pin() {
    const { at, pins } = state;
    if (!at) return;
    const found = moment(at);
    state.pins = pins.length === 1 ? [...pins, found].sort((one, other) => onAxis(one) - onAxis(other)) : [found];
    paint();
    window.riwayatBetween.show(state.pins.length === 2 ? between() : null);
  }

  function clear() {
    Object.assign(state, { at: null, byKey: false, pins: [] });
    paint();
    window.riwayatBetween.show(null);
  }

  // What is drawn of a series at the time of a pin; beside the window that is a bucket that begins
  // there at most.
  function pinned(series, time) {
    const [first, last] = ends();
    const place = series.timed ? readingAt(series, time, pixel()) : -1;
    return (time >= first && time <= last) || series.x[place] === time ? series.y[place] : undefined;
  }

  // What is asked of the server for A and B, and what is drawn there.
  function between() {
    const times = state.pins.map(onAxis);
    const series = shown().filter(({ of }) => !of).map(function (one) {
      const values = times.map((time) => pinned(one, time));
      return { ...one, values, change: values.includes(undefined) ? undefined : difference(one, ...values) };
    });
    const [from, to] = state.pins.map(asked);
    return { from, to, same: times[0] === times[1], times: `${spanText()} · ${lengthText(...times)}`, series };
  }

  // ---- what is seen -----------------------------------------------------------------------------

  const months = () => JSON.parse(words().months);
  const timeText = (time) => clock(time, place.layout.xaxis.hoverformat, months());

  const spanText = () => state.pins.map((each) => timeText(onAxis(each))).join(" – ");
  const lengthText = (from, to) => length(Math.abs(to - from), JSON.parse(words().units));

  // A newer figure: its points are read when they are needed.
  function refresh() {
    if (state.figure === chart().figure) return;
    state.figure = chart().figure;
    state.series = meta() ? read(state.figure) : [];
  }

  function line(css, time, name = "") {
    const [first, last] = ends();
    if (time < first || time > last) return null;
    const made = make("div", `cursor ${css}`, name);
    made.style.left = `${pxAt(time)}px`;
    return made;
  }

  function lines() {
    const { at, pins } = state;
    const [first, last] = ends();
    const found = pins.map((each, index) => line("cursor-pin", onAxis(each), "AB"[index]));
    if (pins.length === 2) {
      const [from, to] = pins.map((each) => Math.min(Math.max(onAxis(each), first), last));
      const span = make("div", "cursor-span");
      Object.assign(span.style, { left: `${pxAt(from)}px`, width: `${(to - from) / pixel()}px` });
      found.unshift(span);
    }
    return [...found, ...(at ? [line("cursor-at", at.x), ...dots()] : [])].filter(Boolean);
  }

  // Beside the time; of many stations the median, and the one that is pointed at.
  const isTold = ({ key, many }) => !many || key === state.lit;

  // Where the lines have the readings that are said.
  function dots() {
    const found = [];
    for (const series of shown().filter((each) => each.timed && !each.width && isTold(each))) {
      const axis = place._fullLayout[series.axis];
      const reading = readingAt(series, state.at.x, pixel());
      if (reading < 0 || !axis) continue;
      const dot = make("div", "cursor-dot");
      const [left, top] = [pxAt(series.x[reading]), axis._offset - size().t + axis.d2p(series.y[reading])];
      Object.assign(dot.style, { background: series.color, left: `${left}px`, top: `${top}px` });
      found.push(dot);
    }
    return found;
  }

  function paint() {
    state.waits = false;
    const drawn = meta() && place._fullLayout;
    layer.hidden = !drawn;
    if (!drawn) return readOut([]);
    refresh();
    layer.style.top = `${size().t}px`;
    layer.style.height = `${size().h}px`;
    layer.replaceChildren(...lines());
    const mark = chart().config.locale === "id" ? "," : ".";
    const values = new Map();
    for (const series of state.at ? shown() : []) {
      const found = said(series, state.at.x, pixel(), mark);
      if (found) values.set(series.key, found);
    }
    window.riwayatRail.say(state.at && values);
    readOut([...pinText(), ...(state.at ? cursorText(values) : [])]);
  }

  function pinText() {
    const [first, second] = state.pins;
    if (!first) return [];
    if (second) {
      const zoom = onAxis(first) < onAxis(second) ? [button("readout-button", words().closer, zoomIn)] : [];
      const span = make("span", "readout-time readout-length");
      span.append(make("span", "readout-names", "A – B  "), lengthText(onAxis(first), onAxis(second)));
      const decides = mayDecide() ? [button("readout-button readout-decide", words().decide, decide)] : [];
      return [span, clearing(), make("span", "readout-span", spanText()), ...zoom, ...decides, noteHere()];
    }
    const from = onAxis(first);
    const far = state.at ? ` · ${lengthText(from, state.at.x)}` : "";
    return [make("span", "readout-time", `A  ${timeText(from)}${far}`), noteHere()];
  }

  function clearing() {
    const made = button("readout-clear", "×", clear);
    made.title = words().clear;
    made.setAttribute("aria-label", words().clear);
    return made;
  }

  const noteHere = () => button("readout-button", words().note, () => window.riwayatRail.note());

  function cursorText(values) {
    const found = [make("span", "readout-time", timeText(state.at.x))];
    for (const { key, color } of shown().filter((each) => values.has(each.key) && isTold(each)).slice(0, MOST_TOLD)) {
      const dot = make("span", "readout-dot");
      dot.style.background = color;
      const one = make("span", "readout-value");
      const { value, why } = values.get(key);
      one.append(dot, value);
      found.push(one, ...(why ? [make("span", "readout-why", why)] : []));
    }
    return found;
  }

  // Read aloud only where it was moved by keys: a pointer moves too fast.
  function readOut(parts) {
    const readout = byId("readout");
    readout.setAttribute("aria-live", state.byKey ? "polite" : "off");
    readout.replaceChildren(...parts);
  }

  function zoomIn() {
    const span = window.riwayatBetween.span();
    if (span) chart().want(span, 0);
  }

  // Readings from A to B are decided about in a dialog, by who may (decide.js).
  const mayDecide = () => window.riwayatChart.review && window.riwayatChart.review.series.some(({ may }) => may);

  async function decide() {
    const [from, to] = state.pins.map(({ wall, time }) => (wall ? null : Math.round(time)));
    const span = window.riwayatBetween.span() || {};
    await window.riwayatWorkbench.scripts(["decisions.js", "decide.js"]);
    const alone = shown().filter(({ of }) => !of);
    const [station, sensor] = alone.length === 1 ? alone[0].key.split(/\.(?=[^.]*$)/) : [];
    window.riwayatDecide.open({ station, sensor, from: from ?? span.start, to: to ?? span.end - 1 });
  }

  // ---- keys -------------------------------------------------------------------------------------

  // The arrows are the cursor's where there is one, also after a click, which gives the chart no
  // focus; else they move the window (view.js). Escape in a dialog, a menu or a list closes that.
  function key(event) {
    if (!meta() || event.ctrlKey || event.metaKey || event.altKey) return;
    const active = state.byKey || state.pins.length > 0;
    const inside = event.target === byId("chart-frame") || (active && event.target === document.body);
    const forth = { ArrowLeft: false, ArrowRight: true }[event.key];
    const near = inside || (event.target.closest && event.target.closest("#chart-frame, #readout, #between"));
    if (event.key === "Escape" && active && near) return clear();
    if (event.key === "Enter" && inside) enter();
    else if (active && inside && forth !== undefined) go(forth, event.shiftKey ? FAST : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function enter() {
    refresh();
    const [first, last] = ends();
    if (state.at) pin();
    else moveTo(snap(shown(), (first + last) / 2, pixel()), true);
  }

  function go(forth, count) {
    refresh();
    const [first, last] = ends();
    let time = state.at ? state.at.x : onAxis(state.pins.at(-1));
    for (let times = 0; times < count; times += 1) {
      const next = step(shown(), time, forth);
      if (next === null || next < first || next > last) break;
      time = next;
    }
    moveTo(snap(shown(), time, pixel()), true);
  }

  // ---- pointers ---------------------------------------------------------------------------------

  function down(event) {
    if (!meta() || event.button !== 0 || within(event) === null) return;
    if (event.pointerType === "touch") return void (state.touch = touched(event));
    state.press = { x: event.clientX, y: event.clientY };
  }

  const moved = (from, event) => Math.hypot(event.clientX - from.x, event.clientY - from.y) > MOVED_PX;

  // A click pins; the second of a double click takes back what the first has pinned.
  function up(event) {
    if (event.pointerType === "touch") return lift();
    const { press, last } = state;
    state.press = null;
    if (!press || moved(press, event) || !meta()) return;
    if (last && event.timeStamp - last.time < DOUBLE_MS && !moved(last, event)) {
      state.last = null;
      state.pins = last.pins;
      paint();
      window.riwayatBetween.show(state.pins.length === 2 ? between() : null);
      return;
    }
    state.last = { x: event.clientX, y: event.clientY, time: event.timeStamp, pins: state.pins };
    follow(event);
    pin();
  }

  // A finger that stays is the cursor; where it leaves, it pins.
  function touched(event) {
    const touch = { x: event.clientX, y: event.clientY, held: false };
    touch.timer = window.setTimeout(function () {
      touch.held = true;
      follow(event);
    }, LONG_MS);
    return touch;
  }

  function move(event) {
    if (event.pointerType !== "touch") return event.buttons === 0 ? follow(event) : undefined;
    const { touch } = state;
    if (touch && touch.held) follow(event);
    else if (touch && moved(touch, event)) drop();
  }

  function drop() {
    window.clearTimeout(state.touch && state.touch.timer);
    state.touch = null;
  }

  function lift() {
    const held = state.touch && state.touch.held;
    drop();
    if (held) pin();
  }

  // ---- the chart --------------------------------------------------------------------------------

  function start() {
    place = chart().place;
    layer = make("div", "cursors");
    layer.setAttribute("aria-hidden", "true");
    byId("chart").append(layer);
    place.addEventListener("pointermove", move);
    place.addEventListener("pointerleave", leave);
    place.addEventListener("pointerdown", down);
    place.addEventListener("touchmove", (event) => state.touch && state.touch.held && event.preventDefault(), { passive: false });
    place.addEventListener("contextmenu", (event) => state.touch && event.preventDefault());
    place.on("plotly_afterplot", paint);
    document.addEventListener("keydown", key, true);
    document.addEventListener("pointerup", up, true);
    document.addEventListener("pointercancel", drop, true);
    window.addEventListener("riwayat:drawn", drawn);
  }

  // Another figure is drawn: pins stay where they are in time, of the same job.
  function drawn() {
    const job = meta() ? meta().revision : state.job;
    if (job !== state.job) Object.assign(state, { at: null, byKey: false, job, pins: [] });
    if (!state.byKey) state.at = null;
    paint();
    window.riwayatBetween.show(meta() && state.pins.length === 2 ? between() : null);
  }

  start();
  drawn();
  // Where a note is written: at A and B, else at the cursor.
  const places = () => (state.pins.length ? state.pins.map(onAxis) : state.at ? [state.at.x] : []);

  window.riwayatCursors = { places, state };
})();
