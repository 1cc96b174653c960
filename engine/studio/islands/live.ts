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
  const filters = root.querySelector<HTMLFormElement>("form")!;
  let waiting: Item[] = [];
  let skipped = 0;
  let counted: { at: number; n: number }[] = []; // ten a second at most

  // filter returns what the form asks for now. It is read once for many transitions: reading a form takes long.
  const filter = () => {
    const form = new FormData(filters);
    const [bucket, kind, user] = ["bucket", "kind", "user"].map((name) => String(form.get(name) ?? "").toLowerCase());
    return (item: Item) =>
      (!bucket || `${item.bucketId} ${item.bucketName}`.toLowerCase().includes(bucket)) &&
      (!kind || item.transition === kind) &&
      (!user || `${item.userId} ${item.userEmail ?? ""}`.toLowerCase().includes(user));
  };
  const reading = () => root.matches(":hover, :focus-within") && window.scrollY > body.getBoundingClientRect().top + window.scrollY - 80;
  const blank = document.createElement("template");
  blank.innerHTML = '<tr><td class="num"></td><td></td><td><a></a></td><td><a></a></td><td class="muted"></td></tr>';
  // fill makes a row say what happened. Rows are used again: to make one takes longer than to fill it.
  const fill = (line: HTMLTableRowElement, item: Item) => {
    const [at, kind, bucket, user, by] = line.cells;
    at.textContent = item.at.slice(11, 23);
    kind.textContent = { entered: "↑ entered", left: "↓ left", dwell: "• dwell" }[item.transition] ?? item.transition;
    kind.className = item.transition;
    const link = (cell: HTMLTableCellElement, text: string, href: string) => {
      const a = cell.firstChild as HTMLAnchorElement;
      a.href = href;
      a.textContent = text;
    };
    link(bucket, item.bucketName, `${prefix}/buckets/${encodeURIComponent(item.bucketId)}`);
    link(user, item.userId, `${prefix}/user?id=${encodeURIComponent(item.userId)}`);
    by.textContent = item.source + (item.reason && item.reason !== "criteria" ? ", " + item.reason : "");
    line.hidden = false;
    (line as { item?: Item }).item = item;
    return line;
  };
  // spare takes the oldest row away if there is no room for all, to be used again, or makes one.
  let rows = 0;
  const spare = (room: number) => {
    for (; rows > room; rows--) {
      const last = body.lastElementChild as HTMLTableRowElement;
      last.remove();
      if ((last as { item?: Item }).item) {
        rows--;
        return last;
      }
    }
    return blank.content.firstElementChild!.cloneNode(true) as HTMLTableRowElement;
  };
  const draw = (force = false) => {
    const now = performance.now();
    counted = counted.filter(({ at }) => now - at < 5000);
    const sum = counted.reduce((all, { n }) => all + n, 0);
    rate.textContent = (sum / 5).toFixed(sum < 50 ? 1 : 0);
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
    const room = kept - waiting.length;
    rows = body.rows.length;
    waiting.reverse().forEach((item) => fragment.append(fill(spare(room), item)));
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
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("input", () => {
    const wanted = filter();
    const query = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value !== "") as [string, string][]);
    history.replaceState(null, "", location.pathname + (query.size > 0 ? "?" + query : ""));
    for (const line of body.rows) {
      const item = (line as { item?: Item }).item;
      line.hidden = item !== undefined && !wanted(item);
    }
  });
  subscribe(
    (items) => {
      const wanted = items.filter(filter());
      waiting.push(...wanted);
      counted.push({ at: performance.now(), n: wanted.length });
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
