/** A figure that changed lights up for a moment, in the colour of its direction. */

import type { Attachment } from 'svelte/attachments';

const SHOWN_MS = 280;

const shown = new WeakMap<Element, number>();
const ends = new WeakMap<Element, ReturnType<typeof setTimeout>>();
const calm = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');

/**
 * Flash the element when `value` differs from what it was on the same element before.
 *
 * On and off, without a fade: a fade repaints sixty times a second, and with hundreds of live rows
 * that is most of what the page costs. `base.css` has the colours.
 */
export function flash(value: number | null | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (value === null || value === undefined || Number.isNaN(value)) return;
    const before = shown.get(element);
    shown.set(element, value);
    if (before === undefined || before === value || calm?.matches) return;
    clearTimeout(ends.get(element));
    element.dataset.flash = value > before ? 'up' : 'down';
    ends.set(
      element,
      setTimeout(() => delete element.dataset.flash, SHOWN_MS),
    );
  };
}
