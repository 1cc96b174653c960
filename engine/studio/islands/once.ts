// A link with #once=TOKEN signs in once. The token stands behind the #, which no server logs, and is sent by a form.
export function once(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("once");
  const form = document.querySelector<HTMLFormElement>("#once");
  if (!token || !form) {
    return;
  }
  history.replaceState(null, "", location.pathname + location.search);
  form.querySelector<HTMLInputElement>("[name=once]")!.value = token;
  form.submit();
}
