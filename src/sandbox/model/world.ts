import type { Clock } from '../../time/clock.ts';
import type { ModelSettings } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import type { Synthesizer } from '../speech.ts';
import type { AudioIds } from './audio-ids.ts';
import type { FaultQueue } from './faults.ts';
import type { Mp3Decoder } from './mp3-decoder.ts';
import type { RequestLog } from './records.ts';
import type { TokenIssuer } from './tokens.ts';

/** What the parts of the model server share. */
export interface ModelWorld {
  readonly clock: Clock;
  readonly synthesizer: Synthesizer;
  readonly mp3: Mp3Decoder;
  readonly apiKey: string;
  readonly identityHeader: string;
  readonly tokens: TokenIssuer;
  readonly audioIds: AudioIds;
  readonly faults: FaultQueue;
  readonly log: RequestLog;
  /** As of now; a request keeps the settings it began with. */
  settings: Required<ModelSettings>;
}

export const DEFAULT_SETTINGS: Required<ModelSettings> = {
  firstAudioMs: 300,
  chunkMs: 200,
  speed: 4,
  audioLifeMs: 3_600_000,
  reply: null,
  leadingSilenceMs: 0,
  textOnly: false,
  declines: false,
};

/** Settings that are not named stay as they are. @throws {Refusal} */
export function mergeSettings(old: Required<ModelSettings>, change: ModelSettings): Required<ModelSettings> {
  const merged = { ...old, ...change };
  for (const name of ['firstAudioMs', 'audioLifeMs', 'leadingSilenceMs'] as const) {
    if (!(merged[name] >= 0)) throw new Refusal(`${name} must be 0 or more.`);
  }
  if (!(merged.chunkMs >= 1)) throw new Refusal('chunkMs must be 1 or more.');
  if (!(merged.speed > 0)) throw new Refusal('speed must be more than 0.');
  return merged;
}

/** How the deployments differ. */
export type DeploymentKind = 'chat' | 'transcribe' | 'diarize' | 'whisper';

/** What exists. The retired names stand for a deployment that somebody has kept the name of: its model is a newer one. */
export const DEPLOYMENTS: ReadonlyMap<string, DeploymentKind> = new Map([
  ['gpt-audio-1.5', 'chat'],
  ['gpt-audio', 'chat'],
  ['gpt-audio-mini', 'chat'],
  ['gpt-4o-audio-preview', 'chat'],
  ['gpt-4o-mini-audio-preview', 'chat'],
  ['gpt-4o-transcribe', 'transcribe'],
  ['gpt-4o-mini-transcribe', 'transcribe'],
  ['gpt-4o-transcribe-diarize', 'diarize'],
  ['whisper', 'whisper'],
  ['whisper-1', 'whisper'],
]);
