// Lines of a table that change while somebody reads them.

import { h, replaceIfChanged } from "./dom.js";

/**
 * Each line is made once, and a cell is touched only if what it shows has changed. So a reader's
 * focus and place stay.
 *
 * @param body The `tbody`.
 * @param keyOf Returns the key of a row.
 * @param columns `{ show(row), state(row), class, head }`: what is shown is a text, or elements of
 *   which the state says whether they are still right.
 */
export class Lines {
  #lines = new Map();

  constructor(body, keyOf, columns) {
    this.body = body;
    this.keyOf = keyOf;
    this.columns = columns;
  }

  show(rows) {
    const wanted = new Set(rows.map(this.keyOf));
    for (const [key, line] of this.#lines) {
      if (wanted.has(key)) continue;
      line.remove();
      this.#lines.delete(key);
    }
    let place = this.body.firstElementChild;
    for (const row of rows) {
      const line = this.#update(row);
      if (line === place) place = place.nextElementSibling;
      else this.body.insertBefore(line, place);
    }
  }

  #update(row) {
    const key = this.keyOf(row);
    let line = this.#lines.get(key);
    if (!line) {
      const cells = this.columns.map((column) => h(column.head ? "th" : "td", { class: column.class, scope: column.head ? "row" : null }));
      line = h("tr", { "data-id": key }, cells);
      this.#lines.set(key, line);
    }
    this.columns.forEach((column, index) => {
      replaceIfChanged(line.children[index], column.state ? column.state(row) : column.show(row), () => column.show(row));
    });
    return line;
  }
}
