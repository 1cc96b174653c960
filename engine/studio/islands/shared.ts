// One stream serves all tabs of a browser: HTTP/1.1 allows six connections to a server. It sleeps while no tab is visible.
export interface Item {
  at: string;
  transition: string;
  bucketId: string;
  bucketName: string;
  userId: string;
  userEmail?: string;
  source: string;
  reason?: string;
}

export function subscribe(take: (items: Item[]) => void, state: (open: boolean) => void): void {
  const address = document.querySelector<HTMLElement>("[data-live]")!.dataset.worker!;
  const worker = new SharedWorker(address, { name: "studio" });
  const port = worker.port;
  const visible = () => port.postMessage({ visible: !document.hidden, prefix: document.body.dataset.prefix });
  port.onmessage = (event) => {
    if (event.data.items) {
      take(event.data.items);
    } else if (event.data.open !== undefined) {
      state(event.data.open);
    }
  };
  port.start();
  document.addEventListener("visibilitychange", visible);
  addEventListener("pagehide", () => port.postMessage({ closed: true }));
  addEventListener("pageshow", visible);
  visible();
}
