// Buttons with data-opens open the dialog of that id. What cannot be undone asks for a text to be typed first.
export function closeable(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest?.("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.getAttribute("data-opens")!) as HTMLDialogElement | null;
      dialog?.showModal();
      dialog?.querySelector<HTMLElement>("[autofocus]")?.focus();
      return;
    }
    if (target.closest?.("[data-closes]")) {
      target.closest("dialog")?.close();
      return;
    }
    if (target instanceof HTMLDialogElement) {
      target.close(); // a click beside the content
      return;
    }
    const copy = target.closest?.("[data-copy]");
    if (copy) {
      const text = document.getElementById(copy.getAttribute("data-copy")!)?.textContent ?? "";
      void navigator.clipboard?.writeText(text).then(() => (copy.textContent = "Copied"));
    }
  });
  document.addEventListener("input", (event) => {
    const input = event.target as HTMLInputElement;
    const wanted = input.getAttribute?.("data-must-be");
    if (wanted !== null && wanted !== undefined) {
      const button = input.form?.querySelector<HTMLButtonElement>("button[type=submit]");
      if (button) {
        button.disabled = input.value.trim() !== wanted;
      }
    }
  });
}
