// What the page asks the server of the job and the chart that it shows: the newest question only,
// until it is answered.
//
// Dash asks once: a failure leaves what was drawn without a word, and a question that nobody waits
// for any more comes down all the same. So a newer question ends the older one, one that failed for
// a while is asked again with longer and longer pauses, and meanwhile a line over the chart says
// so.
(function () {
  "use strict";

  // How the outputs of callbacks/view.py (view), callbacks/run.py (attach) and callbacks/arrival.py
  // (arrive) begin.
  const QUESTIONS = ["chart-answer.data", "..job-state.data...", "..job-id.data..."];
  const PASSES = new Set([408, 425, 429, 500, 502, 503, 504]); // worth another try
  const SILENT_MS = 20000; // without a byte
  const FIRST_RETRY_MS = 1000;
  const LAST_RETRY_MS = 30000;
  const LONGEST_S = 120; // that the server may ask to wait
  const asking = new Map(); // output -> AbortController of its newest question
  const failed = new Map(); // output -> what went wrong

  const plainFetch = window.fetch;
  window.fetch = function (resource, options) {
    const output = outputOf(resource, options);
    return output ? insist(output, resource, options) : plainFetch.apply(this, arguments);
  };

  function outputOf(resource, options) {
    if (!String(resource).includes("_dash-update-component") || !options || typeof options.body !== "string") return null;
    const { output } = JSON.parse(options.body);
    return QUESTIONS.find((begin) => output.startsWith(begin)) || null;
  }

  async function insist(output, resource, options) {
    if (asking.has(output)) asking.get(output).abort();
    const mine = new AbortController();
    asking.set(output, mine);
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)) {
      const found = mine.signal.aborted ? null : await attempt(mine.signal, resource, options);
      if (mine.signal.aborted) return new Response(null, { status: 204 }); // to Dash: nothing changes
      say(output, found.wrong);
      if (!found.again) {
        if (!found.answer.ok) window.dispatchEvent(new Event("riwayat:refused"));
        return found.answer;
      }
      await pause(mine.signal, Math.max(waitMs * (1 + Math.random() / 4), found.afterMs));
    }
  }

  // The answer with all of its body; or what is wrong, and whether to ask again.
  async function attempt(unwanted, resource, options) {
    const patience = new AbortController();
    const give = () => patience.abort();
    unwanted.addEventListener("abort", give);
    let timer = window.setTimeout(give, SILENT_MS);
    try {
      const begun = await plainFetch(resource, { ...options, signal: patience.signal, asksAgain: true });
      const parts = [];
      const reader = begun.body ? begun.body.getReader() : null;
      for (let part; reader && !(part = await reader.read()).done; ) {
        parts.push(part.value);
        window.clearTimeout(timer);
        timer = window.setTimeout(give, SILENT_MS);
      }
      const { status, statusText, headers } = begun;
      const answer = new Response(status === 204 ? null : new Blob(parts), { status, statusText, headers });
      if (status < 300) return { answer, wrong: "" };
      const afterMs = 1000 * Math.min(Number(headers.get("Retry-After")) || 0, LONGEST_S);
      if (PASSES.has(status)) return { again: true, wrong: status === 429 || status === 503 ? "busy" : "broken", afterMs };
      return { answer, wrong: status === 401 || status === 403 ? "" : "refused" }; // page.js says that one is signed out
    } catch {
      return { again: true, wrong: "unreachable", afterMs: 0 };
    } finally {
      window.clearTimeout(timer);
      unwanted.removeEventListener("abort", give);
    }
  }

  // Ended early by a newer question, by its user, or when the network is back.
  function pause(unwanted, waitMs) {
    return new Promise(function (resolve) {
      const stop = () => {
        window.clearTimeout(timer);
        window.removeEventListener("online", stop);
        window.removeEventListener("riwayat:again", stop);
        resolve();
      };
      const timer = window.setTimeout(stop, waitMs);
      unwanted.addEventListener("abort", stop, { once: true });
      window.addEventListener("online", stop);
      window.addEventListener("riwayat:again", stop);
    });
  }

  function say(output, wrong) {
    if (wrong) failed.set(output, wrong);
    else failed.delete(output);
    const line = document.getElementById("chart-trouble");
    if (!line) return;
    const [first] = failed.values();
    line.hidden = !first;
    line.lastElementChild.hidden = first === "refused";
    const words = first ? line.dataset[first] : "";
    if (line.firstElementChild.textContent !== words) line.firstElementChild.textContent = words;
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("#chart-trouble button")) window.dispatchEvent(new Event("riwayat:again"));
  });
})();
