// The picture of an event of quality control in the tab Quality: its series with what is around it,
// and the same sensor of other stations behind it. Where people decided about it, what was measured
// is dotted beneath what counts. It comes with the list (review.js).
(function () {
  "use strict";

  const HEIGHT_PX = 230;
  const PAUSE_MS = 90; // while a key is held, the last event is drawn
  const FAINT = 0.3; // of the other stations
  const { MARGINS_PX, plotlyReady } = window.riwayatView;
  const { documentElement: root } = document;
  let asking = null;
  let shown = ""; // what is drawn, or asked for

  const pause = (ms) => new Promise((resolve) => window.setTimeout(resolve, ms));

  function address({ sensor, door }, width, more) {
    const { meta } = window.riwayatChart.chart;
    const job = window.riwayatChart.job;
    const query = new URLSearchParams({
      from: Math.max(door[0], meta.whole[0]),
      to: Math.min(door[1], meta.whole[1]),
      width,
      ratio: window.devicePixelRatio || 1,
      height: HEIGHT_PX,
      theme: root.getAttribute("data-bs-theme") || "light",
      language: root.lang,
      ...(sensor && { only: sensor }),
      ...more,
    });
    return `${root.dataset.prefix}api/jobs/${encodeURIComponent(job)}/figure?${query}`;
  }

  async function fetched(url, signal) {
    const answer = await fetch(url, { headers: { Accept: "application/json" }, signal });
    const found = await answer.json();
    if (!answer.ok) throw new Error(found.error.message);
    return found;
  }

  // The series of the event in front, others faint.
  function arranged(figure, event, measured) {
    const key = `${event.station}.${event.sensor}`;
    const { data, layout } = figure;
    const own = ({ legendgroup }) => !event.sensor || legendgroup === key;
    for (const trace of data.filter((each) => !own(each))) Object.assign(trace, { opacity: FAINT, hoverinfo: "skip" });
    const { offset } = layout.meta;
    const [start, end] = [event.from + offset, event.to + offset];
    const span = { type: "rect", xref: "x", yref: "paper", x0: start, x1: end, y0: 0, y1: 1, layer: "below", fillcolor: "#D55E00", opacity: 0.16, line: { width: 1, color: "#D55E00" } };
    layout.shapes = [...(layout.shapes || []), span];
    const before = measured ? measured.data.filter((each) => own(each) && each.showlegend !== false).map(dotted) : [];
    return { data: [...data.filter((each) => !own(each)), ...before, ...data.filter(own)], layout };
  }

  function dotted(trace) {
    const color = getComputedStyle(root).getPropertyValue("--muted").trim();
    const line = { ...trace.line, color, width: 1.2, dash: "dot" };
    return { ...trace, line, marker: { ...trace.marker, color }, opacity: 0.8, showlegend: false, legendgroup: "measured" };
  }

  // Draw an event into a place; ``decided``: people decided about what is there. The promise gives
  // what went wrong, or nothing.
  async function show(place, event, decided) {
    const width = Math.max(120, Math.floor(place.clientWidth - MARGINS_PX));
    const { figure } = window.riwayatChart.chart;
    const url = address(event, width, { flags: window.riwayatWorkbench.shown.options.flags || "hard" });
    const whole = `${url} ${decided}`;
    if (whole === shown && asking && asking.figure === figure) return "";
    if (asking) asking.abort();
    const mine = Object.assign(new AbortController(), { figure });
    asking = mine;
    shown = whole;
    try {
      await pause(PAUSE_MS);
      if (mine !== asking) return "";
      const urls = [url, ...(decided ? [address(event, width, { flags: "none" })] : [])];
      const [found, measured] = await Promise.all(urls.map((each) => fetched(each, mine.signal)));
      await plotlyReady(window._dashPlotlyJSURL);
      if (mine !== asking) return "";
      const { data, layout } = arranged(found, event, measured);
      Object.assign(layout, { dragmode: false, width: place.clientWidth });
      await window.Plotly.react(place, data, layout, { displayModeBar: false, locale: root.lang, responsive: false, showTips: false });
      return "";
    } catch (trouble) {
      if (mine !== asking) return "";
      shown = "";
      return trouble.message;
    }
  }

  function forget() {
    if (asking) asking.abort();
    asking = null;
    shown = "";
  }

  window.riwayatEventPicture = { forget, show };
})();
