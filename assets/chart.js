// The chart of the history page: it asks for the window that its user wants (zoom, pan, brush,
// keys), and draws what the server answers. Gestures and drawing are in view.js, which the frame of
// an embedded chart shares.
//
// Every gesture gets a number; the server echoes it with its answer. An answer older than the
// latest gesture is dropped, and none is drawn while a pointer is down in the chart. Figure, badge,
// statistics and the links to the rows come in one answer and are shown together or not at all.
(function () {
  "use strict";

  const [SOON_MS, LATER_MS] = [250, 2000];
  const state = { chart: null, sequence: 0, job: null, width: 0, view: "trend", options: {}, drawn: null, arrived: true, pause: SOON_MS };

  const byId = (id) => document.getElementById(id);
  const setProps = (id, props) => window.dash_clientside.set_props(id, props);
  const noUpdate = () => window.dash_clientside.no_update;
  const chartBlock = () => byId("chart-frame").closest(".chart");

  // ---- questions ----

  // The user wants another window.
  function changed() {
    state.sequence += 1;
    state.pause = SOON_MS;
    waiting(true);
    paintBrush();
  }

  function ask() {
    const wanted = state.chart.window || { start: null, end: null };
    const { job, sequence, view, options } = state;
    setProps("selection", { data: { ...wanted, job, sequence, view, options } });
  }

  // The part of a window that the job has; null where it has none of it.
  function inside(wanted, whole) {
    const [start, end] = [Math.max(wanted.start, whole.start), Math.min(wanted.end, whole.end)];
    return start < end ? { start, end } : null;
  }

  // A job answers: ask again after a while, then a longer one, unless something else is wanted
  // meanwhile.
  function askLater(sequence) {
    window.setTimeout(() => state.sequence === sequence && state.chart.meta && ask(), state.pause);
    state.pause = Math.min(LATER_MS, 1.5 * state.pause);
  }

  // Another view of the job; of the same window, unless it names one.
  function choose(view, options, wanted) {
    Object.assign(state, { view, options });
    if (!state.chart || !state.job) return;
    const within = wanted && state.chart.meta && inside(wanted, state.chart.whole);
    state.chart.want(within || state.chart.window, 0);
  }

  const waits = () => chartBlock().dataset.waiting === "true";

  function waiting(on) {
    chartBlock().dataset.waiting = on ? "true" : "";
    byId("chart-frame").setAttribute("aria-busy", String(on));
  }

  // ---- the server's answers ----

  // New values of badge, statistics and links, together with the figure.
  async function draw(answer) {
    if (!answer) return noUpdate();
    if (answer.job !== state.job) {
      state.job = answer.job;
      state.chart.forget();
      state.chart.window = null;
      state.sequence = answer.sequence; // a gesture of the other job that was not asked yet is forgotten with it
      state.drawn = null;
    }
    const query = new URLSearchParams(window.location.search);
    if (state.arrived && query.get("job") === answer.job) {
      Object.assign(state, { arrived: false, drawn: null });
      state.chart.hidden = new Set(window.riwayatWorkbench.read(query).hidden); // else what its user hid stays so
    }
    for (const told of [answer.table, answer.review].filter(Boolean)) await window.riwayatWorkbench.scripts(told.scripts);
    if (state.chart.hidden.size) await around(); // the rail folds panels
    await state.chart.rest(); // a gesture may make it stale
    return answer.job === state.job && answer.sequence >= state.sequence ? accept(answer) : noUpdate();
  }

  // The window of a figure; null where that is the whole range.
  function partOf(meta) {
    const partial = meta && (meta.start > meta.whole[0] || meta.end < meta.whole[1]);
    return partial ? { start: meta.start, end: meta.end } : null;
  }

  // The server refuses what was wanted, as of one who has signed out: what is drawn is what is
  // shown.
  function giveUp() {
    if (!state.chart) return;
    state.chart.window = partOf(state.chart.meta);
    if (state.drawn) showView(state.drawn.view, state.drawn.options);
    waiting(false);
    paintBrush();
  }

  function showView(view, options) {
    Object.assign(state, { view, options });
    window.riwayatWorkbench.show(view, options);
  }

  async function accept(answer) {
    const { meta } = answer.figure.layout;
    state.chart.window = partOf(meta);
    chartBlock().dataset.empty = meta ? "" : "true";
    if (answer.sequence >= state.sequence) showView(answer.view, answer.options);
    await Promise.all([state.chart.show(answer.figure), around()]);
    showAround(answer.statistics);
    state.review = answer.review;
    window.dispatchEvent(new Event("riwayat:review"));
    if (answer.sequence >= state.sequence) waiting(false);
    paintBrush();
    address(answer);
    if (answer.waits) askLater(answer.sequence);
    const { job, view, options } = answer;
    const drawn = meta ? { job, view, options, start: meta.start, end: meta.end } : null;
    const overview = answer.overview ? [answer.overview, answer.overview_version] : [noUpdate(), noUpdate()];
    const { badge, heading, lists, controls, note, reports, links } = answer;
    if (window.riwayatTable) window.riwayatTable.show(answer.table);
    const grid = answer.table ? answer.table.grid : null;
    const shown = grid && grid === state.grid ? noUpdate() : lists; // a grid that is there is told what is new
    state.grid = grid;
    return [badge, heading, shown, controls, note, reports, ...links, ...overview, drawn];
  }

  // The address names what is drawn: a reload, another tab and who gets the link see the same. The
  // first picture of a job belongs to the entry that it came with.
  function address({ job, view, options }) {
    const query = new URLSearchParams(window.location.search);
    if (!job || query.get("job") !== job) return;
    for (const [name, time] of [["from", "start"], ["to", "end"]]) {
      if (state.chart.window) query.set(name, new Date(state.chart.window[time]).toISOString().replace(".000Z", "Z"));
      else query.delete(name);
    }
    const series = (state.chart.meta && state.chart.meta.series) || [];
    const hidden = series.map(({ key }) => key).filter((key) => state.chart.hidden.has(key));
    window.riwayatWorkbench.write(query, view, options, hidden);
    const search = `?${query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",")}`;
    const first = !state.drawn;
    const another = !first && state.drawn.search !== search;
    const written = search === window.location.search;
    state.drawn = { view, options, search };
    if (another && !written) return void window.riwayatWorkbench.push(search);
    if (!written) window.riwayatReplaceAddress(search);
    window.riwayatWorkbench.steps(first);
  }

  // Two entries of the history may be of one job, which the server is not asked for again.
  function revisit() {
    const query = new URLSearchParams(window.location.search);
    const same = state.chart && state.job && query.get("job") === state.job;
    state.arrived = !same && (query.has("job") || query.has("saved"));
    if (!same) return;
    const [start, end] = ["from", "to"].map((name) => Date.parse(query.get(name)));
    const { view, options, hidden } = window.riwayatWorkbench.read(query);
    state.chart.hidden = new Set(hidden);
    showView(view, options);
    state.chart.want(start < end ? { start, end } : null, 0);
  }

  // A link of the lists was followed: an entry without a popstate.
  function arrive(event) {
    if (!event.defaultPrevented) return; // to another tab
    window.riwayatWorkbench.steps(true);
    revisit();
  }

  // What its user hides is part of the selection.
  async function hide(series) {
    await state.chart.hide(series);
    window.riwayatRail.show();
    if (!waits() && state.drawn) address({ job: state.job, ...state.drawn });
  }

  // ---- what comes with the first chart: the brush on the overview, rail, statistics, paper ----

  const around = () => Promise.all(["brush.js", "picture.js", "rail.js", "statistics.js", "tabs.js", "workbook.js"].map(window.riwayatWorkbench.script));

  function showAround(statistics) {
    window.riwayatStatistics.show(statistics);
    window.riwayatBrush.align();
    paintBrush();
    window.riwayatRail.show();
  }

  function paintBrush() {
    if (state.chart && state.chart.meta) chartBlock().dataset.zoomed = state.chart.window ? "true" : "";
    if (window.riwayatBrush) window.riwayatBrush.paint();
  }

  // ---- keys ----

  function key(event) {
    if (!state.chart || !event.target.closest || !event.target.closest("#chart-frame, #overview-frame")) return;
    state.chart.key(event);
  }

  // ---- sizes ----

  // Labels may need a wider margin; the server is told the width that does not change with them.
  const plotWidth = () => Math.floor(byId("chart-frame").clientWidth - window.riwayatView.MARGINS_PX);

  // In the page's pixels, and how many of the screen's each of them is wide.
  const size = () => [state.width, window.devicePixelRatio || 1];

  function measure() {
    const width = plotWidth();
    state.chart.fit();
    if (width > 0 && Math.abs(width - state.width) > 1) {
      state.width = width;
      setProps("chart-width", { data: size() });
    }
    paintBrush();
  }

  function mounted() {
    const place = byId("chart").firstElementChild;
    const config = JSON.parse(place.dataset.config);
    const door = window.riwayatWorkbench.open;
    state.chart = new window.riwayatView.Chart(place, { plotly: window._dashPlotlyJSURL, config, changed, ask, door });
    let timer = null;
    new ResizeObserver(function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(measure, state.width ? 150 : 0);
    }).observe(byId("chart-frame"));
    state.width = Math.max(0, plotWidth());
    return state.width > 0 ? size() : noUpdate();
  }

  window.riwayatChart = {
    choose,
    hide,
    get chart() {
      return state.chart;
    },
    get job() {
      return state.job;
    },
    get review() {
      return state.review;
    },
  };
  window.addEventListener("popstate", revisit);
  window.addEventListener("riwayat:refused", giveUp);
  document.addEventListener("keydown", key);
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-zoom], #saved-lists a");
    if (!button) return;
    if (!button.dataset.zoom) arrive(event);
    else if (state.chart && state.chart.meta) state.chart.zoom(Number(button.dataset.zoom));
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    riwayat_chart: {
      draw,
      mounted,
      axisTime: (value, offset) => window.riwayatView.axisTime(value, offset),
      overviewDrawn: (figure) => void (figure && around().then(() => window.riwayatBrush.drawn())),
      picture: (clicks) => void (clicks && window.riwayatPicture && window.riwayatPicture.download(state.chart)),
      wholeRange: (clicks) => void (clicks && state.chart.want(null)),
    },
  });
})();
