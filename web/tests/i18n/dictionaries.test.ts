import { describe, expect, it } from 'vitest';
import { dictionaries, type Key, lookUp, translate, translateCount } from '../../src/i18n/translate';

const keys = Object.keys(dictionaries.en) as Key[];
const blanks = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe('the dictionaries', () => {
  it('have the same keys', () => {
    expect(Object.keys(dictionaries.fr).sort()).toEqual([...keys].sort());
  });

  it.each(keys.filter((key) => !key.endsWith('.one')))('%s has the same blanks in both', (key) => {
    expect(blanks(dictionaries.fr[key])).toEqual(blanks(dictionaries.en[key]));
  });

  it('have no empty text', () => {
    for (const dictionary of Object.values(dictionaries)) {
      for (const [key, text] of Object.entries(dictionary)) expect(text.trim(), key).not.toBe('');
    }
  });

  it('have both forms of every counted noun', () => {
    for (const key of keys.filter((one) => one.endsWith('.one'))) {
      expect(keys).toContain(key.replace(/one$/, 'other'));
    }
  });
});

describe('texts', () => {
  it('have their blanks filled in', () => {
    expect(translate('en', 'confirm.close_title', { symbol: 'BTC/USDT' })).toBe('Close BTC/USDT?');
  });

  it('count by the rules of the language', () => {
    expect(translateCount('en', 'health.symbols', 0, '0')).toBe('0 pairs');
    expect(translateCount('fr', 'health.symbols', 0, '0')).toBe('0 paire');
    expect(translateCount('fr', 'health.symbols', 2, '2')).toBe('2 paires');
  });

  it('of unknown names are not made up', () => {
    expect(lookUp('en', 'check.something_new')).toBeUndefined();
  });
});
