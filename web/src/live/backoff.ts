/** How long to wait before the next attempt to connect. */

const FIRST_MS = 500;
const LONGEST_MS = 15_000;

/**
 * Return the wait before attempt `attempt` (0 is the first one after a loss) in milliseconds.
 *
 * It doubles up to 15 s; `random` (0 to 1) spreads it over its upper half, so that many pages
 * that lost the same server don't come back in the same moment.
 */
export function waitBefore(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 30));
  return Math.round(full * (0.5 + random / 2));
}
