// Reading for many rows: a few at a time, and each when it has changed.

const AT_ONCE = 2;
const AGAIN = 30_000;

/** What was read for each key. It is read again when its state is another one. */
export class Details {
  #entries = new Map();
  #waiting = [];
  #reading = 0;

  /**
   * @param read Returns what belongs to a row.
   * @param onRead Is called when something was read.
   */
  constructor(read, onRead) {
    this.read = read;
    this.onRead = onRead;
  }

  /** Returns what is known for a key, and reads what is not. */
  of(key, state, row) {
    const entry = this.#entries.get(key) ?? { busy: false };
    this.#entries.set(key, entry);
    entry.row = row;
    entry.wanted = JSON.stringify(state);
    if (entry.wanted !== entry.state && !entry.busy) {
      entry.busy = true;
      this.#waiting.push(entry);
      this.#next();
    }
    return entry.value;
  }

  #next() {
    while (this.#reading < AT_ONCE && this.#waiting.length) {
      this.#reading += 1;
      this.#run(this.#waiting.shift());
    }
  }

  async #run(entry) {
    entry.state = entry.wanted;
    try {
      entry.value = await this.read(entry.row);
    } catch {
      // The row is right without it.
      setTimeout(() => {
        entry.state = null;
      }, AGAIN);
    }
    entry.busy = false;
    this.#reading -= 1;
    this.onRead();
    this.#next();
  }
}
