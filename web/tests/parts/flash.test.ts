// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { flash } from '../../src/parts/flash';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a figure lights up in its direction when it changes, for a moment', () => {
  const cell = document.createElement('span');
  flash(1)(cell);
  expect(cell.dataset.flash).toBeUndefined();
  flash(2)(cell);
  expect(cell.dataset.flash).toBe('up');
  flash(1.5)(cell);
  expect(cell.dataset.flash).toBe('down');
  vi.advanceTimersByTime(300);
  expect(cell.dataset.flash).toBeUndefined();
});

it('a figure that stays, or is missing, does not', () => {
  const cell = document.createElement('span');
  for (const value of [1, 1, null, Number.NaN]) flash(value)(cell);
  expect(cell.dataset.flash).toBeUndefined();
});
