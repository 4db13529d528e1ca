/** Curves of (time in ms, value), oldest first: appending, thinning, summing up. Pure. */

export type Point = readonly [ms: number, value: number];

/**
 * Append points. A point of the same second as the one before replaces it (charts count in
 * seconds); an older one is left out: it was already known.
 */
export function extend(points: readonly Point[], added: readonly Point[]): readonly Point[] {
  const all = [...points];
  for (const point of added) {
    const last = all.at(-1);
    const [second, lastSecond] = [secondOf(point), last === undefined ? -Infinity : secondOf(last)];
    if (second === lastSecond) all[all.length - 1] = point;
    else if (second > lastSecond) all.push(point);
  }
  return all;
}

/** Return the second of a point, in Unix time. */
export function secondOf(point: Point): number {
  return Math.floor(point[0] / 1000);
}

/**
 * Return at most `most` points: the older half loses every other one until they fit. The first and
 * the last stay, so that change and range of the ends are exact.
 */
export function thin(points: readonly Point[], most: number): readonly Point[] {
  let kept = points;
  while (kept.length > most && kept.length > 3) {
    const half = Math.floor(kept.length / 2);
    kept = kept.filter((_, index) => index === 0 || index >= half || index % 2 === 0);
  }
  return kept;
}

const MINUTE = 60_000;
const STEPS_MS = [1, 5, 15, 60, 240, 1440, 10_080].map((minutes) => minutes * MINUTE);

/** Return the smallest usual step that divides a span of time into at most `most` parts. */
export function stepFor(spanMs: number, most: number): number {
  return STEPS_MS.find((step) => spanMs / step <= most) ?? STEPS_MS.at(-1)!;
}

/**
 * Return a curve at even steps, straight between its points: charts draw points at equal distances,
 * whatever time lies between them. The first and the last point are kept as they are.
 */
export function atEvenSteps(points: readonly Point[], stepMs: number): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return [];
  const even: Point[] = [first];
  let next = 1;
  for (let ms = (Math.floor(first[0] / stepMs) + 1) * stepMs; ms < last[0]; ms += stepMs) {
    while (points[next]![0] < ms) next += 1;
    const [from, to] = [points[next - 1]!, points[next]!];
    even.push([ms, from[1] + ((to[1] - from[1]) * (ms - from[0])) / (to[0] - from[0])]);
  }
  return extend(even, [last]);
}

export interface Summary {
  first: number;
  last: number;
  low: number;
  high: number;
  change: number;
  /** Change in percent of the first value; null when that is 0. */
  changePercent: number | null;
}

/** Sum a curve up for people who don't see it; null when it is empty. */
export function summaryOf(points: readonly Point[]): Summary | null {
  const first = points[0]?.[1];
  const last = points.at(-1)?.[1];
  if (first === undefined || last === undefined) return null;
  let [low, high] = [first, first];
  for (const [, value] of points) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const change = last - first;
  return { first, last, low, high, change, changePercent: first === 0 ? null : (100 * change) / first };
}

/** Return the value of a curve at a moment: that of the last point not after it; null before the first. */
export function valueAt(points: readonly Point[], ms: number): number | null {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] <= ms) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : points[low - 1]![1];
}

/** Return `count` moments, evenly spread over all curves, the last one included. */
export function momentsOf(curves: readonly (readonly Point[])[], count: number): number[] {
  const starts = curves.flatMap((points) => points[0]?.[0] ?? []);
  const ends = curves.flatMap((points) => points.at(-1)?.[0] ?? []);
  if (starts.length === 0) return [];
  const [start, end] = [Math.min(...starts), Math.max(...ends)];
  if (start === end || count < 2) return [end];
  return Array.from({ length: count }, (_, index) => Math.round(start + ((end - start) * index) / (count - 1)));
}
