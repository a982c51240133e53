// The chart in the browser: which window its user wants (zoom, pan, brush, keys), and which of the server's answers to draw.
//
// Every gesture gets a number; the server echoes it with its figure. An answer older than the latest gesture is dropped,
// and none is drawn while a pointer is down in the chart. Times are ms UTC; a figure's axis is the wall clock of the
// request's zone: axis = UTC + layout.meta.offset, one offset a figure, so the way back is exact.
(function () {
  "use strict";

  const WAIT_MS = 120; // between the last gesture and the question to the server
  const LEAST_MS = 1000; // the narrowest window
  const CHART = "chart";
  const axisTime = window.riwayatAxisTime; // assets/axistime.js
  const state = { sequence: 0, job: null, meta: null, window: null, timer: null, pressed: false, held: null, width: 0 };

  const byId = (id) => document.getElementById(id);
  const plot = (id) => document.querySelector(`#${id} .js-plotly-plot`);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const noUpdate = () => window.dash_clientside.no_update;

  // ---- the window -----------------------------------------------------------------------------------------------

  function whole() {
    return state.meta ? { start: state.meta.whole[0], end: state.meta.whole[1] } : null;
  }

  function current() {
    return state.window || whole();
  }

  function clamped(start, end) {
    const all = whole();
    const length = Math.min(Math.max(end - start, LEAST_MS), all.end - all.start);
    const first = Math.min(Math.max(start, all.start), all.end - length);
    return { start: Math.round(first), end: Math.round(first + length) };
  }

  // The user wants [start, end), or the whole range (null). The server is asked once the hand rests.
  function gesture(wanted) {
    if (!state.meta) return;
    const all = whole();
    const next = wanted && clamped(wanted.start, wanted.end);
    state.window = next && (next.start > all.start || next.end < all.end) ? next : null;
    state.sequence += 1;
    paintBrush();
    window.clearTimeout(state.timer);
    state.timer = window.setTimeout(ask, WAIT_MS);
  }

  function ask() {
    const wanted = state.window || { start: null, end: null };
    setProps("chart-window", { data: { ...wanted, job: state.job, sequence: state.sequence } });
  }

  function pan(share) {
    const seen = current();
    const step = (seen.end - seen.start) * share;
    gesture({ start: seen.start + step, end: seen.end + step });
  }

  function zoom(factor) {
    const seen = current();
    const middle = (seen.start + seen.end) / 2;
    const half = Math.max(((seen.end - seen.start) * factor) / 2, LEAST_MS / 2);
    gesture({ start: middle - half, end: middle + half });
  }

  // ---- the server's answers -------------------------------------------------------------------------------------

  function draw(answer) {
    if (!answer) return noUpdate();
    if (answer.job !== state.job) {
      state.job = answer.job;
      state.window = null;
      window.clearTimeout(state.timer);
      state.sequence = Math.max(state.sequence, answer.sequence);
    } else if (answer.sequence < state.sequence) {
      return noUpdate();
    }
    if (state.pressed) {
      state.held = answer;
      return noUpdate();
    }
    return accept(answer);
  }

  // Series that the user hid stay hidden. Plotly's uirevision alone forgets them: Dash plots a figure again after a relayout.
  function keepHidden(figure) {
    const graph = plot(CHART);
    const before = graph && graph.layout && graph.layout.meta;
    if (!before || !graph.data || before.revision !== figure.layout.meta.revision) return;
    const hidden = new Set(graph.data.filter((trace) => trace.visible === "legendonly").map((trace) => trace.legendgroup));
    for (const trace of figure.data) {
      if (hidden.has(trace.legendgroup)) trace.visible = "legendonly";
    }
  }

  function accept(answer) {
    state.held = null;
    const meta = answer.figure.layout.meta;
    if (meta) keepHidden(answer.figure);
    state.meta = meta || null;
    if (meta) {
      const partial = meta.start > meta.whole[0] || meta.end < meta.whole[1];
      state.window = partial ? { start: meta.start, end: meta.end } : null;
      byId("chart-frame").closest(".chart").dataset.empty = "";
    } else {
      byId("chart-frame").closest(".chart").dataset.empty = "true";
    }
    paintBrush();
    return answer.figure;
  }

  // A figure that came while the pointer was down, unless the gesture made it stale.
  function release() {
    state.pressed = false;
    const held = state.held;
    if (!held) return;
    window.setTimeout(function () {
      if (state.held === held && held.sequence >= state.sequence) setProps(CHART, { figure: accept(held) });
    }, WAIT_MS); // Plotly tells of a zoom only after the pointer is up
  }

  function relayout(change) {
    if (!change || !state.meta) return;
    const range = change["xaxis.range"] || [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    if (range[0] !== undefined && range[1] !== undefined) {
      const [start, end] = range.map((value) => axisTime(value, state.meta.offset)).sort((one, other) => one - other);
      gesture({ start, end });
    } else if (change["xaxis.autorange"]) {
      gesture(null);
    }
  }

  // ---- the brush on the overview --------------------------------------------------------------------------------

  function track() {
    const size = plot("overview") && plot("overview")._fullLayout && plot("overview")._fullLayout._size;
    return size ? { left: size.l, width: size.w, height: size.h + size.t } : null;
  }

  function paintBrush() {
    const brush = byId("overview-brush");
    const area = track();
    const chart = brush && brush.closest(".chart");
    if (!brush || !area || !state.meta) {
      if (brush) brush.hidden = true;
      return;
    }
    const all = whole();
    const seen = current();
    const scale = area.width / (all.end - all.start);
    brush.hidden = false;
    brush.style.left = `${area.left + (seen.start - all.start) * scale}px`;
    brush.style.width = `${Math.max(3, (seen.end - seen.start) * scale)}px`;
    brush.style.height = `${area.height}px`;
    chart.dataset.zoomed = state.window ? "true" : "";
  }

  function brushStart(event) {
    const frame = event.target.closest && event.target.closest("#overview-frame");
    const area = track();
    if (!frame || !area || !state.meta || event.button !== 0) return;
    const all = whole();
    const left = frame.getBoundingClientRect().left + area.left;
    const timeAt = (x) => all.start + ((x - left) / area.width) * (all.end - all.start);
    const part = (event.target.dataset && event.target.dataset.part) || "new";
    const grab = { part: part === "middle" && !state.window ? "new" : part, time: timeAt(event.clientX), from: current(), x: event.clientX };
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();

    function move(moved) {
      if (Math.abs(moved.clientX - grab.x) < 3 && !grab.moved) return;
      grab.moved = true;
      const time = timeAt(moved.clientX);
      const { start, end } = grab.from;
      if (grab.part === "middle") gesture({ start: start + time - grab.time, end: end + time - grab.time });
      if (grab.part === "start") gesture({ start: Math.min(time, end - LEAST_MS), end });
      if (grab.part === "end") gesture({ start, end: Math.max(time, start + LEAST_MS) });
      if (grab.part === "new") gesture({ start: Math.min(time, grab.time), end: Math.max(time, grab.time) });
    }

    function stop() {
      frame.removeEventListener("pointermove", move);
      frame.removeEventListener("pointerup", stop);
      frame.removeEventListener("pointercancel", stop);
    }

    frame.addEventListener("pointermove", move);
    frame.addEventListener("pointerup", stop);
    frame.addEventListener("pointercancel", stop);
  }

  // ---- keys, copying, pictures ----------------------------------------------------------------------------------

  const KEYS = {
    ArrowLeft: (event) => pan(event.shiftKey ? -1 : -0.2),
    ArrowRight: (event) => pan(event.shiftKey ? 1 : 0.2),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    _: () => zoom(2),
    0: () => gesture(null),
    Home: () => gesture(null),
  };

  function key(event) {
    const action = KEYS[event.key];
    if (!action || !state.meta || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!event.target.closest || !event.target.closest("#chart-frame, #overview-frame")) return;
    event.preventDefault();
    action(event);
  }

  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = document.createElement("textarea"); // plain HTTP from another machine has no clipboard API
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    return undefined;
  }

  async function copyStatistics(clicks, id) {
    const table = document.querySelector("#stats [data-tsv]");
    if (!clicks || !table) return;
    await copy(table.dataset.tsv);
    const button = byId(id);
    const words = button.textContent;
    if (words === button.dataset.done) return;
    button.textContent = button.dataset.done;
    window.setTimeout(() => (button.textContent = words), 1500);
  }

  function picture(clicks) {
    const graph = plot(CHART);
    if (!clicks || !graph || !state.meta) return;
    const layout = { ...graph.layout, paper_bgcolor: state.meta.ground, plot_bgcolor: state.meta.ground, shapes: graph.layout.shapes };
    const { width, height } = graph._fullLayout;
    const options = { format: "png", width, height, scale: 2, filename: state.meta.picture };
    window.Plotly.downloadImage({ data: graph.data, layout, config: { locale: graph._context.locale } }, options);
  }

  // ---- sizes ----------------------------------------------------------------------------------------------------

  function plotWidth() {
    const frame = byId("chart-frame");
    const margin = (plot(CHART) && plot(CHART).layout && plot(CHART).layout.margin) || { l: 54, r: 14 };
    return frame ? Math.floor(frame.clientWidth - margin.l - margin.r) : 0;
  }

  function measure() {
    const width = plotWidth();
    if (width > 0 && Math.abs(width - state.width) > 1) {
      state.width = width;
      setProps("chart-width", { data: width });
    }
    paintBrush();
  }

  function mounted() {
    let timer = null;
    new ResizeObserver(function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(measure, state.width ? 150 : 0);
    }).observe(byId("chart-frame"));
    state.width = Math.max(0, plotWidth());
    return state.width > 0 ? state.width : noUpdate();
  }

  document.addEventListener("keydown", key);
  document.addEventListener("pointerdown", function (event) {
    if (event.target.closest && event.target.closest("#chart")) state.pressed = true;
    brushStart(event);
  });
  document.addEventListener("pointermove", function (event) {
    if (state.pressed && event.buttons === 0) release(); // let go outside the page
  });
  document.addEventListener("pointerup", release, true);
  document.addEventListener("pointercancel", release, true);
  document.addEventListener("dblclick", function (event) {
    if (event.target.closest && event.target.closest("#overview-frame")) gesture(null);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    riwayat_chart: {
      draw,
      mounted,
      relayout,
      picture,
      copyStatistics,
      axisTime,
      overviewDrawn: () => window.requestAnimationFrame(paintBrush),
      wholeRange: (clicks) => void (clicks && gesture(null)),
    },
  });
})();
