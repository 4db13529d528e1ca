/** When a price is too old to be believed. Pure. */

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Return the length of a timeframe ("1m", "4h") in milliseconds; null when it is none. */
export function timeframeMs(timeframe: string): number | null {
  const [, count, unit] = /^(\d+)([smhdw])$/.exec(timeframe) ?? [];
  return count === undefined ? null : Number(count) * UNITS[unit as keyof typeof UNITS];
}

/**
 * Return the age of a price when it counts as stale, else null.
 *
 * A price may be two intervals of the bot's candles and 15 s old. priceAt: ISO 8601; nowMs: the
 * market's clock, on which prices are dated.
 */
export function staleAgeMs(priceAt: string, timeframe: string, nowMs: number | null): number | null {
  const interval = timeframeMs(timeframe);
  if (nowMs === null || interval === null) return null;
  const age = nowMs - Date.parse(priceAt);
  return age > 2 * interval + 15_000 ? age : null;
}
