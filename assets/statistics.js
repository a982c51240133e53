// The statistics of the window, which the server makes (layouts/statistics.py), as elements at once. Of forty series it has a thousand parts; Dash would make a component of each and watch
// it, which takes longer than drawing the chart.
(function () {
  "use strict";

  const PLAIN = { className: "class" }; // names of React's that attributes do not have

  // A part of an answer as Dash writes it, as an element; what is no part is text.
  function made(part) {
    if (typeof part !== "object") return String(part);
    const { children, style, ...attributes } = part.props;
    delete attributes.key; // React's alone
    const element = document.createElement(part.type.toLowerCase());
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(PLAIN[name] || name, value);
    Object.assign(element.style, style);
    element.append(...[children ?? []].flat().map(made));
    return element;
  }

  // One or several parts, or nothing. What has the focus has it again.
  function show(parts) {
    const place = document.getElementById("stats");
    const buttons = () => [...place.querySelectorAll("button")];
    const at = buttons().indexOf(document.activeElement);
    place.replaceChildren(...[parts ?? []].flat().filter(Boolean).map(made));
    const again = at < 0 ? null : buttons()[at];
    if (again) again.focus({ preventScroll: true });
  }

  window.riwayatStatistics = { show };
})();
