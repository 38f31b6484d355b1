// Draws the views: data in, elements out.

/** Makes an element; strings become text, never markup. */
export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const quiet = (text) => make("p", { class: "quiet" }, text);
const bad = (text) => make("span", { class: "bad" }, text);
const word = (good, text) => (good ? text : bad(text));
const lines = (texts) => texts.flatMap((text) => [text, make("br", {})]).slice(0, -1);

/** Makes a table of rows of cells; the first cell names its row. On narrow screens rows are laid out as blocks, and the roles stay. */
function table(caption, heads, rows) {
  if (rows.length === 0) return quiet(`${caption}: none.`);
  const cell = (inside, index) => {
    const contents = Array.isArray(inside) ? inside : [inside];
    if (index === 0) return make("th", { role: "rowheader", scope: "row" }, ...contents);
    return make("td", { role: "cell", "data-head": heads[index] }, make("span", {}, ...contents));
  };
  const head = (text) => make("th", { role: "columnheader", scope: "col" }, text);
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    make("table", { role: "table" },
      make("caption", {}, caption),
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads.map(head))),
      make("tbody", { role: "rowgroup" }, ...rows.map((row) => make("tr", { role: "row" }, ...row.map(cell))))));
}

const gibibytes = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const cores = (number) => `${Number(number.toFixed(2))}`;
const percent = (share) => `${Math.round(100 * share)} %`;

/** How long ago, in the largest unit that fits. */
function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (Number.isNaN(seconds)) return "";
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? units[3];
  return `${Math.floor(seconds / size)}\u00a0${unit}`;
}

const moment = (time) => make("time", { datetime: time, title: time }, `${age(time)}\u00a0ago`);

/** What is taken of a node, as a bar and in words. */
function taken(what, node, capacity, show) {
  const { allocatable, requested, used } = capacity;
  const amount = used ?? requested;
  const bar = make("meter", {
    min: 0, max: allocatable || 1, high: 0.9 * allocatable, value: amount,
    "aria-label": `${what} of ${node}`,
  });
  const measured = used === null ? "" : `${show(used)} in use, `;
  return [bar, `${measured}${show(requested)} requested of ${show(allocatable)}`];
}

/** A line of shares over an hour; screen readers get it as a sentence. */
function curve(what, node, points) {
  if (points.length === 0) return quiet("not measured");
  const shares = points.map(([, share]) => share);
  const [now, highest] = [shares[shares.length - 1], Math.max(...shares)];
  const words = `now ${percent(now)}, at most ${percent(highest)}`;
  const end = points[points.length - 1][0];
  const place = ([time, share]) => `${(100 * (1 - (end - time) / 3600)).toFixed(2)},${(30 * (1 - Math.min(1, share))).toFixed(2)}`;
  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const drawing = svg("svg", { viewBox: "0 -1 100 32", preserveAspectRatio: "none", role: "img", "aria-label": `${what} of ${node}: ${words}` });
  drawing.append(svg("polyline", { points: points.map(place).join(" ") }));
  return [drawing, words];
}

/** Hosts of etcd alone have no node, and while no API server answers nobody knows. */
function node(host, isKnown) {
  if (host.node === null) return isKnown && host.is_to_be_node ? bad("no node") : "-";
  const { ready, schedulable } = host.node;
  const words = [ready ? "ready" : "not ready", ...(schedulable ? [] : ["cordoned"])];
  return word(ready, words.join(", "));
}

