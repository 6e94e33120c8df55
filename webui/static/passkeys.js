// Forms with data-passkey ask the browser for a passkey and send its answer like any other field.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readable(options) {
  const listed = (list) => (list || []).map((item) => ({ ...item, id: bytes(item.id) }));
  const found = { ...options, challenge: bytes(options.challenge) };
  if (options.user) found.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) found.excludeCredentials = listed(options.excludeCredentials);
  if (options.allowCredentials) found.allowCredentials = listed(options.allowCredentials);
  return found;
}

function answer(made) {
  const response = { clientDataJSON: text(made.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = text(made.response[name]);
  }
  return JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response,
    clientExtensionResults: {},
  });
}

async function ask(form) {
  const options = { publicKey: readable(JSON.parse(form.dataset.options)) };
  const made = await (form.dataset.passkey === "create"
    ? navigator.credentials.create(options)
    : navigator.credentials.get(options));
  form.elements.answer.value = answer(made);
  form.submit();
}

const WORDS = {
  NotAllowedError: "The browser made no passkey: it was cancelled, or took too long.",
  InvalidStateError: "This device is registered already.",
  SecurityError: "This page's address is not the one that passkeys are set up for.",
};

if (window.PublicKeyCredential && window.isSecureContext) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form).catch((error) => {
        const problem = form.querySelector(".problem");
        problem.textContent = WORDS[error.name] || `The browser made no passkey (${error.name}).`;
        problem.hidden = false;
      });
    });
  }
}
