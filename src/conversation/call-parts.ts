import type { Frame } from '../audio/frame.ts';
import type { Words } from '../language/words.ts';
import type { Model } from '../model/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { Memory } from './memory.ts';
import type { CallPhase, Captions, ChannelSettings, Interludes, VoiceInput, VoiceOutput } from './ports.ts';
import type { TurnDetectorOptions } from './turn-detector.ts';
import type { TurnTimings } from './turn-timings.ts';
import type { SpeechEncoder } from './utterance-recorder.ts';

/** Tells speech from other sound, for one speaker. */
export interface VoiceActivity extends Disposable {
  isVoiced(frame: Frame): boolean;
}

/** What a call needs. */
export interface CallParts {
  /** The channel whose conversation this is, and its server. */
  readonly conversationId: string;
  readonly guildId: string;
  /** Different for every call, so that turns of two calls never share an id. */
  readonly callId: string;
  readonly input: VoiceInput;
  readonly output: VoiceOutput;
  readonly interludes: Interludes;
  readonly captions: Captions;
  readonly model: Model;
  readonly memory: Memory;
  /** Read when they are needed, so that a change acts at once. */
  readonly settings: () => ChannelSettings;
  /** People in the channel, bots not counted. */
  readonly peopleCount: () => number;
  /** Called with each change of what the call is doing. */
  readonly onPhase: (phase: CallPhase) => void;
  /** Called at the end of each turn that was answered. */
  readonly onTimings: (timings: TurnTimings) => void;
  readonly words: Words;
  readonly rule: TurnDetectorOptions;
  readonly createVoiceActivity: () => VoiceActivity;
  readonly createEncoder: () => SpeechEncoder;
  readonly clock: Clock;
  readonly log: Log;
}
