// Parts of a page say by data-refresh after how many seconds they are loaded again. Nothing is while the page is hidden or paused.
const stopped = "studio-paused";

let paused = sessionStorage.getItem(stopped) === "1";
const listeners: ((paused: boolean) => void)[] = [];

export function isPaused(): boolean {
  return paused;
}

export function onPause(listener: (paused: boolean) => void): void {
  listeners.push(listener);
}

function show(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-pause]");
  if (button) {
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Resume" : "Pause";
    button.title = paused ? "Refresh this page again" : "Stop refreshing this page";
  }
  document.body.toggleAttribute("data-paused", paused);
}

function busy(element: Element): boolean {
  // Text that is being selected, and an open menu, would be lost.
  const selection = document.getSelection();
  const selecting = selection !== null && !selection.isCollapsed && selection.anchorNode !== null && element.contains(selection.anchorNode);
  return selecting || element.querySelector("details[open][data-menu], dialog[open]") !== null;
}

export function refreshing(): void {
  const last = new WeakMap<Element, number>();
  const failures = new WeakMap<Element, number>();
  show();
  setInterval(() => {
    if (paused || document.hidden) {
      return;
    }
    const now = performance.now();
    for (const element of document.querySelectorAll("[data-refresh]")) {
      const pace = Number(element.getAttribute("data-refresh")) * 1000 * Math.min(8, 2 ** (failures.get(element) ?? 0));
      if (!last.has(element)) {
        last.set(element, now);
      } else if (now - last.get(element)! >= pace - 50 && !busy(element)) {
        last.set(element, now);
        element.dispatchEvent(new Event("refresh"));
      }
    }
  }, 250);
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest?.("[data-pause]")) {
      paused = !paused;
      sessionStorage.setItem(stopped, paused ? "1" : "0");
      show();
      listeners.forEach((listener) => listener(paused));
    }
  });
  // What could not be refreshed keeps its old data, and says so. A first load that failed shows the reason.
  document.addEventListener("htmx:before:swap", (event) => {
    const context = (event as CustomEvent).detail?.ctx;
    const element = context?.sourceElement as Element | undefined;
    if (!element?.hasAttribute?.("data-refresh")) {
      return;
    }
    if (context.response?.status >= 400 && !element.hasAttribute("data-first")) {
      event.preventDefault();
      stale(element);
    }
  });
  document.addEventListener("htmx:after:swap", (event) => {
    const element = (event as CustomEvent).detail?.ctx?.sourceElement as Element | undefined;
    if (element) {
      failures.delete(element);
    }
  });
  document.addEventListener("htmx:error", (event) => {
    const element = ((event as CustomEvent).detail?.ctx?.sourceElement ?? event.target) as Element;
    if (element?.hasAttribute?.("data-refresh")) {
      stale(element);
    }
  });
  function stale(element: Element): void {
    failures.set(element, (failures.get(element) ?? 0) + 1);
    element.setAttribute("data-stale", "");
  }
}
