/** Why nothing happened: a bot's counts of holds, put in order. Pure. */

export interface Reason {
  name: string;
  count: number;
  /** Percent of all holds of the bot. */
  share: number;
}

export interface Holds {
  total: number;
  /** Most frequent first; those beyond `most` summed up in `others`. */
  reasons: Reason[];
  others: Reason | null;
}

/** Order the counts by size (then name) and keep the `most` frequent ones apart. */
export function holdsOf(counts: Readonly<Record<string, number>>, most: number): Holds {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  entries.sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
  const total = entries.reduce((sum, [, count]) => sum + count, 0);
  const reason = (name: string, count: number): Reason => ({ name, count, share: (100 * count) / total });
  const rest = entries.slice(most).reduce((sum, [, count]) => sum + count, 0);
  return {
    total,
    reasons: entries.slice(0, most).map(([name, count]) => reason(name, count)),
    others: rest > 0 ? reason('others', rest) : null,
  };
}
