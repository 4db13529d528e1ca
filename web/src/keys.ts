/** Keyboard: `g` then a letter goes to a page, `?` lists the keys, `/` finds. No key ever trades. */

import { PAGES, type Page } from './routes';

export type KeyCommand = { kind: 'go'; page: Page } | { kind: 'help' } | { kind: 'search' };

const SEQUENCE_MS = 1200;

/** Reads key presses one by one; the time of each press comes with it. */
export class KeyReader {
  #afterG = -Infinity;

  /** Return the command that this press completes, or null. */
  press(key: string, atMs: number): KeyCommand | null {
    const inSequence = atMs - this.#afterG < SEQUENCE_MS;
    this.#afterG = -Infinity;
    if (inSequence) {
      const page = PAGES.find((one) => one.key === key)?.page;
      if (page) return { kind: 'go', page };
    }
    if (key === 'g') this.#afterG = atMs;
    if (key === '?') return { kind: 'help' };
    if (key === '/') return { kind: 'search' };
    return null;
  }
}

/** Say whether a key press belongs to a field that is being filled in, or to the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const target = event.target as HTMLElement | null;
  return !!target?.closest('input, textarea, select, [contenteditable="true"], dialog[open]');
}
