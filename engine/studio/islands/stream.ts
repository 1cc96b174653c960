// The shared worker that holds the stream of all tabs. It hands transitions on ten times a second at most.
interface Tab {
  port: MessagePort;
  visible: boolean;
}

const tabs = new Set<Tab>();
let source: EventSource | null = null;
let last = "";
let prefix = "";
let items: unknown[] = [];

function post(message: unknown): void {
  for (const tab of tabs) {
    if (tab.visible) {
      tab.port.postMessage(message);
    }
  }
}

function open(): void {
  source = new EventSource(`${prefix}/v1/stream?pace=200${last ? "&after=" + encodeURIComponent(last) : ""}`);
  const take = (event: MessageEvent) => {
    last = event.lastEventId;
    if (items.length < 5000) {
      items.push(JSON.parse(event.data));
    } else {
      items = items.slice(2500); // the page shows the newest 500 and counts the others
    }
  };
  for (const kind of ["entered", "left", "dwell"]) {
    source.addEventListener(`bucket.${kind}`, take as EventListener);
  }
  source.onopen = () => post({ open: true });
  source.onerror = () => {
    post({ open: false });
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(arrange, 2000);
    }
  };
}

function arrange(): void {
  const wanted = [...tabs].some((tab) => tab.visible);
  if (wanted && !source) {
    open();
  } else if (!wanted && source) {
    source.close();
    source = null;
  }
}

setInterval(() => {
  if (items.length > 0) {
    post({ items });
    items = [];
  }
}, 100);

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const tab: Tab = { port: event.ports[0], visible: false };
  tabs.add(tab);
  tab.port.onmessage = (message) => {
    if (message.data.closed) {
      tabs.delete(tab);
    } else {
      tabs.add(tab);
      prefix = message.data.prefix;
      tab.visible = message.data.visible;
      if (tab.visible && source?.readyState === EventSource.OPEN) {
        tab.port.postMessage({ open: true });
      }
    }
    arrange();
  };
};
