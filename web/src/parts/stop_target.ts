/** Geometry of the stop/target bar. */

export interface Levels {
  entry: number;
  price: number;
  stop: number | null;
  target: number | null;
}

/**
 * Return where entry and price lie between stop (0) and target (1), clamped to the bar.
 *
 * A missing level is mirrored from the other one across the entry. Null when there is neither, or
 * when the two are the same price.
 */
export function placeOf({ entry, price, stop, target }: Levels): { entry: number; price: number } | null {
  const left = stop ?? (target === null ? null : 2 * entry - target);
  const right = target ?? (stop === null ? null : 2 * entry - stop);
  if (left === null || right === null || left === right) return null;
  const at = (value: number) => Math.min(1, Math.max(0, (value - left) / (right - left)));
  return { entry: at(entry), price: at(price) };
}
