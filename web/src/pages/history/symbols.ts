/** Finding a symbol by what people type. Pure. */

const bare = (text: string): string => text.toUpperCase().replace(/[^A-Z0-9]/g, '');

/**
 * Return the symbol that is meant: the same letters and digits ("btcusdt" for BTC/USDT), or the only
 * symbol that begins so ("btc"). Null when none or several fit.
 */
export function symbolOf(typed: string, symbols: readonly string[]): string | null {
  const wanted = bare(typed);
  if (wanted === '') return null;
  const same = symbols.filter((symbol) => bare(symbol) === wanted || bare(symbol.split(':')[0]!) === wanted);
  if (same.length === 1) return same[0]!;
  const exact = same.find((symbol) => symbol === typed);
  if (exact) return exact;
  const beginning = symbols.filter((symbol) => bare(symbol).startsWith(wanted));
  return beginning.length === 1 ? beginning[0]! : null;
}
