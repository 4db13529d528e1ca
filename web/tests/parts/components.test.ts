// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import WhyPanel from '../../src/pages/dashboard/WhyPanel.svelte';
import { apply } from '../../src/live/fold';
import type { View } from '../../src/live/view';
import Checks from '../../src/parts/Checks.svelte';
import ModeBadge from '../../src/parts/ModeBadge.svelte';
import Pnl from '../../src/parts/Pnl.svelte';
import { preferences } from '../../src/preferences.svelte';
import { bot, snapshot, snapshotData } from '../frames';

afterEach(() => {
  cleanup();
  preferences.language = 'en';
});

describe('the mode badge', () => {
  it.each([
    ['virtual', 'Virtual'],
    ['paper', 'Real (Paper)'],
    ['live', 'Real (Live)'],
  ] as const)('says %s in the words of record', (mode, text) => {
    render(ModeBadge, { mode });
    expect(screen.getByText(text).className).toContain(mode);
  });
});

describe('a gain or loss', () => {
  it('has sign and triangle, not colour alone', () => {
    const { container } = render(Pnl, { value: -3.2, percent: -0.5 });
    expect(container.textContent).toContain('\u22123.20');
    expect(container.querySelector('svg.down')).not.toBeNull();
  });

  it('of nothing has neither', () => {
    const { container } = render(Pnl, { value: 0 });
    expect(container.querySelector('svg')).toBeNull();
  });
});

describe('checks', () => {
  it('say of each what it measured and whether it passed', () => {
    const checks = [
      { name: 'ema_cross', value: 1.5, threshold: 2, relation: '>', passed: false },
      { name: 'made_up_check', value: null, threshold: null, relation: '<', passed: null },
    ];
    render(Checks, { checks, caption: 'BTC/USDT' });
    expect(screen.getByRole('row', { name: /failed: EMA cross 1.5 > 2/ })).toBeTruthy();
    expect(screen.getByRole('row', { name: /warming up: made up check/ })).toBeTruthy();
  });
});

describe('why no trade', () => {
  const view = (holds: Record<string, number>) =>
    apply(null, snapshot(1, { status: { ...snapshotData().status, bots: [bot('V1', { holds })] } })) as View;

  it('names the most frequent reason first, in words', () => {
    render(WhyPanel, { view: view({ rsi: 5, ema_cross: 95 }) });
    expect(screen.getAllByRole('listitem')[0]?.textContent).toMatch(/EMA cross.*95%/);
    expect(screen.getByText('held back 100 times')).toBeTruthy();
  });

  it('speaks French', () => {
    preferences.language = 'fr';
    render(WhyPanel, { view: view({}) });
    expect(screen.getByText('Rien n’a encore été retenu.')).toBeTruthy();
  });
});
