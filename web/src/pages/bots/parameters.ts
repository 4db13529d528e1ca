/** Parameters of bots side by side. Pure. */

import type { BotView } from '../../api/wire';

/**
 * Return the names of the parameters in which bots of the same strategy differ, by strategy.
 *
 * A parameter that only some of them have differs too. A strategy with one bot has none.
 */
export function differencesOf(bots: readonly Pick<BotView, 'strategy' | 'parameters'>[]): Map<string, Set<string>> {
  const differences = new Map<string, Set<string>>();
  for (const strategy of new Set(bots.map((bot) => bot.strategy))) {
    const same = bots.filter((bot) => bot.strategy === strategy);
    const names = new Set(same.flatMap((bot) => Object.keys(bot.parameters)));
    const differing = [...names].filter((name) => {
      const values = new Set(same.map((bot) => JSON.stringify(bot.parameters[name]) ?? ''));
      return values.size > 1;
    });
    differences.set(strategy, new Set(differing));
  }
  return differences;
}

/** Write a parameter's value; yes and no are words of the language, given as arguments. */
export function parameterText(
  value: unknown,
  words: { yes: string; no: string; none: string },
  number: (value: number) => string,
): string {
  if (value === null || value === undefined) return words.none;
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (typeof value === 'number') return number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
