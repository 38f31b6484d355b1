// Asks for the views that are looked at, again and again.

import { draw, make } from "/views.js";

// The address has let this browser in, and is of no use any more. The key lasts as long as the tab, and no other port gets it.
const given = document.querySelector("meta[name=key]");
if (given.content) sessionStorage.setItem("key", given.content);
given.remove();
history.replaceState(null, "", "/" + location.hash);

const headers = { Authorization: `Bearer ${sessionStorage.getItem("key") ?? ""}` };
const by = (id) => document.getElementById(id);

/** Offers the containers that there are, and the chosen one also when it is gone. */
function fill(pods) {
  const choice = by("container");
  const names = pods.flatMap((pod) => pod.containers.map((it) => `${pod.namespace}/${pod.name}/${it}`)).sort();
  const chosen = location.hash.startsWith("#logs/") ? location.hash.slice(6) : "";
  const offered = ["", ...(chosen && !names.includes(chosen) ? [chosen] : []), ...names];
  if (offered.join() !== [...choice.options].map((it) => it.value).join()) {
    choice.replaceChildren(...offered.map((it) => make("option", { value: it }, it || "choose")));
  }
  choice.value = chosen;
}

/** Where a part's data come from; null while there is nothing to ask for. */
function source({ name }) {
  if (name === "containers") return "/api/workloads";
  if (name === "logs") {
    const [, namespace, pod, container] = location.hash.split("/");
    return container ? `/api/logs?${new URLSearchParams({ namespace, pod, container, tail: by("tail").value })}` : null;
  }
  if (name === "search") {
    const words = by("words").dataset.wanted;
    return words ? `/api/search?${new URLSearchParams({ words })}` : null;
  }
  return `/api/${name}`;
}

const parts = [...document.querySelectorAll("[data-part]")].map((section) => {
  const [alert, body] = [make("p", { role: "alert", hidden: "" }), make("div", {})];
  section.append(alert, body);
  const { part: name, every } = section.dataset;
  return { name, every: 1000 * every, view: section.closest("[data-view]").dataset.view, alert, body, due: 0, drawn: 0, answered: 0, seen: "" };
});

/** Shows what went wrong; what was there before stays. */
function complain({ alert, answered }, message) {
  const since = answered ? ` (what follows is of ${new Date(answered).toLocaleTimeString()})` : "";
  const text = message && message + since;
  if (alert.textContent !== text) alert.textContent = text;
  alert.hidden = !message;
}

/** Puts new elements in the place of the old ones; the reader stays where the reader is. */
function replace(body, elements) {
  const key = (it) => it.getAttribute("href") ?? it.getAttribute("aria-label");
  const places = () => [...body.querySelectorAll("a, [tabindex]")];
  const before = new Map(places().map((it) => [key(it), { at: it === document.activeElement, left: it.scrollLeft, top: it.scrollTop, end: it.scrollTop + it.clientHeight >= it.scrollHeight - 4 }]));
  body.replaceChildren(...elements);
  for (const it of places()) {
    const place = before.get(key(it));
    it.scrollLeft = place?.left ?? 0;
    it.scrollTop = place && !place.end ? place.top : it.scrollHeight;
    if (place?.at) it.focus({ preventScroll: true });
  }
}

function show({ name, body }, data) {
  if (name === "containers") fill(data.pods);
  else replace(body, draw[name](data));
}

/** Forgets what a part shows when it is of something else than what is looked at now: of another container, of other words. */
function turn(part, address) {
  if (part.of === address) return;
  part.body.replaceChildren();
  Object.assign(part, { of: address, seen: "", drawn: 0, answered: 0 });
  complain(part, "");
}

async function refresh(part) {
  const address = source(part);
  turn(part, address);
  if (address === null || part.asked?.address === address) return;
  const asked = { address };
  part.asked = asked;
  const isWanted = () => address === source(part);
  try {
    const answer = await fetch(address, { headers });
    const text = await answer.text();
    if (answer.status === 401) throw new Error(text.trim());
    const data = JSON.parse(text);
    if (!answer.ok) throw new Error(data.error);
    if (!isWanted()) return;
    const now = Date.now();
    // Ages in words go on, but who selects text keeps it.
    if (text !== part.seen || now - part.drawn > 60000) {
      show(part, data);
      part.drawn = now;
    }
    Object.assign(part, { seen: text, answered: now, due: now + part.every });
    complain(part, "");
  } catch (error) {
    if (!isWanted()) return;
    part.due = Date.now() + part.every;
    complain(part, error instanceof TypeError ? "kinstall does not answer: does `kinstall open dashboard` still run?" : error.message);
  } finally {
    if (part.asked === asked) part.asked = null;
  }
}

let view = "";
function look() {
  if (document.hidden) return;
  for (const part of parts) {
    if (part.view === view && part.due <= Date.now()) refresh(part);
  }
}

/** Shows the view that the address names. */
function go() {
  const [name] = location.hash.slice(1).split("/");
  const views = [...document.querySelectorAll("[data-view]")];
  if (name === "main" && view) return;
  view = views.some((it) => it.dataset.view === name) ? name : "overview";
  for (const it of views) it.hidden = it.dataset.view !== view;
  for (const it of document.querySelectorAll("nav a")) {
    if (it.hash === `#${view}`) it.setAttribute("aria-current", "page");
    else it.removeAttribute("aria-current");
  }
  for (const part of parts) part.due = 0;
  look();
}

by("container").addEventListener("change", (event) => { location.hash = `#logs/${event.target.value}`; });
by("tail").addEventListener("change", go);
by("find").addEventListener("submit", (event) => {
  event.preventDefault();
  by("words").dataset.wanted = by("words").value.trim();
  go();
});
addEventListener("hashchange", go);
document.addEventListener("visibilitychange", look);
setInterval(look, 500);
go();
