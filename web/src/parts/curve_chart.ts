/** Curves on a canvas: the only file that knows the chart library, and that is loaded when a chart is shown. */

import {
  AreaSeries,
  createChart,
  type IChartApi,
  type ISeriesApi,
  type MouseEventParams,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import { type Point, secondOf } from './series';

export interface Curve {
  name: string;
  colour: string;
  points: readonly Point[];
}

export interface Look {
  text: string;
  grid: string;
  line: string;
  dark: boolean;
}

export interface CurveChartOptions {
  element: HTMLElement;
  look: Look;
  locale: string;
  write: (value: number) => string;
  /** Told of the moment under the crosshair (epoch milliseconds), null when it leaves. */
  onpoint: (ms: number | null) => void;
}

type Series = { api: ISeriesApi<'Area'>; points: readonly Point[]; colour: string };

const second = (point: Point): UTCTimestamp => secondOf(point) as UTCTimestamp;

/**
 * A chart of overlaid curves that grow at their right end.
 *
 * It shows everything until the user zooms or moves it; from then on it leaves the view alone until
 * `fit` is called.
 */
export class CurveChart {
  #chart: IChartApi;
  #series = new Map<string, Series>();
  #fitted = true;
  #element: HTMLElement;

  constructor(options: CurveChartOptions) {
    this.#element = options.element;
    this.#chart = createChart(options.element, {
      autoSize: true,
      layout: {
        attributionLogo: true,
        background: { color: 'transparent' },
        fontFamily: 'Inter, sans-serif',
        fontSize: 11,
      },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.14, bottom: 0.08 } },
      timeScale: {
        borderVisible: false,
        timeVisible: true,
        secondsVisible: false,
        rightOffset: 2,
        minBarSpacing: 0.05,
      },
      crosshair: { horzLine: { visible: false, labelVisible: false } },
      localization: { locale: options.locale },
      handleScroll: { vertTouchDrag: false },
    });
    this.dress(options.look, options.locale, options.write);
    this.#chart.subscribeCrosshairMove((event: MouseEventParams<Time>) => {
      options.onpoint(typeof event.time === 'number' ? event.time * 1000 : null);
    });
    for (const gesture of ['wheel', 'pointerdown', 'touchstart'] as const) {
      options.element.addEventListener(gesture, this.#release, { passive: true });
    }
  }

  #release = (): void => {
    this.#fitted = false;
  };

  /** Take over colours and language. */
  dress(look: Look, locale: string, write: (value: number) => string): void {
    this.#chart.applyOptions({
      layout: { textColor: look.text },
      grid: { vertLines: { visible: false }, horzLines: { color: look.grid } },
      crosshair: { vertLine: { color: look.line, labelBackgroundColor: look.line } },
      localization: { locale, priceFormatter: write },
    });
  }

  /** Show exactly these curves; ones that only grew at the end are extended in place. */
  draw(curves: readonly Curve[]): void {
    for (const [name, series] of this.#series) {
      if (curves.some((curve) => curve.name === name)) continue;
      this.#chart.removeSeries(series.api);
      this.#series.delete(name);
    }
    for (const curve of curves) this.#drawOne(curve);
    if (this.#fitted) this.#chart.timeScale().fitContent();
  }

  #drawOne(curve: Curve): void {
    let series = this.#series.get(curve.name);
    if (series === undefined) {
      const api = this.#chart.addSeries(AreaSeries, { lineWidth: 2, priceLineVisible: false, lastValueVisible: true });
      series = { api, points: [], colour: '' };
      this.#series.set(curve.name, series);
    }
    if (series.colour !== curve.colour) {
      series.api.applyOptions({
        lineColor: curve.colour,
        topColor: curve.colour + '26',
        bottomColor: curve.colour + '00',
      });
      series.colour = curve.colour;
    }
    const fresh = grownBy(series.points, curve.points);
    if (fresh === null) {
      series.api.setData(curve.points.map((point) => ({ time: second(point), value: point[1] })));
    } else {
      for (const point of fresh) series.api.update({ time: second(point), value: point[1] });
    }
    series.points = curve.points;
  }

  /** Show all of the curves, and follow them again. */
  fit(): void {
    this.#fitted = true;
    this.#chart.timeScale().fitContent();
  }

  /** Show `factor` times as much of the time axis (0.8: closer). */
  zoom(factor: number): void {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    if (range === null) return;
    this.#fitted = false;
    const [middle, half] = [(range.from + range.to) / 2, ((range.to - range.from) / 2) * factor];
    this.#chart.timeScale().setVisibleLogicalRange({ from: middle - half, to: middle + half });
  }

  /** Put the crosshair on a moment (epoch milliseconds) that one of the curves has a point at. */
  point(ms: number): void {
    const time = Math.floor(ms / 1000) as UTCTimestamp;
    for (const { api, points } of this.#series.values()) {
      const there = points.find((one) => second(one) === time);
      if (there) return this.#chart.setCrosshairPosition(there[1], time, api);
    }
  }

  remove(): void {
    for (const gesture of ['wheel', 'pointerdown', 'touchstart'] as const) {
      this.#element.removeEventListener(gesture, this.#release);
    }
    this.#chart.remove();
  }
}

/** Return the points by which `after` goes beyond `before`, or null when it is another curve. */
function grownBy(before: readonly Point[], after: readonly Point[]): readonly Point[] | null {
  const last = before.length - 1;
  if (last < 0 || after.length <= last || before[0]![0] !== after[0]![0]) return null;
  // The last point may have been replaced within its second; those before it must be where they were.
  if (secondOf(before[last]!) !== secondOf(after[last]!)) return null;
  const [old, same] = [before[last - 1], after[last - 1]];
  if (old?.[0] !== same?.[0] || old?.[1] !== same?.[1]) return null;
  return after.slice(last);
}
