import { describe, expect, it } from 'vitest';
import { differencesOf, parameterText } from '../../src/pages/bots/parameters';
import { holdsOf } from '../../src/pages/dashboard/holds';
import { bot } from '../frames';

describe('why nothing was traded', () => {
  it('reasons come by frequency, the rest is summed up', () => {
    const holds = holdsOf({ rsi: 10, ema_cross: 80, volume: 6, cooldown: 4, unused: 0 }, 2);
    expect(holds.total).toBe(100);
    expect(holds.reasons).toEqual([
      { name: 'ema_cross', count: 80, share: 80 },
      { name: 'rsi', count: 10, share: 10 },
    ]);
    expect(holds.others).toEqual({ name: 'others', count: 10, share: 10 });
  });

  it('nothing held gives nothing', () => {
    expect(holdsOf({}, 3)).toEqual({ total: 0, reasons: [], others: null });
  });
});

describe('parameters side by side', () => {
  it('differ where values differ, or where only one bot has them', () => {
    const bots = [
      bot('V1', { parameters: { rsi_overbought: 75, ema_short: 9 } }),
      bot('V2', { parameters: { rsi_overbought: 85, ema_short: 9, extra: true } }),
    ];
    expect(differencesOf(bots).get('ema_rsi')).toEqual(new Set(['rsi_overbought', 'extra']));
  });

  it('are compared within a strategy only', () => {
    const bots = [bot('V1'), bot('V3', { strategy: 'grid', parameters: { steps: 4 } })];
    expect([...differencesOf(bots).values()].every((names) => names.size === 0)).toBe(true);
  });

  it('are written in words', () => {
    const words = { yes: 'yes', no: 'no', none: 'none' };
    const text = (value: unknown) => parameterText(value, words, String);
    expect([true, false, null, 75, 'ema', [1, 2]].map(text)).toEqual(['yes', 'no', 'none', '75', 'ema', '[1,2]']);
  });
});
