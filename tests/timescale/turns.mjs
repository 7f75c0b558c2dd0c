// Who may use the one backend: a connection from its first message until its transaction has ended, in order of arrival.

/** Keeps others waiting while a holder is at work, but not for one that is idle within its transaction. */
export class Turns {
  #holder = null;
  #waiting = [];
  #patience; // runs anew with every sign of the holder's

  constructor(patienceMs) {
    this.#patience = setTimeout(() => this.#giveUp(), patienceMs).unref();
  }

  get holder() {
    return this.#holder;
  }

  /** Resolves to true when it is `one`'s turn, which then lasts until `end`; to false when there is no hope. */
  async take(one) {
    this.#patience.refresh();
    if (this.#holder === null) this.#holder = one;
    if (this.#holder === one) return true;
    return new Promise((resolve) => this.#waiting.push({ one, resolve }));
  }

  /** The holder is done with a piece of work. */
  touch() {
    this.#patience.refresh();
  }

  /** The end of a turn, or of waiting for one. */
  end(one) {
    this.#dismiss(this.#waiting.filter((waiter) => waiter.one === one));
    if (this.#holder !== one) return;
    const next = this.#waiting.shift();
    this.#holder = next ? next.one : null;
    this.#patience.refresh();
    next?.resolve(true);
  }

  #giveUp() {
    this.#dismiss([...this.#waiting]);
  }

  #dismiss(waiters) {
    this.#waiting = this.#waiting.filter((waiter) => !waiters.includes(waiter));
    for (const { resolve } of waiters) resolve(false);
  }
}
