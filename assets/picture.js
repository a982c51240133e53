// A chart as it leaves the page, as a PNG or on paper: white, with its title, range, zone, source and
// date, and the names of its series where the page has a rail instead of a legend.
//
// A figure of the dark theme is turned over: each colour keeps its hue, and what was light is dark.
(function () {
  "use strict";

  const WHITE = "#ffffff";
  const LIGHTEST = 0.3; // luminance of a line on white: contrast 3
  const DARKER = 0.94; // one step towards it
  const PAPER_PX = 690; // width of a sheet of A4 between its margins
  const TITLE_PX = 20; // height of a line of the title
  const LETTER_PX = 8; // of a letter of it
  const RANGE_PX = 26;
  const SOURCE_PX = 24;
  const HEADING_PX = 22; // of the first panel, as figures/panels.py has it
  const COLOUR = /^(?:#([0-9a-f]{6})|rgba?\(([\d., ]+)\))$/i;

  const { documentElement: root } = document;

  // ---- colours ----------------------------------------------------------------------------------

  function luminance(parts) {
    const [red, green, blue] = parts.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function parsed(colour) {
    const [, hex, numbers] = COLOUR.exec(colour) || [];
    if (hex) return [[0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)), 1];
    if (!numbers) return null;
    const [red, green, blue, alpha = 1] = numbers.split(",").map(Number);
    return [[red, green, blue], alpha];
  }

  // The colour with its lightness turned over; one of a line is dark enough to be seen.
  function turned(colour, isLine) {
    const found = parsed(colour);
    if (!found) return colour;
    const shift = 255 - Math.max(...found[0]) - Math.min(...found[0]);
    let parts = found[0].map((part) => part + shift);
    while (isLine && luminance(parts) > LIGHTEST) parts = parts.map((part) => part * DARKER);
    return `rgba(${parts.map(Math.round).join(",")},${found[1]})`;
  }

  // A copy of a part of a figure with all its colours turned over; numbers are left as they are.
  function onWhite(part, name = "") {
    if (typeof part === "string") return turned(part, name === "line");
    if (Array.isArray(part)) return part.map((each) => onWhite(each, name));
    if (!part || typeof part !== "object" || ArrayBuffer.isView(part) || name === "meta") return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, onWhite(value, key === "color" ? name : key)]));
  }

  const isDark = ({ ground }) => luminance(parsed(ground || WHITE)[0]) < LIGHTEST;

  // ---- what stands around it --------------------------------------------------------------------

  function lines(text, width) {
    const found = [""];
    for (const word of text.split(" ")) {
      const longer = `${found.at(-1)} ${word}`.trim();
      if (found.at(-1) && longer.length * LETTER_PX > width) found.push(word);
      else found[found.length - 1] = longer;
    }
    return found;
  }

  function note(text, up, size, color) {
    const place = up > 0 ? { y: 1, yanchor: "bottom", yshift: up } : { y: 0, yanchor: "top", yshift: up };
    return { text, ...place, x: 0, xanchor: "left", xref: "paper", yref: "paper", showarrow: false, align: "left", font: { size, color } };
  }

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

  function today() {
    const language = root.lang === "en" ? "en-GB" : root.lang;
    return new Date().toLocaleDateString(language, { day: "numeric", month: "short", year: "numeric" });
  }

  // The figure that is drawn, of a width, as it leaves the page.
  function framed({ place, meta }, width) {
    const shown = place.data.filter(({ visible }) => visible !== "legendonly");
    const [data, layout] = isDark(meta) ? [onWhite(shown), onWhite(place.layout)] : [shown, place.layout];
    const { legend = 0, caption: [title, range, source] = ["", "", ""] } = meta;
    const { t, b, l, r } = { l: 0, r: 0, ...layout.margin };
    const titled = lines(title, width - l - r);
    const top = t + legend + titled.length * TITLE_PX + RANGE_PX;
    const made = source.replace("{host}", window.location.host).replace("{date}", today());
    const notes = [
      note(`<b>${titled.map(escaped).join("<br>")}</b>`, t + legend + RANGE_PX - 4, 15, "#1f2933"),
      note(escaped(range), t + legend + 6, 12, "#5b6672"),
      note(escaped(made), 4 - b, 11, "#5b6672"),
    ];
    const height = place._fullLayout.height + top - t + SOURCE_PX;
    const around = { paper_bgcolor: WHITE, plot_bgcolor: WHITE, height, width, margin: { ...layout.margin, t: top, b: b + SOURCE_PX } };
    const plot = height - top - around.margin.b;
    if (legend || layout.showlegend) {
      Object.assign(around, { showlegend: true, legend: { ...layout.legend, yref: "paper", yanchor: "bottom", y: 1 + HEADING_PX / plot } });
    }
    return { data, layout: { ...layout, ...around, annotations: [...(layout.annotations || []), ...notes] } };
  }

  function download(chart) {
    if (!chart.meta) return;
    const { width } = chart.place._fullLayout;
    const { data, layout } = framed(chart, width);
    const options = { format: "png", width, height: layout.height, scale: 2, filename: chart.meta.picture };
    window.Plotly.downloadImage({ data, layout, config: { locale: chart.config.locale } }, options);
  }

  // ---- on paper ---------------------------------------------------------------------------------

  let printed = null;

  function toPaper() {
    const { chart } = window.riwayatChart;
    if (printed || !chart || !chart.meta) return;
    const { data, layout } = chart.place;
    printed = { chart, data, layout };
    const paper = framed(chart, PAPER_PX);
    window.Plotly.react(chart.place, paper.data, paper.layout, chart.config);
  }

  function fromPaper() {
    if (!printed) return;
    const { chart, data, layout } = printed;
    printed = null;
    window.Plotly.react(chart.place, data, layout, chart.config);
  }

  if (window.riwayatChart) {
    window.addEventListener("beforeprint", toPaper);
    window.addEventListener("afterprint", fromPaper);
  }

  window.riwayatPicture = { download, framed };
})();
