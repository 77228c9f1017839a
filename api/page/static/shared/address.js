// Filters live in the address, so that a view can be kept, sent and returned to.

/** Returns what the address says, for these names. */
export function readAddress(names) {
  const parameters = new URLSearchParams(location.search);
  return Object.fromEntries(names.map((name) => [name, parameters.get(name) ?? ""]));
}

/** Writes values into the address; empty ones are left out. */
export function writeAddress(values) {
  const parameters = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const query = parameters.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
}
