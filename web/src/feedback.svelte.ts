/** What the page tells the user of its own accord: short toasts, and a list of errors that stays until dismissed. */

export interface Toast {
  id: number;
  kind: 'done' | 'info' | 'error';
  text: string;
}

export interface Fault {
  id: number;
  at: number;
  text: string;
  /** How often the same text came in a row. */
  times: number;
}

const SHOWN_MS = 5000;
const KEPT = 100;

class Feedback {
  toasts = $state<Toast[]>([]);
  faults = $state<Fault[]>([]);
  unread = $state(0);
  #next = 1;
  #known = new Set<string>();

  toast(kind: Toast['kind'], text: string): void {
    const id = this.#next++;
    this.toasts = [...this.toasts.slice(-3), { id, kind, text }];
    setTimeout(() => this.dropToast(id), kind === 'error' ? 2 * SHOWN_MS : SHOWN_MS);
  }

  dropToast(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  /** Keep an error in the list; the same one again only counts up. */
  fault(text: string, at = Date.now()): void {
    const latest = this.faults[0];
    if (latest?.text === text) {
      latest.times += 1;
      latest.at = at;
    } else {
      this.faults = [{ id: this.#next++, at, text, times: 1 }, ...this.faults].slice(0, KEPT);
    }
    this.unread += 1;
  }

  /**
   * Take over the engine's list of errors, as it stands now: new ones are kept as faults, one that
   * was dismissed comes back only after it had gone.
   */
  reported(errors: readonly string[]): void {
    for (const text of errors) {
      if (this.#known.has(text)) continue;
      this.#known.add(text);
      this.fault(text);
    }
    for (const text of this.#known) if (!errors.includes(text)) this.#known.delete(text);
  }

  dismiss(id: number): void {
    this.faults = this.faults.filter((fault) => fault.id !== id);
  }

  dismissAll(): void {
    this.faults = [];
    this.unread = 0;
  }

  read(): void {
    this.unread = 0;
  }
}

export const feedback = new Feedback();
