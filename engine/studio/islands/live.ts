// The live page shows the newest transitions. Rows are drawn four times a second at most, and never move under the reader.
import { isPaused, onPause } from "./refresh";
import { subscribe, type Item } from "./shared";

const kept = 500;
const pace = 250;

export function live(): void {
  const root = document.querySelector<HTMLElement>("[data-live]");
  if (!root) {
    return;
  }
  const prefix = document.body.dataset.prefix!;
  const body = root.querySelector("tbody")!;
  const more = root.querySelector<HTMLButtonElement>("[data-more]")!;
  const rate = root.querySelector("[data-rate]")!;
  const state = root.querySelector("[data-state]")!;
  const form = root.querySelector<HTMLFormElement>("form")!;
  let waiting: Item[] = [];
  let skipped = 0;
  let counted: number[] = [];

  const wanted = (item: Item) => {
    const filter = new FormData(form);
    const is = (name: string, value: string) => !filter.get(name) || value.toLowerCase().includes(String(filter.get(name)).toLowerCase());
    return is("bucket", item.bucketId + " " + item.bucketName) && is("kind", item.transition) && is("user", item.userId + " " + (item.userEmail ?? ""));
  };
  const reading = () => root.matches(":hover, :focus-within") && window.scrollY > body.getBoundingClientRect().top + window.scrollY - 80;
  const row = (item: Item) => {
    const line = document.createElement("tr");
    const cell = (text: string, href = "", kind = "") => {
      const td = line.insertCell();
      td.className = kind;
      if (href) {
        const a = document.createElement("a");
        a.href = href;
        a.textContent = text;
        td.append(a);
      } else {
        td.textContent = text;
      }
    };
    cell(item.at.slice(11, 23), "", "num");
    cell({ entered: "↑ entered", left: "↓ left", dwell: "• dwell" }[item.transition] ?? item.transition, "", item.transition);
    cell(item.bucketName, `${prefix}/buckets/${encodeURIComponent(item.bucketId)}`);
    cell(item.userId, `${prefix}/user?id=${encodeURIComponent(item.userId)}`);
    cell(item.source + (item.reason && item.reason !== "criteria" ? ", " + item.reason : ""), "", "muted");
    (line as { item?: Item }).item = item;
    return line;
  };
  const draw = (force = false) => {
    const now = performance.now();
    counted = counted.filter((at) => now - at < 5000);
    rate.textContent = (counted.length / 5).toFixed(counted.length < 50 ? 1 : 0);
    if (waiting.length === 0) {
      return;
    }
    if (!force && (isPaused() || reading())) {
      more.hidden = false;
      more.textContent = `${waiting.length + skipped} new`;
      return;
    }
    root.querySelector("[data-none]")?.setAttribute("hidden", "");
    const fragment = document.createDocumentFragment();
    waiting.reverse().forEach((item) => fragment.append(row(item)));
    if (skipped > 0) {
      const line = document.createElement("tr");
      const td = line.insertCell();
      td.colSpan = 5;
      td.className = "muted";
      td.textContent = `skipped ${skipped}`;
      fragment.append(line);
    }
    waiting = [];
    skipped = 0;
    body.prepend(fragment);
    while (body.rows.length > kept) {
      body.deleteRow(-1);
    }
    more.hidden = true;
  };
  more.addEventListener("click", () => {
    draw(true);
    window.scrollTo({ top: 0 });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "") as [string, string][]);
    history.replaceState(null, "", location.pathname + (query.size > 0 ? "?" + query : ""));
    for (const line of body.rows) {
      const item = (line as { item?: Item }).item;
      line.hidden = item !== undefined && !wanted(item);
    }
  });
  subscribe(
    (items) => {
      const now = performance.now();
      for (const item of items) {
        if (!wanted(item)) {
          continue;
        }
        counted.push(now);
        waiting.push(item);
      }
      if (counted.length > 20000) {
        counted = counted.slice(-10000);
      }
      if (waiting.length > kept) {
        skipped += waiting.length - kept;
        waiting = waiting.slice(-kept);
      }
    },
    (open) => (state.textContent = open ? "connected" : "connecting again"),
  );
  onPause(() => draw());
  setInterval(() => !document.hidden && draw(), pace);
}
