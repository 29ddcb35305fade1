import { describe, expect, it } from 'vitest';

import { Floor } from '../../src/conversation/floor.ts';
import type { Utterance } from '../../src/conversation/turn.ts';

function utterance(name: string, startedAtMs: number, voicedMs = 1000): Utterance {
  return {
    speaker: { id: name, name },
    startedAtMs,
    lastVoicedAtMs: startedAtMs + voicedMs,
    voicedMs,
    speech: { format: 'mp3', data: new Uint8Array(), durationMs: voicedMs },
  };
}

const names = (turn: { utterances: readonly Utterance[] } | undefined): string[] | undefined =>
  turn?.utterances.map(({ speaker }) => speaker.name);

describe('Floor', () => {
  it('gives a turn when the only speaker has finished', () => {
    const floor = new Floor();
    floor.started('Alice');
    expect(names(floor.ended('Alice', utterance('Alice', 0)))).toEqual(['Alice']);
  });

  it('waits for everyone and puts them in the order they began', () => {
    const floor = new Floor();
    floor.started('Alice');
    floor.started('Bob');
    expect(floor.ended('Bob', utterance('Bob', 300))).toBeUndefined();
    expect(names(floor.ended('Alice', utterance('Alice', 0)))).toEqual(['Alice', 'Bob']);
  });

  it('drops what is shorter than a word, and the turn with it', () => {
    const floor = new Floor();
    floor.started('Alice');
    expect(floor.ended('Alice', utterance('Alice', 0, 100))).toBeUndefined();
    floor.started('Bob');
    expect(names(floor.ended('Bob', utterance('Bob', 900)))).toEqual(['Bob']);
  });

  it('gives a turn of two minutes to those who wait for an answer, though somebody speaks on', () => {
    const floor = new Floor();
    floor.started('Music');
    for (let minute = 0; minute < 2; minute++) {
      floor.started('Alice');
      expect(floor.ended('Alice', utterance('Alice', minute * 60_000))).toBeUndefined();
    }
    floor.started('Alice');
    expect(names(floor.ended('Alice', utterance('Alice', 120_000)))).toEqual(['Alice', 'Alice', 'Alice']);
    expect(names(floor.ended('Music', utterance('Music', 0, 130_000)))).toEqual(['Music']);
  });

  it('opens the next turn with a turn that was called off', () => {
    const floor = new Floor();
    floor.started('Alice');
    const first = floor.ended('Alice', utterance('Alice', 0));
    floor.started('Alice');
    if (first) floor.resume(first);
    const second = floor.ended('Alice', utterance('Alice', 2000, 100));
    expect(second?.utterances.map(({ startedAtMs }) => startedAtMs)).toEqual([0]);
  });
});
