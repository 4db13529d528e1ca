import { expect, it } from 'vitest';
import * as times from '../../src/format/times';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

it.each([
  [0, '0 s'],
  [900, '1 s'],
  [48_000, '48 s'],
  [60_000, '1 m'],
  [125_000, '2 m 05 s'],
  [7_500_000, '2 h 05 m'],
  [7_200_000, '2 h'],
  [273_600_000, '3 d 4 h'],
])('%i ms last %s', (ms, text) => {
  expect(plain(times.duration(ms, 'en-GB'))).toBe(text);
});

it('French durations have their own units', () => {
  expect(plain(times.duration(273_600_000, 'fr-FR'))).toBe('3 j 4 h');
  expect(plain(times.duration(125_000, 'fr-FR'))).toBe('2 min 05 s');
});

it('moments are in UTC and on a 24-hour clock', () => {
  const text = times.moment(Date.parse('2025-06-24T00:05:09.000Z'), 'en-GB');
  expect(text).toContain('24 Jun');
  expect(text).toContain('00:05:09');
});

it('what is no moment is a dash', () => {
  expect(times.moment(Number.NaN, 'en-GB')).toBe('–');
  expect(times.duration(null, 'en-GB')).toBe('–');
});

it('delays are exact while they are short', () => {
  expect(plain(times.delay(850, 'en-GB'))).toBe('850 ms');
  expect(plain(times.delay(3200, 'en-GB'))).toBe('3.2 s');
  expect(plain(times.milliseconds(0.42, 'en-GB'))).toBe('0.4 ms');
});
