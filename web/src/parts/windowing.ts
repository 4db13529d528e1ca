/** Which rows of a long list have to exist: the ones in sight and a few around them. */

export interface Window {
  /** Index of the first row that is drawn. */
  first: number;
  /** Index after the last row that is drawn. */
  end: number;
  /** Heights of the rows left out above and below, in pixels. */
  above: number;
  below: number;
}

/** Return the window on `count` rows of equal height; `around` rows more on either side. */
export function windowOf(scrollTop: number, viewHeight: number, rowHeight: number, count: number, around = 8): Window {
  const first = Math.min(count, Math.max(0, Math.floor(scrollTop / rowHeight) - around));
  const end = Math.max(first, Math.min(count, Math.ceil((scrollTop + viewHeight) / rowHeight) + around));
  return { first, end, above: first * rowHeight, below: (count - end) * rowHeight };
}
