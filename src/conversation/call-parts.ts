import type { Frame } from '../audio/frame.ts';
import type { Words } from '../language/words.ts';
import type { Model } from '../model/model.ts';
import type { Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';
import type { EchoGate } from './echo-gate.ts';
import type { Memory } from './memory.ts';
import type { CallPhase, Captions, ChannelSettings, Interludes, VoiceInput, VoiceOutput } from './ports.ts';
import type { TurnDetectorOptions } from './turn-detector.ts';
import type { TurnTimings } from './turn-timings.ts';
import type { SpeechEncoder } from './utterance-recorder.ts';

/** Tells speech from other sound, for one speaker. */
export interface VoiceActivity extends Disposable {
  isVoiced(frame: Frame): boolean;
}

/** How much may be asked for in vain. */
export interface SpeculationRule {
  /** Answers to one turn that are asked for and dropped. */
  readonly maxPerTurn: number;
  /** Whoever has spoken for longer goes on after a pause more often than not. */
  readonly maxVoicedMs: number;
}

/** Three requests for one answer at most, as other frameworks have it, and none after 10 s of speech. */
export const SPECULATION: SpeculationRule = { maxPerTurn: 3, maxVoicedMs: 10_000 };

/** What a call needs. */
export interface CallParts {
  /** The channel whose conversation this is, and its server. */
  readonly conversationId: string;
  readonly guildId: string;
  /** The channel in which its words appear. */
  readonly shownIn: string;
  /** Different for every call, so that turns of two calls never share an id. */
  readonly callId: string;
  readonly input: VoiceInput;
  readonly output: VoiceOutput;
  /** Knows what goes out when it comes back through a microphone. */
  readonly echoes: EchoGate;
  readonly interludes: Interludes;
  readonly captions: Captions;
  readonly model: Model;
  readonly memory: Memory;
  /** Read when they are needed, so that a change acts at once. */
  readonly settings: () => ChannelSettings;
  /** People in the channel, bots not counted. */
  readonly peopleCount: () => number;
  /** Called when somebody begins to speak, so that what an answer needs is ready. */
  readonly onSpeech: () => void;
  /** Called with each change of what the call is doing. */
  readonly onPhase: (phase: CallPhase) => void;
  /** Called at the end of each turn that was answered. */
  readonly onTimings: (timings: TurnTimings) => void;
  readonly words: Words;
  readonly rule: TurnDetectorOptions;
  /** Whether the silence that ends a turn follows each speaker's habits. */
  readonly adapts: boolean;
  /** Asking before it is certain that a turn is over; `undefined`: never. */
  readonly speculation: SpeculationRule | undefined;
  /** What the bot is called in speech. */
  readonly names: readonly string[];
  readonly createVoiceActivity: () => VoiceActivity;
  readonly createEncoder: () => SpeechEncoder;
  readonly clock: Clock;
  readonly log: Log;
}
