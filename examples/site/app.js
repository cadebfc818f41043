const PROTOCOL_NAMES = { h2: "HTTP/2", h3: "HTTP/3", "http/1.1": "HTTP/1.1" };

const EXPLANATIONS = {
  "content-security-policy": "Which scripts, styles and other resources the page may use.",
  "strict-transport-security": "The browser never again asks for this host without encryption.",
  "permissions-policy": "Camera, microphone, location and the like are off.",
  "cross-origin-opener-policy": "Windows of other sites get no handle on this one.",
  "cross-origin-embedder-policy": "Nothing from elsewhere is embedded unless it agrees.",
  "cross-origin-resource-policy": "Other sites may not embed these files.",
  "origin-agent-cluster": "The page gets a process of its own, apart from its sibling origins.",
  "referrer-policy": "How much of this address other sites are told.",
  "x-content-type-options": "Files are what their type says; nothing is guessed.",
  "x-frame-options": "No other site may show this page in a frame (older browsers).",
  "x-dns-prefetch-control": "Links are not looked up in the DNS before they are followed.",
  "x-download-options": "Downloads are not opened in the context of the site (old browsers).",
  "x-permitted-cross-domain-policies": "Old plug-ins may not read across domains.",
  "x-xss-protection": "The faulty filter of old browsers is switched off.",
  "reporting-endpoints": "Where browsers send reports about violations.",
  ratelimit: "How many requests this client has left, and until when.",
  "ratelimit-policy": "The budget of requests that the server grants.",
};

const VERDICTS = {
  blocked: "Blocked.",
  ran: "The script ran: no policy stopped it.",
};

const byId = (id) => document.getElementById(id);

byId("protocol").textContent = protocolName();
byId("connection").textContent = location.protocol === "https:" ? "Encrypted" : "Plain text";
byId("prove").addEventListener("click", () => {
  void prove();
});
byId("prove").disabled = false;
await showHeaders();

function protocolName() {
  const { protocol } = document.documentElement.dataset;
  if (protocol === undefined) return "inline script blocked";
  return PROTOCOL_NAMES[protocol] ?? (protocol || "unknown");
}

async function showHeaders() {
  const status = byId("headers-status");
  try {
    const { headers } = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    const known = [...headers].filter(([name]) => name in EXPLANATIONS);
    byId("header-list").replaceChildren(...known.map(headerEntry));
    byId("header-count").textContent = String(known.length);
    status.textContent = `${known.length} headers, read just now.`;
  } catch (error) {
    status.textContent = `The headers could not be read: ${error.message}`;
  }
}

function headerEntry([name, value]) {
  const entry = document.createElement("div");
  const term = document.createElement("dt");
  const text = document.createElement("code");
  const meaning = document.createElement("dd");
  term.textContent = name;
  text.textContent = name === "content-security-policy" ? value.replaceAll(/;\s*/g, ";\n") : value;
  text.className = "value";
  meaning.append(EXPLANATIONS[name], text);
  entry.append(term, meaning);
  return entry;
}

/**
 * Adds an inline script as an attacker would. With a Content-Security-Policy the browser reports a
 * violation; with Trusted Types the assignment itself may throw.
 */
async function prove() {
  delete document.documentElement.dataset.breached;
  const violation = nextViolation(1000);
  let reason;
  try {
    const script = document.createElement("script");
    script.append('document.documentElement.dataset.breached = "yes"');
    document.body.append(script);
    script.remove();
  } catch (error) {
    reason = error.message;
  }
  const directive = await violation;
  if (directive !== undefined) reason = `the browser applied ${directive}`;

  const outcome = "breached" in document.documentElement.dataset ? "ran" : "blocked";
  const verdict = byId("verdict");
  verdict.dataset.outcome = outcome;
  verdict.textContent =
    outcome === "blocked" && reason !== undefined
      ? `${VERDICTS.blocked} Instead of running it, ${reason}.`
      : VERDICTS[outcome];
}

/** Resolves with the directive of the next violation, or undefined when none comes in time. */
function nextViolation(timeoutMs) {
  return new Promise((resolve) => {
    const onViolation = (event) => {
      clearTimeout(timer);
      resolve(event.effectiveDirective);
    };
    const timer = setTimeout(() => {
      document.removeEventListener("securitypolicyviolation", onViolation);
      resolve(undefined);
    }, timeoutMs);
    document.addEventListener("securitypolicyviolation", onViolation, { once: true });
  });
}
