"use strict";
// Keeps the page of a running export up to date; without it the link 'Look again' does the same.
(function () {
  const card = document.querySelector("[data-progress]");
  const address = card && card.dataset.progress;
  if (!address) { return; }
  let pause = 2000;
  function tell(what, text) {
    const place = card.querySelector('[data-what="' + what + '"]');
    if (place) { place.textContent = text; }
  }
  function rounded(value) { return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString("en"); }
  function show(now) {
    if (now.state !== card.dataset.state) { window.location.reload(); return; }
    card.querySelector("progress").value = now.share || 0;
    tell("share", now.share === null ? "–" : Math.round(100 * now.share) + " %");
    for (const what of ["explained", "rejected", "skipped"]) { tell(what, now[what].toLocaleString("en")); }
    tell("rate", now.rate === null ? "–" : rounded(now.rate) + " rows in a second");
    tell("left", now.left === null ? "not known yet" : "about " + rounded(now.left) + " s");
    pause = Math.min(30000, pause * 1.3);
    window.setTimeout(look, pause);
  }
  function look() {
    fetch(address, { headers: { Accept: "application/json" } })
      .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.json(); })
      .then(show)
      .catch(function () { tell("left", "the service did not answer; look again"); });
  }
  window.setTimeout(look, pause);
})();
