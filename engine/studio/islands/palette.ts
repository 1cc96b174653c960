// The search of all pages, which Ctrl-K opens.
export function palette(): void {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const input = dialog?.querySelector<HTMLInputElement>("input");
  if (!dialog || !input) {
    return;
  }
  const options = () => [...dialog.querySelectorAll<HTMLAnchorElement>("[role=option]")];
  const chosen = () => options().findIndex((option) => option.getAttribute("aria-selected") === "true");
  const choose = (index: number) => {
    const all = options();
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    if (all[index]) {
      all[index].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", all[index].id);
    }
  };
  const open = () => {
    if (!dialog.open) {
      dialog.showModal();
      input.select();
      input.dispatchEvent(new Event("refresh"));
    }
  };
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest?.("[data-palette]")) {
      open();
    }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  let asked = "";
  input.addEventListener("keydown", (event) => {
    const all = options();
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        event.preventDefault();
        if (all.length > 0) {
          choose((chosen() + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length);
        }
        break;
      case "Enter":
        event.preventDefault();
        if (dialog.dataset.shown === input.value) {
          all[Math.max(0, chosen())]?.click();
        } else {
          asked = input.value; // the answer is under way
        }
        break;
      case "Escape":
        if (input.value !== "") {
          return; // the browser empties the field first
        }
    }
  });
  dialog.addEventListener("htmx:before:request", () => (dialog.dataset.asking = input.value));
  dialog.addEventListener("htmx:after:swap", () => {
    dialog.dataset.shown = dialog.dataset.asking;
    if (asked !== "" && asked === dialog.dataset.shown) {
      asked = "";
      options()[0]?.click();
    }
  });
}
