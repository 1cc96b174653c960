// A form with data-filters is sent when a choice changes, without its empty fields, so that addresses stay short.
function send(form: HTMLFormElement): void {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value !== "") {
      query.append(name, value);
    }
  }
  const address = new URL(form.action);
  address.search = query.toString();
  location.assign(address);
}

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.matches("[data-filters]")) {
    event.preventDefault();
    send(form);
  }
});
document.addEventListener("change", (event) => {
  const field = event.target as HTMLElement;
  const form = field.closest<HTMLFormElement>("form[data-filters]");
  if (form && field.matches("select")) {
    send(form);
  }
});
document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.key === "/" && !target.closest("input, textarea, select, [contenteditable]")) {
    const field = document.querySelector<HTMLInputElement>("[data-slash]");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  }
});
