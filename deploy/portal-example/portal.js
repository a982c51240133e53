// Gives each chart of Riwayat the height that suits it. Optional: without this script the frames keep the height of their line.
//
// A message may come from any page that has a handle on this window, so believe only what one of our own frames sends from the
// origin that it was given.
window.addEventListener("message", function (event) {
  const message = event.data;
  if (!message || message.type !== "riwayat:size" || !Number.isFinite(message.height)) return;
  for (const frame of document.querySelectorAll("iframe")) {
    if (frame.contentWindow !== event.source) continue;
    if (new URL(frame.src).origin !== event.origin) continue;
    frame.height = String(Math.min(Math.max(message.height, 100), 3000));
  }
});
