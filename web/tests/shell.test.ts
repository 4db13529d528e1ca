import { describe, expect, it } from 'vitest';
import { KeyReader } from '../src/keys';
import { colourOf } from '../src/parts/bot_colours';
import { addressOf, routeOf } from '../src/routes';

describe('keys', () => {
  it('g and a letter go to a page', () => {
    const keys = new KeyReader();
    expect(keys.press('g', 0)).toBeNull();
    expect(keys.press('h', 300)).toEqual({ kind: 'go', page: 'history' });
  });

  it('a letter alone, or too late, does nothing', () => {
    const keys = new KeyReader();
    expect(keys.press('h', 0)).toBeNull();
    keys.press('g', 1000);
    expect(keys.press('h', 5000)).toBeNull();
  });

  it('? and / work at any time', () => {
    const keys = new KeyReader();
    keys.press('g', 0);
    expect(keys.press('?', 100)).toEqual({ kind: 'help' });
    expect(keys.press('/', 200)).toEqual({ kind: 'search' });
  });
});

describe('addresses', () => {
  it('name a page, with or without a slash at the end', () => {
    expect(routeOf('/history/', '?bot=V1')).toMatchObject({ page: 'history', path: '/history' });
    expect(routeOf('/', '').page).toBe('dashboard');
    expect(routeOf('/nowhere', '').page).toBeNull();
  });

  it('are written without empty values', () => {
    expect(addressOf('history', { bot: 'V1', symbol: null })).toBe('/history?bot=V1');
    expect(addressOf('dashboard')).toBe('/');
  });
});

describe('colours of bots', () => {
  it('V1 and V2 have their own, and each bot keeps the one it got', () => {
    expect(colourOf('V1').fill).toBe('#58a6ff');
    expect(colourOf('V2').fill).toBe('#bc8cff');
    const other = colourOf('turtle');
    expect(colourOf('gecko')).not.toBe(other);
    expect(colourOf('turtle')).toBe(other);
  });
});
