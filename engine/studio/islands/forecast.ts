// The slider over what will happen to a user. All stops are on the page: the slider shows one of them.
class Forecast extends HTMLElement {
  private timer = 0;

  connectedCallback(): void {
    const range = this.querySelector<HTMLInputElement>("input[type=range]");
    if (!range) {
      return;
    }
    const stops = () => [...this.querySelectorAll<HTMLElement>("[data-stop]")];
    const show = () => {
      stops().forEach((stop, i) => (stop.hidden = i !== Number(range.value)));
      const shown = stops()[Number(range.value)];
      range.setAttribute("aria-valuetext", shown?.dataset.stop ?? "");
      this.querySelectorAll<SVGElement | HTMLElement>("[data-at]").forEach((mark) => mark.classList.toggle("now", mark.dataset.at === range.value));
    };
    const move = (by: number) => {
      const before = range.value;
      range.value = String(Number(range.value) + by);
      show();
      return range.value !== before;
    };
    range.addEventListener("input", show);
    this.addEventListener("click", (event) => {
      const button = (event.target as Element).closest("[data-move]");
      switch (button?.getAttribute("data-move")) {
        case "previous":
          move(-1);
          break;
        case "next":
          move(1);
          break;
        case "play":
          this.play(button as HTMLElement, move);
      }
    });
    show();
  }

  private play(button: HTMLElement, move: (by: number) => boolean): void {
    const stop = () => {
      clearInterval(this.timer);
      this.timer = 0;
      button.textContent = "Play";
    };
    if (this.timer !== 0) {
      stop();
      return;
    }
    button.textContent = "Stop";
    this.timer = window.setInterval(() => {
      if (!move(1)) {
        stop();
      }
    }, 900);
  }

  disconnectedCallback(): void {
    clearInterval(this.timer);
  }
}
customElements.define("studio-forecast", Forecast);