/** How each view's data become elements. */
export const draw = {
  overview({ cluster, status, notices }) {
    document.getElementById("title").textContent = cluster;
    document.title = `${cluster} · kinstall`;
    const isKnown = status.hosts.some((it) => it.node !== null);
    const hosts = status.hosts.map((it) => [
      it.name, it.address,
      it.machine === null ? "yours" : word(it.machine === "running", it.machine),
      node(it, isKnown), it.node?.kubelet ?? "", it.node?.runtime ?? "",
    ]);
    const list = (label, kind, texts) => make("ul", { "aria-label": label, class: kind }, ...texts.map((it) => make("li", {}, it)));
    const [first] = [...status.certificates].sort((one, other) => one.expires.localeCompare(other.expires));
    return [
      status.problems.length === 0 ? make("p", {}, "All machines, nodes, Deployments and DaemonSets are ready.") : list("Problems", "bad", status.problems),
      table("Hosts of the inventory", ["Host", "Address", "Machine", "Node", "Kubelet", "Runtime"], hosts),
      ...(notices.length === 0 ? [] : [list("Notices", undefined, notices)]),
      ...(first ? [quiet(`Certificates: ${first.name} expires first, at ${first.expires}.`)] : []),
    ];
  },

  nodes({ nodes, without_usage }) {
    const rows = nodes.map((it) => [
      it.name, it.roles.join(", ") || "worker",
      taken("Processors", it.name, it.cpu, cores), taken("Memory", it.name, it.memory, gibibytes), taken("Pods", it.name, it.pods, cores),
      lines([...it.pressures, ...it.taints]),
    ]);
    return [
      table("What pods have of each node", ["Node", "Roles", "Processors", "Memory", "Pods", "Pressure and taints"], rows),
      ...(without_usage === null ? [] : [quiet(`What is in use is not known. ${without_usage}`)]),
    ];
  },

  history({ off, of }) {
    if (off) return [quiet(off)];
    const rows = of.map((it) => [it.node, curve("Processors", it.node, it.cpu), curve("Memory", it.node, it.memory)]);
    return [table("Share in use, from 0 to 100 %", ["Node", "Processors", "Memory"], rows)];
  },

  workloads({ controllers, pods }) {
    const to = (it) => `#logs/${it.namespace}/${it.name}/${it.containers[0]}`;
    return [
      table("Controllers", ["Name", "Namespace", "Kind", "Ready", "Images"], controllers.map((it) => [
        it.name, it.namespace, it.kind, word(it.ready >= it.wanted, `${it.ready} of ${it.wanted}`), lines(it.images),
      ])),
      table("Pods", ["Name", "Namespace", "State", "Ready", "Restarts", "Age", "Node", "Logs"], pods.map((it) => [
        it.name, it.namespace, word(it.good, it.state), `${it.ready} of ${it.wanted}`, `${it.restarts}`, age(it.created), it.node,
        make("a", { href: to(it), "aria-label": `Logs of ${it.name}` }, "logs"),
      ])),
    ];
  },

  events({ events, left_out }) {
    const rows = events.map((it) => [
      moment(it.time), word(!it.warning, it.warning ? "Warning" : "Normal"), it.reason, it.namespace, it.object,
      it.count > 1 ? `${it.message} (${it.count} times)` : it.message,
    ]);
    const more = left_out > 0 ? [quiet(`${left_out} older ones are not shown.`)] : [];
    return [table("Newest first", ["Seen", "Type", "Reason", "Namespace", "Object", "Message"], rows), ...more];
  },

  addresses({ services, ingresses }) {
    const addresses = (it) => (it.addresses.length === 0 ? "none" : lines(it.addresses));
    return [
      table("Services that answer outside of the cluster", ["Name", "Namespace", "Type", "Addresses", "Ports"],
        services.map((it) => [it.name, it.namespace, it.kind, addresses(it), lines(it.ports)])),
      table("Ingresses", ["Name", "Namespace", "Leads from", "Encrypted", "Addresses"],
        ingresses.map((it) => [it.name, it.namespace, lines(it.rules), it.encrypted ? "yes" : "no", addresses(it)])),
    ];
  },

  logs: ({ text }) => [make("pre", { tabindex: "0", "aria-label": "Log" }, text || "It has printed nothing.")],

  search({ off, lines }) {
    if (off) return [quiet(off)];
    return [
      table("Lines that were found, newest first", ["Printed", "Namespace", "Pod", "Line"],
        lines.map((it) => [moment(it.time), it.namespace, it.pod, it.text])),
      quiet("`kinstall open logs` opens the page of VictoriaLogs, which searches further back."),
    ];
  },
};
