// The map of a first visit: a press on a station, or a box around some, chooses them in the form.
// It is a chart of longitude and latitude at equal scale, so that nothing comes from elsewhere.
(function () {
  "use strict";

  const root = document.documentElement;
  const map = document.getElementById("station-map");
  const PAUSE_MS = 250;
  const MOST_NAMED = 30; // more names than that lie over one another
  const { rows, places } = window.dash_component_api.getLayout("station-rows").props.data;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // to Plotly a name may be markup
  const [x, y] = [places.map((place) => place[2]), places.map((place) => place[1])];
  const middle = (Math.min(...y) + Math.max(...y)) / 2;

  function figure() {
    const axis = { gridcolor: colour("line"), zeroline: false, ticksuffix: "°", nticks: 6 };
    const named = places.length <= MOST_NAMED;
    const stations = {
      x,
      y,
      type: "scatter",
      mode: named ? "markers+text" : "markers",
      text: places.map(([at]) => plain(rows[at][1])),
      textposition: "top center",
      hoverinfo: "text",
      hovertext: places.map(([at, , , metres]) => plain(rows[at][1]) + (metres === null ? "" : `, ${Math.round(metres)} m`)),
      cliponaxis: false,
      marker: { color: colour("accent"), size: named ? 10 : 7 },
      unselected: { marker: { opacity: 0.35 } },
    };
    const layout = {
      dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "select", // a finger scrolls the page
      font: { color: colour("muted"), family: getComputedStyle(map).fontFamily, size: 12 },
      modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: colour("muted"), activecolor: colour("ink") },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("line"), font: { color: colour("ink") } },
      margin: { l: 56, r: 16, t: 16, b: 32 },
      paper_bgcolor: "rgba(0, 0, 0, 0)",
      plot_bgcolor: "rgba(0, 0, 0, 0)",
      uirevision: 1,
      xaxis: axis,
      yaxis: { ...axis, scaleanchor: "x", scaleratio: 1 / Math.cos((middle * Math.PI) / 180) },
    };
    return [[stations], layout];
  }

  // The form then holds them; what to press next has the focus, on a phone in the sheet.
  function choose(event) {
    if (!event || !event.points.length) return;
    const stations = event.points.map(({ pointIndex }) => rows[places[pointIndex][0]][0]);
    window.dash_clientside.set_props("station-choice", { data: { stations, load: false, at: Date.now() } });
    const toggle = document.getElementById("form-toggle");
    if (toggle.offsetParent) toggle.click();
    window.setTimeout(() => document.getElementById("load").focus(), 0);
  }

  function press({ points }) {
    window.Plotly.update(map, { selectedpoints: [[points[0].pointIndex]] }, { selections: [] });
    choose({ points });
  }

  async function draw() {
    await window.riwayatView.plotlyReady(window._dashPlotlyJSURL);
    const config = { displaylogo: false, locale: root.lang, modeBarButtons: [["select2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };
    await window.Plotly.react(map, ...figure(), config);
    for (const gesture of ["plotly_click", "plotly_selected"]) map.removeAllListeners(gesture);
    map.on("plotly_selected", choose);
    map.on("plotly_click", press);
  }

  // What the search of the list leaves out is faint, once nobody types any more.
  let pause = 0;
  document.getElementById("station-list").addEventListener("found", function ({ detail }) {
    const found = new Set(detail);
    const opacity = places.map(([at]) => (found.has(at) ? 1 : 0.15));
    window.clearTimeout(pause);
    pause = window.setTimeout(() => map.data && window.Plotly.restyle(map, { "marker.opacity": [opacity] }), PAUSE_MS);
  });
  new MutationObserver(draw).observe(root, { attributeFilter: ["data-bs-theme"] });
  // Hidden beside a chart it has no size, and comes back into a window that may have another.
  new ResizeObserver(() => map.offsetParent && (map.data ? window.Plotly.Plots.resize(map) : draw())).observe(map);
})();
