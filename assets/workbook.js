// Excel files, NetCDF files and pictures are made by a job: a click on a link to one asks for it, shows how far it is, and
// begins the download when it is there.
(function () {
  "use strict";

  const POLL_MS = 700;
  const LONG_MS = 2000; // that a job may wait before a missing worker is spoken of
  const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[data-workbook]");
    if (!link || !link.href || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!link.dataset.progress) wait(link, link.href + hidden(link));
  }, true);

  // What the page hides its picture leaves out.
  function hidden(link) {
    const keys = "picture" in link.dataset ? window.riwayatChart.chart.hidden : [];
    return [...keys].map((key) => `&hidden=${encodeURIComponent(key)}`).join("");
  }

  // The link is React's, so only its attributes are touched: the style sheet shows data-progress.
  async function wait(link, href) {
    show(link, "…");
    try {
      if (await written(link, href)) download(href);
    } catch (trouble) {
      console.warn(trouble);
      tell(link, link.dataset.trouble);
    } finally {
      delete link.dataset.progress;
      link.removeAttribute("aria-busy");
    }
  }

  // Ask until the file is there; a job that ended is told by the answer to asking for its file.
  async function written(link, href) {
    for (;;) {
      const answer = await fetch(href, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 200) {
        await answer.body.cancel(); // the browser itself fetches it, to the disk
        return true;
      }
      const said = await answer.json();
      if (answer.status !== 202) {
        tell(link, said.error.message);
        return false;
      }
      await ended(link, said.links.self);
    }
  }

  async function ended(link, path) {
    const began = Date.now();
    let told = false; // that no worker runs
    for (;;) {
      await pause();
      const answer = await fetch(path, { cache: "no-store" });
      if (answer.status === 503) continue;
      const job = await answer.json();
      if (!answer.ok || !["queued", "running"].includes(job.status)) {
        if (told) tell(link, "");
        return;
      }
      if (job.status === "running") {
        if (told) tell(link, "");
        told = false;
        show(link, job.progress ? `${Math.floor(100 * job.progress.fraction)} %` : "…");
        continue;
      }
      show(link, link.dataset.queued);
      if (told || Date.now() - began < LONG_MS || (await isServed(job.queue))) continue;
      tell(link, link.dataset.noWorker);
      told = true;
    }
  }

  async function isServed(queue) {
    const prefix = document.documentElement.dataset.prefix || "/";
    const found = await fetch(`${prefix}readyz`, { cache: "no-store" }).then((answer) => answer.json()).catch(() => null);
    return !found || !found.checks || found.checks[`worker ${queue}`] !== false; // a proxy's page says nothing of it
  }

  function show(link, words) {
    link.dataset.progress = words;
    link.setAttribute("aria-busy", "true");
  }

  function download(href) {
    const link = document.createElement("a");
    link.href = href;
    link.download = "";
    document.body.append(link);
    link.click();
    link.remove();
  }

  function tell(link, sentence) {
    const part = (type, props) => ({ namespace: "dash_html_components", type: type, props: props });
    const notice = part("Div", { className: "notice notice-warning", role: "alert", children: part("P", { children: sentence }) });
    window.dash_clientside.set_props(link.dataset.workbook, { children: sentence ? notice : null });
  }
})();
