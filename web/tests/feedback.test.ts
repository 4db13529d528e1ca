import { expect, it } from 'vitest';
import { feedback } from '../src/feedback.svelte';

it('an error that repeats is counted, not listed again', () => {
  feedback.dismissAll();
  feedback.fault('disk is full', 1);
  feedback.fault('disk is full', 2);
  expect(feedback.faults).toMatchObject([{ text: 'disk is full', times: 2, at: 2 }]);
});

it("the engine's errors are listed once, stay dismissed while they last, and come back when they recur", () => {
  feedback.dismissAll();
  feedback.reported(['V1 failed']);
  feedback.reported(['V1 failed']);
  expect(feedback.faults).toHaveLength(1);
  feedback.dismissAll();
  feedback.reported(['V1 failed']);
  expect(feedback.faults).toHaveLength(0);
  feedback.reported([]);
  feedback.reported(['V1 failed']);
  expect(feedback.faults).toHaveLength(1);
});
