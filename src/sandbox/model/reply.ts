/** What the model answers, ready to be sent in any form. */
export interface Reply {
  readonly spoken: boolean;
  readonly pieces: readonly ReplyPiece[];
}

/** A stretch of the answer: words with the sound that speaks them, or sound without words. Without sound in text. */
export interface ReplyPiece {
  readonly words: string;
  readonly sound: Promise<Int16Array>;
}

/** A step of sending a reply. */
export type ReplyStep =
  | { readonly type: 'words'; readonly text: string }
  | { readonly type: 'sound'; readonly samples: Int16Array };

/** How the words of a piece run ahead: this part before its sound, and all of them by the middle of it. */
const WORDS_AHEAD = 0.25;

/**
 * Cuts a spoken reply into sound of `chunkSamples` each (the last may be shorter) and words, each word before the sound
 * that speaks it. Stops after `maxSamples`.
 */
export async function* replySteps(
  reply: Reply,
  chunkSamples: number,
  maxSamples: number,
): AsyncGenerator<ReplyStep, 'stop' | 'length'> {
  let rest = new Int16Array(0);
  let budget = maxSamples;
  for (const piece of reply.pieces) {
    const sound = (await piece.sound).subarray(0, budget);
    const cut = sound.length < (await piece.sound).length;
    budget -= sound.length;
    const tokens = piece.words.match(/\s*\S+/gu) ?? [];
    // Of a reply that is cut, only the words that are spoken are told.
    const share = cut ? sound.length / (await piece.sound).length : 1;
    const last = Math.ceil(tokens.length * share);
    let told = 0;

    const tell = (progress: number): ReplyStep | undefined => {
      const due = Math.min(last, Math.ceil(last * (2 * progress + WORDS_AHEAD)));
      const text = tokens.slice(told, due).join('');
      told = due;
      return text === '' ? undefined : { type: 'words', text };
    };

    const first = tell(0);
    if (first !== undefined) yield first;
    const joined = new Int16Array(rest.length + sound.length);
    joined.set(rest);
    joined.set(sound, rest.length);
    let at = 0;
    for (; at + chunkSamples <= joined.length; at += chunkSamples) {
      yield { type: 'sound', samples: joined.subarray(at, at + chunkSamples) };
      const next = tell((at + chunkSamples) / joined.length);
      if (next !== undefined) yield next;
    }
    rest = joined.slice(at);
    const remaining = tell(1);
    if (remaining !== undefined) yield remaining;
    if (cut) {
      if (rest.length > 0) yield { type: 'sound', samples: rest };
      return 'length';
    }
  }
  if (rest.length > 0) yield { type: 'sound', samples: rest };
  return 'stop';
}

/** The whole answer as words. */
export function replyText(reply: Reply): string {
  return reply.pieces.map(({ words }) => words).join('');
}
