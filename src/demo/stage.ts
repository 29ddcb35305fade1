import { toInt16 } from '../audio/pcm.ts';
import { correlate } from '../audio/similarity.ts';
import { decodeWav } from '../audio/wav.ts';
import type { SandboxClient } from '../sandbox/control/client.ts';
import type { ModelRequestRecord, SandboxEvent, SandboxVoice, SpokenReport } from '../sandbox/control/protocol.ts';
import { monotonicClock, sleep } from '../time/clock.ts';

/** Longest time any one thing in the demo may take. */
const DEADLINE_MS = 20_000;

/** Someone in the sandbox, with a voice of the synthesiser. */
export interface Actor {
  readonly id: string;
  readonly name: string;
  readonly voice: SandboxVoice;
}

export interface Line {
  readonly actor: Actor;
  readonly text: string;
  /** How long after the scene's start it is said. */
  readonly delayMs?: number;
}

export interface SpokenLine {
  readonly actor: Actor;
  readonly text: string;
  readonly wav: Uint8Array;
  readonly report: SpokenReport;
  /** How like what was spoken is what the model received of it, 0 to 1. */
  readonly likeness: number;
}

/** What was said in the voice channel and what came of it, all from what went over the wire. */
export interface SpokenTurn {
  readonly lines: readonly SpokenLine[];
  readonly replyText: string;
  /** As a person in the channel heard it. */
  readonly heardWav: Uint8Array;
  /** As the model sent it. */
  readonly sentWav: Uint8Array;
  readonly timing: TurnTiming;
  /** How like what the model sent is what was heard, 0 to 1. `undefined` when the reply was cut on purpose. */
  readonly likeness: number | undefined;
}

/** From the last speech packet to the first reply packet, and what took how long of it. */
export interface TurnTiming {
  /** From the last packet of speech to the first of the reply. */
  readonly totalMs: number;
  /** From the request to the model's first sound. */
  readonly modelMs: number;
  /** From the model's first sound to the first packet: the wait until it is certain that the turn is over, and our own share. */
  readonly heldMs: number;
}

interface Said {
  readonly actor: Actor;
  readonly text: string;
  readonly wav: Uint8Array;
  readonly report: SpokenReport;
}

/** Plays scenes in the sandbox and measures them on the wire. */
export class Stage {
  readonly #client: SandboxClient;
  readonly #botId: string;

  constructor(client: SandboxClient, botId: string) {
    this.#client = client;
    this.#botId = botId;
  }

  /** Everyone says their line; resolves when the reply has been heard to its end. */
  async speak(lines: readonly Line[]): Promise<SpokenTurn> {
    const wavs = await Promise.all(lines.map((line) => this.#synthesize(line)));
    const said = await Promise.all(
      lines.map(async (line, index) => {
        await sleep(monotonicClock, line.delayMs ?? 0);
        return this.#say(line, wavs[index] ?? new Uint8Array());
      }),
    );
    const started = await this.#botSpeaking(true, lastPacketAtMs(said));
    const stopped = await this.#botSpeaking(false, started.atMs);
    return this.#turn(said, stopped.atMs, false);
  }

  /** `line` is said over the reply to `opening`; resolves with the turn that was cut, the one that cut it, and how fast. */
  async interrupt(opening: Line, line: Line): Promise<{ cut: SpokenTurn; turn: SpokenTurn; stoppedAfterMs: number }> {
    const [openingWav, wav] = await Promise.all([this.#synthesize(opening), this.#synthesize(line)]);
    const said = await this.#say(opening, openingWav);
    const started = await this.#botSpeaking(true, lastPacketAtMs([said]));
    await sleep(monotonicClock, line.delayMs ?? 0);
    const speaking = this.#say(line, wav);
    const stopped = await this.#botSpeaking(false, started.atMs);
    const over = await speaking;
    const again = await this.#botSpeaking(true, lastPacketAtMs([over]));
    const ended = await this.#botSpeaking(false, again.atMs);
    return {
      cut: await this.#turn([said], stopped.atMs, true),
      turn: await this.#turn([over], ended.atMs, false),
      stoppedAfterMs: stopped.atMs - over.report.firstPacketAtMs,
    };
  }

  async #synthesize({ actor, text }: Line): Promise<Uint8Array> {
    const { wav } = await this.#client.synthesize({ text, voice: actor.voice });
    return Buffer.from(wav, 'base64');
  }

  async #say({ actor, text }: Line, wav: Uint8Array): Promise<Said> {
    const report = await this.#client.speak({ personId: actor.id, wav: Buffer.from(wav).toString('base64') });
    return { actor, text, wav, report };
  }

  #botSpeaking(speaking: boolean, afterMs: number): Promise<SandboxEvent> {
    return this.#client.waitFor(
      (event) => event.type === 'bot-speaking' && event.speaking === speaking && event.atMs > afterMs,
      { timeoutMs: DEADLINE_MS },
    );
  }

  /** Puts together what was said, asked, answered and heard until `endedAtMs`. */
  async #turn(said: readonly Said[], endedAtMs: number, wasCut: boolean): Promise<SpokenTurn> {
    const lastPacket = lastPacketAtMs(said);
    const listener = said[0]?.actor.id ?? '';
    const heard = await this.#client.heard({ personId: listener, fromUserId: this.#botId, sinceMs: lastPacket });
    const firstPacketAtMs =
      heard.packets.find((packet) => !packet.silence && packet.atMs <= endedAtMs)?.atMs ?? Number.NaN;
    const request = await this.#requestBefore(firstPacketAtMs);
    const firstAudioAtMs = request.firstAudioAtMs ?? Number.NaN;
    const sentWav = Buffer.from(request.reply?.wav ?? '', 'base64');
    const heardWav = Buffer.from(heard.wav, 'base64');
    return {
      lines: said.map((line, index) => ({
        ...line,
        likeness: likeness(line.wav, Buffer.from(request.audio.at(index - said.length)?.wav ?? '', 'base64')),
      })),
      replyText: request.reply?.text ?? '',
      heardWav,
      sentWav,
      timing: {
        totalMs: firstPacketAtMs - lastPacket,
        modelMs: firstAudioAtMs - request.atMs,
        heldMs: firstPacketAtMs - firstAudioAtMs,
      },
      likeness: wasCut ? undefined : likeness(sentWav, heardWav),
    };
  }

  /** The request whose answer began to be heard then; earlier ones were asked at pauses and dropped. */
  async #requestBefore(heardAtMs: number): Promise<ModelRequestRecord> {
    const requests = await this.#client.modelRequests({});
    const request = requests.findLast(({ firstAudioAtMs = Infinity }) => firstAudioAtMs <= heardAtMs);
    if (!request) throw new Error('the model was not asked');
    return request;
  }
}

function lastPacketAtMs(said: readonly Said[]): number {
  return Math.max(...said.map(({ report }) => report.lastVoicePacketAtMs));
}

/** Normalised correlation of two WAVs at their best alignment; 0 when one of them is missing. */
function likeness(reference: Uint8Array, other: Uint8Array): number {
  if (reference.length === 0 || other.length === 0) return 0;
  return correlate(samplesOf(reference), samplesOf(other)).correlation;
}

function samplesOf(wav: Uint8Array): Int16Array {
  return toInt16(decodeWav(wav).channels[0] ?? new Float32Array());
}
