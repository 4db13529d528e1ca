import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../src/api/wire';
import { LiveSocket, type SocketState } from '../../src/live/socket';
import { snapshot } from '../frames';

/** The part of a browser's WebSocket that LiveSocket uses, driven by the test. */
class FakeWebSocket {
  static made: FakeWebSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly OPEN = 1;
  readyState = 0;
  sent: string[] = [];
  closed = false;

  constructor() {
    FakeWebSocket.made.push(this);
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(frame: Frame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }
}

function make() {
  const frames: Frame[] = [];
  const states: SocketState[] = [];
  const socket = new LiveSocket({
    url: 'ws://test/ws',
    onframe: (frame) => frames.push(frame),
    onstate: (state) => states.push(state),
    open: () => new FakeWebSocket() as unknown as WebSocket,
    now: () => 0,
    random: () => 1,
  });
  return { socket, frames, states };
}

const latest = () => FakeWebSocket.made.at(-1)!;

describe('the one connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeWebSocket.made = [];
  });
  afterEach(() => vi.useRealTimers());

  it('hands frames on', () => {
    const { socket, frames, states } = make();
    socket.connect();
    latest().accept();
    latest().say(snapshot(1));
    expect(states.map((state) => state.kind)).toEqual(['connecting', 'open']);
    expect(frames[0]?.type).toBe('snapshot');
  });

  it('comes back after a loss, later each time', () => {
    const { socket, states } = make();
    socket.connect();
    latest().end(1006);
    expect(states.at(-1)).toEqual({ kind: 'waiting', retryAt: 500, code: 1006 });
    vi.advanceTimersByTime(500);
    latest().end(1006);
    expect(states.at(-1)).toMatchObject({ retryAt: 1000 });
    expect(FakeWebSocket.made).toHaveLength(2);
  });

  it('an accepted connection that says nothing does not shorten the wait', () => {
    const { socket, states } = make();
    socket.connect();
    latest().end(1006);
    vi.advanceTimersByTime(500);
    latest().accept();
    latest().end(1006);
    expect(states.at(-1)).toMatchObject({ retryAt: 1000 });
    vi.advanceTimersByTime(1000);
    latest().accept();
    latest().say(snapshot(1));
    latest().end(1006);
    expect(states.at(-1)).toMatchObject({ retryAt: 500 });
  });

  it('silence counts as a loss', () => {
    const { socket, states } = make();
    socket.connect();
    latest().accept();
    const silent = latest();
    vi.advanceTimersByTime(15_000);
    expect(silent.closed).toBe(true);
    expect(states.at(-1)?.kind).toBe('waiting');
  });

  it('a pause closes it and nothing reconnects', () => {
    const { socket, states } = make();
    socket.connect();
    latest().accept();
    socket.pause();
    vi.advanceTimersByTime(60_000);
    expect(latest().closed).toBe(true);
    expect(FakeWebSocket.made).toHaveLength(1);
    expect(states.at(-1)?.kind).toBe('paused');
  });

  it('what an old connection still says is not listened to', () => {
    const { socket, frames } = make();
    socket.connect();
    const old = latest();
    old.accept();
    socket.connect();
    old.say(snapshot(1));
    expect(frames).toEqual([]);
  });

  it('requests go out only while it is open', () => {
    const { socket } = make();
    socket.connect();
    socket.send({ type: 'snapshot' });
    latest().accept();
    socket.send({ type: 'snapshot' });
    expect(latest().sent).toEqual(['{"type":"snapshot"}']);
  });
});
