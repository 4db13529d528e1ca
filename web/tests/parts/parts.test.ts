import { describe, expect, it } from 'vitest';
import { atEvenSteps, stepFor, extend, momentsOf, type Point, summaryOf, thin, valueAt } from '../../src/parts/series';
import { placeOf } from '../../src/parts/stop_target';
import { windowOf } from '../../src/parts/windowing';

describe('a window on a long list', () => {
  it('draws what is in sight and a few rows around it', () => {
    expect(windowOf(1000, 400, 40, 500, 5)).toEqual({ first: 20, end: 40, above: 800, below: 18_400 });
  });

  it('keeps the height of the whole list', () => {
    for (const top of [0, 55, 9999, 1e9]) {
      const { first, end, above, below } = windowOf(top, 400, 40, 500);
      expect(above + (end - first) * 40 + below).toBe(500 * 40);
    }
  });

  it('is empty for an empty list', () => {
    expect(windowOf(0, 400, 40, 0)).toEqual({ first: 0, end: 0, above: 0, below: 0 });
  });
});

describe('a curve', () => {
  const points: Point[] = [
    [1000, 10],
    [2000, 12],
    [3000, 9],
  ];

  it('takes a newer point in, replaces one of the same second, and leaves older ones out', () => {
    expect(extend(points, [[4000, 11]])).toEqual([...points, [4000, 11]]);
    expect(extend(points, [[3900, 8]])).toEqual([points[0], points[1], [3900, 8]]);
    expect(extend(points, [[500, 1]])).toEqual(points);
  });

  it('keeps its identity before the points that are new', () => {
    expect(extend(points, [[4000, 11]])[1]).toBe(points[1]);
  });

  it('is thinned in its older half; its ends stay', () => {
    const long: Point[] = Array.from({ length: 1001 }, (_, n) => [n * 1000, n]);
    const thinned = thin(long, 1000);
    expect(thinned.length).toBeLessThanOrEqual(1000);
    expect(thinned[0]).toEqual([0, 0]);
    expect(thinned.slice(-500)).toEqual(long.slice(-500));
  });

  it('is summed up', () => {
    expect(summaryOf(points)).toEqual({ first: 10, last: 9, low: 9, high: 12, change: -1, changePercent: -10 });
    expect(summaryOf([])).toBeNull();
  });

  it('has at a moment the value of the last point before it', () => {
    expect([500, 1000, 1500, 9999].map((ms) => valueAt(points, ms))).toEqual([null, 10, 10, 9]);
  });

  it('is drawn at even steps, straight between its points', () => {
    const minute = 60_000;
    const uneven: Point[] = [
      [30_000, 1],
      [2 * minute, 4],
      [4 * minute, 0],
      [4 * minute + 500, 9],
    ];
    expect(atEvenSteps(uneven, minute)).toEqual([
      [30_000, 1],
      [minute, 2],
      [2 * minute, 4],
      [3 * minute, 2],
      [4 * minute + 500, 9],
    ]);
    expect(atEvenSteps([], minute)).toEqual([]);
    expect(atEvenSteps([[7, 1]], minute)).toEqual([[7, 1]]);
  });

  it('takes the smallest usual step that fits', () => {
    expect([0, 800 * 60_000, 801 * 60_000].map((span) => stepFor(span, 800))).toEqual([60_000, 60_000, 300_000]);
  });

  it('is tabled at even moments up to its end', () => {
    expect(momentsOf([points, [[5000, 1]]], 3)).toEqual([1000, 3000, 5000]);
    expect(momentsOf([[]], 3)).toEqual([]);
  });
});

describe('the bar between stop and target', () => {
  it('runs from stop to target for a long position', () => {
    expect(placeOf({ entry: 100, price: 103, stop: 98, target: 108 })).toEqual({ entry: 0.2, price: 0.5 });
  });

  it('is mirrored for a short one, so that right is good', () => {
    expect(placeOf({ entry: 100, price: 97, stop: 102, target: 92 })).toEqual({ entry: 0.2, price: 0.5 });
  });

  it('keeps a price beyond a level at the end of the bar', () => {
    expect(placeOf({ entry: 100, price: 200, stop: 98, target: 108 })?.price).toBe(1);
  });

  it('mirrors the level that there is when the other one is missing', () => {
    expect(placeOf({ entry: 100, price: 101, stop: 98, target: null })).toEqual({ entry: 0.5, price: 0.75 });
    expect(placeOf({ entry: 100, price: 101, stop: null, target: null })).toBeNull();
  });
});
