/** A figure that changed lights up for a moment, in the colour of its direction. */

import type { Attachment } from 'svelte/attachments';

const shown = new WeakMap<Element, number>();
const calm = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');

/** Flash the element when `value` differs from what it was on the same element before. */
export function flash(value: number | null | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (value === null || value === undefined || Number.isNaN(value)) return;
    const before = shown.get(element);
    shown.set(element, value);
    if (before === undefined || before === value || calm?.matches || !element.animate) return;
    const wash = value > before ? 'var(--up-wash)' : 'var(--down-wash)';
    const ink = value > before ? 'var(--up)' : 'var(--down)';
    element.animate([{ backgroundColor: wash, color: ink }, {}], { duration: 280, easing: 'steps(4)' });
  };
}
