/**
 * One colour per bot, the same on every page: V1, V2 and FT have theirs by name, further bots take
 * the rest of the palette in the order in which they were first seen.
 *
 * `fill` carries dark text; `line` is for charts on each theme (at least 3:1 on the panel).
 */

export interface BotColour {
  fill: string;
  line: { dark: string; light: string };
}

const FIXED: Record<string, BotColour> = {
  V1: { fill: '#58a6ff', line: { dark: '#58a6ff', light: '#1f6fd6' } },
  V2: { fill: '#bc8cff', line: { dark: '#bc8cff', light: '#8443d6' } },
  FT: { fill: '#d29922', line: { dark: '#d29922', light: '#97690a' } },
};

const FURTHER: readonly BotColour[] = [
  { fill: '#39c5cf', line: { dark: '#39c5cf', light: '#0b7a83' } },
  { fill: '#ff9bce', line: { dark: '#ff9bce', light: '#bd3f83' } },
  { fill: '#b5bd4c', line: { dark: '#b5bd4c', light: '#6c7410' } },
  { fill: '#ffa98f', line: { dark: '#ffa98f', light: '#b3532f' } },
  { fill: '#9fb3c8', line: { dark: '#9fb3c8', light: '#526a84' } },
  { fill: '#7ee2b8', line: { dark: '#7ee2b8', light: '#15795a' } },
];

const given = new Map<string, BotColour>();

/** Return the colour of a bot; the palette starts over when it is used up. */
export function colourOf(name: string): BotColour {
  const known = FIXED[name] ?? given.get(name);
  if (known) return known;
  const colour = FURTHER[given.size % FURTHER.length]!;
  given.set(name, colour);
  return colour;
}
