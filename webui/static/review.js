"use strict";
// Makes the pages of decision review quicker: keys in the queue, answers inside the page. Without it everything works
// by whole pages.
(function () {
  const FIELDS = "input, select, textarea, [contenteditable]";
  const WAIT_MS = 250;

  function keys(queue) {
    const help = document.querySelector("[data-keys-help]");
    const button = document.querySelector("[data-keys]");
    const links = Array.from(queue.querySelectorAll("a.open"));
    function here() { return links.findIndex(function (a) { return a.closest("tr").contains(document.activeElement); }); }
    function go(step) {
      const at = here();
      const next = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step));
      links[next].focus();
      links[next].scrollIntoView({ block: "nearest" });
    }
    function take() {
      const at = here();
      const form = at < 0 ? null : links[at].closest("tr").querySelector("form.assign");
      if (form) { form.requestSubmit(); }
    }
    const does = {
      j: function () { go(1); }, ArrowDown: function () { go(1); },
      k: function () { go(-1); }, ArrowUp: function () { go(-1); },
      a: take,
      "?": function () { help.showModal(); },
      "/": function () { document.querySelector("input[name=external]").focus(); }
    };
    document.addEventListener("keydown", function (event) {
      const arrow = event.key.startsWith("Arrow");
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(FIELDS) || help.open) { return; }
      if (!Object.hasOwn(does, event.key) || (arrow && here() < 0)) { return; }
      event.preventDefault();
      does[event.key]();
    });
    button.hidden = false;
    button.addEventListener("click", function () { help.showModal(); });
  }

  // A form with data-into="id" is sent behind the page; what comes back is put in that place.
  function within(form) {
    const place = document.getElementById(form.dataset.into);
    let waiting = null, sent = null;
    function send() {
      if (sent) { sent.abort(); }
      sent = new AbortController();
      const mine = sent;
      place.setAttribute("aria-busy", "true");
      fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: mine.signal,
        headers: { "X-Fragment": "1", Accept: "text/html" } })
        .then(function (answer) {
          if (answer.redirected) { window.location.reload(); }
          return answer.text();
        })
        .then(function (text) { place.innerHTML = text; place.removeAttribute("aria-busy"); })
        .catch(function (error) {
          if (error.name === "AbortError") { return; }
          place.removeAttribute("aria-busy");
          place.textContent = "The service did not answer. Try again.";
        });
    }
    form.addEventListener("submit", function (event) { event.preventDefault(); send(); });
    if (form.dataset.live !== undefined) {
      form.addEventListener("input", function () { window.clearTimeout(waiting); waiting = window.setTimeout(send, WAIT_MS); });
      form.addEventListener("reset", function () { window.setTimeout(send, 0); });
    }
  }

  const queue = document.querySelector("[data-queue]");
  if (queue) { keys(queue); }
  document.querySelectorAll("form[data-into]").forEach(within);
})();
