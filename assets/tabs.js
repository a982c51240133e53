// Tabs of views that do not fit the series that are shown say why; a press still opens one, with the
// same sentence in the place of the picture. Those that are not granted are not there.
(function () {
  "use strict";

  const row = document.getElementById("views");
  const tabs = [...row.querySelectorAll("[data-view]")];

  function mark() {
    const { unfit = {}, absent = [] } = JSON.parse(row.dataset.fits || "{}");
    const views = (tab) => tab.dataset.views.split(" ");
    const there = tabs.filter((tab) => !views(tab).every((view) => absent.includes(view)));
    for (const tab of there) {
      const why = (views(tab).every((view) => unfit[view]) && unfit[tab.dataset.view]) || "";
      tab.title = why;
      for (const [name, value] of [["aria-disabled", why && "true"], ["aria-description", why]]) {
        if (value) tab.setAttribute(name, value);
        else tab.removeAttribute(name);
      }
    }
    if (there.length !== row.children.length) row.replaceChildren(...there); // which takes the focus away
  }

  new MutationObserver(mark).observe(row, { attributeFilter: ["data-fits"] });
  mark();
})();
