// The map of a first visit: a press on a station, or a box around some, chooses them in the form.
// Its coast lines are the site's own, so that nothing comes from elsewhere.
(function () {
  "use strict";

  const root = document.documentElement;
  const map = document.getElementById("station-map");
  const PAUSE_MS = 250;
  const MOST_NAMED = 30; // more names than that lie over one another
  const { rows, places } = window.dash_component_api.getLayout("station-rows").props.data;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"); // to Plotly a name may be markup
  const [lon, lat] = [places.map((place) => place[2]), places.map((place) => place[1])];
  const ROOM = 1.3; // of the stations' extent, with what is around them
  const LEAST = 2; // degrees from south to north that the coast lines are fine enough for
  const NEAR = 0.1; // stations that are not so far apart would be one point there: these have no coast

  // Ranges of longitude and latitude that hold all places and fill the map.
  function ranges() {
    const [[west, east], [south, north]] = [lon, lat].map((found) => [Math.min(...found), Math.max(...found)]);
    const middle = [(west + east) / 2, (south + north) / 2];
    const wide = map.clientWidth / map.clientHeight / Math.max(0.1, Math.cos((middle[1] * Math.PI) / 180)); // degrees a degree
    const extent = Math.max(north - south, (east - west) / wide);
    const near = extent < NEAR;
    const half = (near ? Math.max(extent, NEAR / 10) : Math.max(extent, LEAST / ROOM)) * (ROOM / 2);
    const around = (at, by, most) => [Math.max(at - by, -most), Math.min(at + by, most)];
    return { lonaxis: around(middle[0], half * wide, 180), lataxis: around(middle[1], half, 85), near };
  }

  function figure() {
    const { lonaxis, lataxis, near } = ranges();
    const named = places.length <= MOST_NAMED;
    const stations = {
      lon,
      lat,
      type: "scattergeo",
      mode: named ? "markers+text" : "markers",
      text: places.map(([at]) => plain(rows[at][1])),
      textposition: "top center",
      hoverinfo: "text",
      hovertext: places.map(([at, , , metres]) => plain(rows[at][1]) + (metres === null ? "" : `, ${Math.round(metres)} m`)),
      marker: { color: colour("accent"), size: named ? 10 : 7, line: { width: 0 } },
      unselected: { marker: { opacity: 0.35 } },
    };
    const layout = {
      dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "select", // a finger scrolls the page
      font: { color: colour("ink"), family: getComputedStyle(map).fontFamily, size: 12 },
      modebar: { bgcolor: "rgba(0, 0, 0, 0)", color: colour("muted"), activecolor: colour("ink") },
      hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("line"), font: { color: colour("ink") } },
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "rgba(0, 0, 0, 0)",
      uirevision: 1,
      geo: {
        bgcolor: "rgba(0, 0, 0, 0)",
        projection: { type: "mercator" },
        lonaxis: { range: lonaxis },
        lataxis: { range: lataxis },
        resolution: 110, // of which assets/ has coast lines (docs/coastlines.py)
        showframe: false,
        landcolor: colour("panel"),
        showland: !near,
        showcoastlines: !near,
        coastlinecolor: colour("control-line"),
        coastlinewidth: 0.8,
      },
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
    const config = {
      displaylogo: false,
      locale: root.lang,
      modeBarButtons: [["select2d", "pan2d", "zoomInGeo", "zoomOutGeo", "resetGeo"]],
      scrollZoom: false, // the wheel scrolls the page
      topojsonURL: `${root.dataset.prefix || "/"}assets/`,
    };
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
