import { describe, expect, it } from 'vitest';
import * as numbers from '../../src/format/numbers';

/** Make every kind of space a plain one, so that the expectations can be read. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('figures', () => {
  it('a gain has its plus, a loss a real minus, nothing has no sign', () => {
    expect(numbers.signedMoney(12.345, 'en-GB')).toBe('+12.35');
    expect(numbers.signedMoney(-1234.5, 'en-GB')).toBe('\u22121,234.50');
    expect(numbers.signedMoney(0, 'en-GB')).toBe('0.00');
    expect(numbers.signedMoney(-0.001, 'en-GB')).toBe('0.00');
  });

  it('French figures have commas and thin spaces', () => {
    expect(plain(numbers.money(10023.1, 'fr-FR'))).toBe('10 023,10');
    expect(plain(numbers.signedPercent(2.5, 'fr-FR'))).toBe('+2,50 %');
  });

  it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])('%s is a dash, not a figure', (nothing) => {
    for (const write of [
      numbers.money,
      numbers.whole,
      numbers.price,
      numbers.quantity,
      numbers.percent,
      numbers.bytes,
    ]) {
      expect(write(nothing, 'en-GB')).toBe(numbers.MISSING);
    }
  });

  it('prices have the decimals of their instrument', () => {
    expect(numbers.price(60000, 'en-GB', 1)).toBe('60,000.0');
    expect(numbers.price(0.00001234, 'en-GB', 8)).toBe('0.00001234');
  });

  it('prices of unknown instruments keep about six digits', () => {
    expect(numbers.price(64123.45, 'en-GB')).toBe('64,123.5');
    expect(numbers.price(0.000012345678, 'en-GB')).toBe('0.0000123457');
  });

  it('shares that round to nothing say so', () => {
    expect(numbers.share(0.02, 'en-GB')).toBe('<0.1%');
    expect(numbers.share(0, 'en-GB')).toBe('0.0%');
    expect(numbers.share(96.4, 'en-GB')).toBe('96%');
  });

  it('bytes are written in a fitting unit', () => {
    expect(plain(numbers.bytes(0, 'en-GB'))).toBe('0 byte');
    expect(plain(numbers.bytes(182_200_000, 'en-GB'))).toBe('182.2 MB');
  });
});

describe('direction', () => {
  it('follows the figure as it is shown', () => {
    expect(numbers.directionOf(0.004)).toBe('level');
    expect(numbers.directionOf(0.006)).toBe('up');
    expect(numbers.directionOf(-0.006)).toBe('down');
    expect(numbers.directionOf(null)).toBe('level');
  });
});
