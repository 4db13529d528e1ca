import { expect, it } from 'vitest';
import { staleAgeMs, timeframeMs } from '../../src/live/staleness';

it('timeframes have their length', () => {
  expect(['30s', '1m', '4h', '1d', 'soon'].map(timeframeMs)).toEqual([30_000, 60_000, 14_400_000, 86_400_000, null]);
});

it('a price is stale after two intervals and 15 s', () => {
  const at = '2025-06-24T12:00:00.000Z';
  const now = Date.parse(at);
  expect(staleAgeMs(at, '1m', now + 135_000)).toBeNull();
  expect(staleAgeMs(at, '1m', now + 136_000)).toBe(136_000);
  expect(staleAgeMs(at, '1m', null)).toBeNull();
});
