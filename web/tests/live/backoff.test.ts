import { expect, it } from 'vitest';
import { waitBefore } from '../../src/live/backoff';

it('waits double from half a second to 15 s', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => waitBefore(attempt, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
  ]);
});

it('chance spreads a wait over its upper half', () => {
  expect(waitBefore(2, 0)).toBe(1000);
  expect(waitBefore(2, 0.5)).toBe(1500);
});
