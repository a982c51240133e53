// The rail of the series that are drawn: what they are called and how they look, their values at
// the cursor (cursors.js), and which of them are shown. It is the legend of Trend, and comes with the
// first chart (chart.js).
//
// It is beneath the form, which is a sheet of a small screen; above the chart there stand looks and
// names alone. What is in both is made here.
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const EYE = "M1 8c2-3.3 4.3-5 7-5s5 1.7 7 5c-2 3.3-4.3 5-7 5S3 11.3 1 8z";
  const MOST_NAMED = 8; // of many stations, above the chart of a small screen
  const rows = new Map(); // key of a series -> its row and what is in it
  let list = null;
  let cursors = null;
  let lit = null; // key of the one of many that is pointed at

  const byId = (id) => document.getElementById(id);
  const chart = () => window.riwayatChart.chart;
  const words = () => byId("rail").dataset;
  const fill = (text, name) => text.replace("{name}", () => name);

  function make(tag, css, text = "") {
    const made = document.createElement(tag);
    made.className = css;
    made.textContent = text;
    return made;
  }

  function drawing(parts) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    for (const [tag, attributes] of parts) {
      const part = document.createElementNS(SVG, tag);
      for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
      svg.append(part);
    }
    return svg;
  }

  // A series as it is drawn: a piece of its line, a bar, a dot.
  function swatch({ line, marker, mode = "", type } = {}) {
    const { color } = line || marker || {};
    if (type === "bar") return drawing([["rect", { x: 5, y: 2, width: 6, height: 12, fill: color }]]);
    if (!mode.includes("lines")) return drawing([["circle", { cx: 8, cy: 8, r: 3, fill: color }]]);
    const dash = line.dash === "solid" ? "" : line.dash.replaceAll("px", "");
    return drawing([["path", { d: "M0 8h16", stroke: color, "stroke-width": 2, "stroke-dasharray": dash }]]);
  }

  // ---- what is in it ----------------------------------------------------------------------------

  function row(series) {
    const { key, station, short, sensor, unit } = series;
    const name = `${station}, ${sensor}`;
    const item = make("li", "rail-row");
    const only = make("button", "rail-name");
    const value = make("span", "rail-value");
    const eye = make("button", "rail-eye");
    Object.assign(only, { type: "button", title: `${name}\n${words().only}` });
    Object.assign(eye, { type: "button", title: fill(words().hide, name) });
    eye.setAttribute("aria-label", eye.title);
    only.append(make("span", "rail-swatch"), make("span", "rail-station", short), make("span", "rail-sensor", sensor));
    eye.append(drawing([["path", { class: "eye", d: EYE }], ["circle", { cx: 8, cy: 8, r: 2 }], ["path", { class: "shut", d: "M2 14L14 2" }]]));
    item.append(only, value, eye);
    only.addEventListener("click", () => solo(key));
    eye.addEventListener("click", () => toggle(key));
    for (const [kind, found] of [["pointerenter", key], ["focusin", key], ["pointerleave", null], ["focusout", null]]) {
      item.addEventListener(kind, () => light(found));
    }
    return { item, only, value, eye, unit };
  }

  // What a series' name stands for; of many stations none has an entry in a legend.
  const mainTrace = (data, { key, many }) => data.find(({ legendgroup, showlegend }) => legendgroup === key && (many || showlegend !== false));

  // The rail of what is drawn now; without series (another view, nothing at all) it is empty.
  function show() {
    const { figure, meta, hidden } = chart();
    const series = (meta && meta.series) || [];
    const keys = series.map(({ key, short, sensor, unit }) => [key, short, sensor, unit].join("\0")).join("\0\0");
    if (!list || list.dataset.keys !== keys) build(series, keys);
    for (const one of series) {
      const { key } = one;
      const { item, only, eye, unit, value } = rows.get(key);
      only.firstChild.replaceChildren(swatch(mainTrace(figure.data, one)));
      item.dataset.hidden = hidden.has(key) ? "true" : "";
      eye.setAttribute("aria-pressed", String(hidden.has(key)));
      only.setAttribute("aria-pressed", String(alone(key)));
      value.textContent = unit;
    }
    for (const mark of document.querySelectorAll(".stats-key[data-series]")) {
      const { line, marker } = mainTrace(figure.data, series.find(({ key }) => key === mark.dataset.series) || {}) || {};
      if (line || marker) mark.style.backgroundColor = (line || marker).color; // as few of many are tinted
    }
    nameAbove(series.filter(({ key }) => !hidden.has(key)));
    if (!cursors) cursors = waitForCursors();
    byId("notes").hidden = !rows.size;
    if (meta && meta.notes && meta.notes.version) notes();
    else if (!byId("notes").firstChild) byId("notes").append(adding());
    lit = null; // Plotly has drawn anew
    window.dispatchEvent(new Event("riwayat:drawn"));
  }

  function build(series, keys) {
    rows.clear();
    if (list) list.remove();
    list = make("ul", "rail-list");
    list.dataset.keys = keys;
    list.setAttribute("aria-label", words().series);
    for (const one of series) rows.set(one.key, row(one));
    list.append(...[...rows.values()].map(({ item }) => item));
    byId("rail").append(list);
    byId("rail").hidden = !rows.size;
  }

  // What tells the series apart, above the chart of a small screen.
  function nameAbove(shown) {
    const strip = byId("rail-strip");
    const few = shown.filter(({ many }) => many).length <= MOST_NAMED;
    const series = few ? shown : shown.filter(({ many }) => !many); // their median tells enough
    const [stations, sensors] = ["station", "sensor"].map((part) => new Set(series.map((one) => one[part])).size);
    strip.hidden = !rows.size;
    strip.replaceChildren(
      ...series.map((each) => {
        const { short, sensor } = each;
        const one = make("span", "rail-key");
        const parts = [...(stations > 1 || sensors === 1 ? [short] : []), ...(sensors > 1 ? [sensor] : [])];
        one.append(swatch(mainTrace(chart().figure.data, each)), parts.join(" · "));
        return one;
      })
    );
  }

  // ---- what is shown ----------------------------------------------------------------------------

  const keysOf = () => [...rows.keys()];
  const alone = (key) => rows.size > 1 && keysOf().every((each) => chart().hidden.has(each) === (each !== key));

  // Other series that are hidden, of another view or load, stay so.
  function hide(keys) {
    const kept = [...chart().hidden].filter((key) => !rows.has(key));
    window.riwayatChart.hide([...kept, ...keys]);
  }

  function toggle(key) {
    const hidden = keysOf().filter((each) => chart().hidden.has(each));
    hide(hidden.includes(key) ? hidden.filter((each) => each !== key) : [...hidden, key]);
  }

  // This one alone; when it is that already, all of them again.
  function solo(key) {
    hide(alone(key) ? [] : keysOf().filter((each) => each !== key));
  }

  // ---- many stations ------------------------------------------------------------------------------

  // While few of them are shown each has a colour of its own.
  function tint(data, { series, hues }) {
    for (const sensor of hues ? new Set(series.map((one) => one.sensor)) : []) {
      const traces = series.filter((one) => one.many && one.sensor === sensor).map((one) => mainTrace(data, one));
      const shown = traces.filter((trace) => trace && trace.visible !== "legendonly");
      for (const trace of traces.filter(Boolean)) {
        const look = trace.mode.includes("lines") ? trace.line : trace.marker;
        trace.meta = trace.meta || { color: look.color, opacity: trace.opacity };
        const few = shown.length <= hues.length && shown.includes(trace);
        look.color = few ? hues[shown.indexOf(trace)] : trace.meta.color;
        trace.opacity = few ? 1 : trace.meta.opacity;
      }
    }
  }

  // The one that is pointed at lies over the others in the page's colour (rail.css); null: none.
  function light(key) {
    const { figure, meta, place } = chart();
    const one = key && meta && meta.series && meta.series.find((each) => each.key === key && each.many);
    const next = one ? key : null;
    if (next === lit) return;
    lit = next;
    for (const drawn of place.querySelectorAll(".scatterlayer .lit")) drawn.classList.remove("lit");
    for (const [each, { item }] of rows) item.dataset.lit = each === lit ? "true" : "";
    for (const drawn of one ? place.querySelectorAll(`.scatterlayer .trace${mainTrace(figure.data, one).uid}`) : []) {
      drawn.classList.add("lit");
      drawn.parentNode.append(drawn);
    }
  }

  // ---- panels -----------------------------------------------------------------------------------

  const LEAST_SHARE = 1 / 4000; // of the plot's height; Plotly takes no domain that is empty
  const MOST_TICKS = 12;
  const plain = new WeakMap(); // layout -> where its panels and their words are while all is shown

  // The panels of a layout from the top: {top, height, axes}; of two axes in one, one lies over the
  // other.
  function panels(layout) {
    const found = new Map();
    for (const [name, axis] of Object.entries(layout).filter(([each]) => /^yaxis\d*$/.test(each))) {
      const [bottom, top] = axis.domain;
      if (!found.has(top)) found.set(top, { top, height: top - bottom, axes: [] });
      found.get(top).axes.push({ name, ticks: axis.nticks });
    }
    const notes = (layout.annotations || []).filter(({ x }) => x === 0).map((note) => ({ note, y: note.y }));
    return { panels: [...found.values()].sort((one, other) => other.top - one.top), notes };
  }

  // A panel of which nothing is shown leaves its room to the others; Plotly would invent a scale for
  // it.
  function fold(data, layout) {
    tint(data, layout.meta || {});
    if (!plain.has(layout)) plain.set(layout, panels(layout));
    const { panels: all, notes } = plain.get(layout);
    const used = new Set(data.filter(({ visible }) => visible !== "legendonly").map(({ yaxis = "y" }) => yaxis.replace("y", "yaxis")));
    const shown = all.filter(({ axes }) => axes.some(({ name }) => used.has(name)));
    const open = shown.length ? shown : all; // of nothing all panels stay, empty
    const between = all.length > 1 ? all[0].top - all[0].height - all[1].top : 0;
    const height = (1 - (open.length - 1) * between) / open.length;
    for (const panel of all) {
      const place = open.indexOf(panel);
      const top = 1 - place * (height + between);
      const domain = place < 0 ? [0, LEAST_SHARE] : [Math.max(0, top - height), top];
      for (const { name, ticks } of panel.axes) {
        const nticks = Math.max(ticks, Math.min(MOST_TICKS, Math.round((ticks * height) / panel.height)));
        Object.assign(layout[name], { domain, nticks, visible: used.has(name) });
      }
      for (const { note, y } of notes.filter((each) => each.y === panel.top)) Object.assign(note, { visible: place >= 0, y: place < 0 ? y : top });
    }
    for (const shape of layout.shapes || []) {
      const axis = shape.yref.split(" ")[0].replace("y", "yaxis");
      if (layout[axis]) shape.visible = used.has(axis);
    }
  }

  // Values by key, {value, aside}, with a dash for a series without one; null: no cursor, all show
  // their units.
  function say(values) {
    for (const [key, { value, unit }] of rows) {
      const found = values && values.get(key);
      value.textContent = found ? found.value : values ? "–" : unit;
      if (found && found.aside) value.append(make("small", "rail-aside", found.aside));
    }
  }

  // What the cursor needs comes when a pointer or the keyboard is first in the chart; a long press
  // of a finger would be over by then.
  function waitForCursors() {
    const frame = byId("chart-frame");
    const kinds = ["pointermove", "focusin"];
    const load = function () {
      for (const kind of kinds) frame.removeEventListener(kind, load);
      window.riwayatWorkbench.scripts(["readings.js", "between.js", "cursors.js"]);
    };
    for (const kind of kinds) frame.addEventListener(kind, load);
    if (window.matchMedia("(pointer: coarse)").matches) load();
    return load;
  }

  // ---- notes ------------------------------------------------------------------------------------

  // Their script comes where there are some, or one is written.
  const notes = () => window.riwayatWorkbench.scripts(["readings.js", "notes.js"]);
  const note = () => notes().then(() => window.riwayatNotes.write());

  function adding() {
    const add = make("button", "btn btn-sm note-add", JSON.parse(byId("notes").dataset.words).add);
    add.type = "button";
    add.addEventListener("click", note);
    return add;
  }

  window.addEventListener("keydown", function (event) {
    const busy = event.target.closest && event.target.closest("input, textarea, select, dialog, [role=dialog], [contenteditable]");
    if (event.key.toLowerCase() !== "n" || event.ctrlKey || event.metaKey || event.altKey || busy || !rows.size) return;
    event.preventDefault();
    note();
  });

  window.riwayatRail = { adding, fold, light, note, say, show };
})();
