// Pointing at a column of a chart shows its numbers below the chart, where they do not cover anything. Dragging over columns, or Shift
// with the arrow keys, chooses a range.
class Chart extends HTMLElement {
  connectedCallback(): void {
    const output = this.querySelector("output");
    const steps = () => [...this.querySelectorAll<SVGElement>("[data-step]")];
    const rest = output?.textContent ?? "";
    const say = (step: Element | null) => {
      this.querySelectorAll(".over").forEach((other) => other.classList.remove("over"));
      step?.classList.add("over");
      if (output) {
        output.textContent = step?.querySelector("title")?.textContent ?? rest;
      }
    };
    this.addEventListener("pointermove", (event) => say((event.target as Element).closest("[data-step]")));
    this.addEventListener("pointerleave", () => say(null));
    let current = -1;
    this.querySelector("svg")?.addEventListener("keydown", (event) => {
      const all = steps();
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: -all.length, End: all.length }[(event as KeyboardEvent).key];
      if (by !== undefined) {
        event.preventDefault();
        current = Math.min(all.length - 1, Math.max(0, (current < 0 ? all.length - 1 : current) + (current < 0 ? 0 : by)));
        say(all[current]);
      } else if ((event as KeyboardEvent).key === "Enter" && current >= 0) {
        const address = all[current].getAttribute("href");
        if (address) {
          location.assign(address);
        }
      }
    });
    this.brush(steps);
  }

  private brush(steps: () => SVGElement[]): void {
    let from = -1;
    const number = (event: Event) => Number((event.target as Element).closest?.("[data-step]")?.getAttribute("data-step") ?? -1);
    this.addEventListener("pointerdown", (event) => (from = number(event)));
    this.addEventListener("dragstart", (event) => event.preventDefault());
    this.addEventListener("pointermove", (event) => {
      const to = number(event);
      if (from >= 0 && to >= 0 && (event as PointerEvent).buttons === 1) {
        steps().forEach((step, i) => step.classList.toggle("brushed", to !== from && i >= Math.min(from, to) && i <= Math.max(from, to)));
      }
    });
    this.addEventListener("pointerup", (event) => {
      const to = number(event);
      const [first, last] = [Math.min(from, to), Math.max(from, to)];
      const form = document.querySelector<HTMLFormElement>(`form#${this.dataset.range}`);
      from = -1;
      steps().forEach((step) => step.classList.remove("brushed"));
      if (first < 0 || first === last || !form) {
        return;
      }
      event.preventDefault();
      this.addEventListener("click", (click) => click.preventDefault(), { once: true, capture: true });
      form.querySelector<HTMLInputElement>("[name=from]")!.value = steps()[first].dataset.day ?? "";
      form.querySelector<HTMLInputElement>("[name=to]")!.value = steps()[last].dataset.day ?? "";
      form.requestSubmit();
    });
  }
}
customElements.define("studio-chart", Chart);
