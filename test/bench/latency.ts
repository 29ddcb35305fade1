import { toInt16 } from '../../src/audio/pcm.ts';
import { decodeWav, encodeWav } from '../../src/audio/wav.ts';
import { FIXED_RULE } from '../../src/conversation/turn-detector.ts';
import type { ChannelSnapshot, PersonSnapshot } from '../../src/sandbox/control/protocol.ts';
import type { BenchOptions } from './part.ts';
import { startBot, startWorld, type World } from './processes.ts';
import { RECIPE_SILENCE_MS } from './recipe-silence.ts';

const TURNS = 60;

/** From the request's last byte to the model's first audio. */
const MODEL_MS = 300;

/** A reply packet at least this loud can be heard. */
const AUDIBLE_LEVEL = 0.002;

const DEADLINE_MS = 30_000;

interface LatencyResult {
  readonly name: string;
  readonly turns: number;
  /** From the last speech packet to the first audible reply packet, less the end-of-turn wait and the model's time. */
  readonly addedMs: readonly number[];
}

interface Candidate {
  readonly name: string;
  readonly file: string;
  /** What the candidate waits on purpose. */
  readonly silenceMs: number;
  /** It comes by itself instead of by `/join`. */
  readonly joinsAlone: boolean;
}

const PARLEY: Candidate = { name: 'Parley', file: 'src/main.ts', silenceMs: FIXED_RULE.silenceMs, joinsAlone: false };
const RECIPE: Candidate = {
  name: 'usual recipe (ffmpeg, whole reply)',
  file: 'test/bench/recipe-bot.ts',
  silenceMs: RECIPE_SILENCE_MS,
  joinsAlone: true,
};

/** Added latency of Parley and of the usual recipe, from wire time stamps taken in another process than the bot's. */
export async function benchLatency({ turns = TURNS }: BenchOptions): Promise<string[]> {
  const results = [await measure(PARLEY, turns), await measure(RECIPE, Math.ceil(turns / 3))];
  return [
    '| added latency | turns | p50 | p95 | p99 |',
    '|---|---|---|---|---|',
    ...results.map(({ name, addedMs }) => row(name, addedMs)),
  ];
}

function row(name: string, valuesMs: readonly number[]): string {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const figures = [50, 95, 99].map((percent) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
    return `${value.toFixed(1)} ms`;
  });
  return `| ${[name, valuesMs.length, ...figures].join(' | ')} |`;
}

async function measure(candidate: Candidate, turns: number): Promise<LatencyResult> {
  await using world = await startWorld();
  const { client } = world;
  await client.setModel({ firstAudioMs: MODEL_MS, reply: 'Yes, I can hear you.' });
  const { person, text, voice } = await furniture(world);
  await client.join({ personId: person.id, channelId: voice.id });
  await using _bot = await startBot(world, candidate.file, { VOICE_CHANNEL_ID: voice.id });
  if (!candidate.joinsAlone) {
    await client.waitFor((event) => event.type === 'commands-registered', { timeoutMs: DEADLINE_MS });
    await client.runCommand({ personId: person.id, channelId: text.id, command: 'join' });
  }
  await client.waitFor((event) => event.type === 'bot-voice-ready', { timeoutMs: DEADLINE_MS });
  if (!candidate.joinsAlone) {
    // The channel is told before anybody is listened to.
    await client.waitFor((event) => event.type === 'interaction-updated' && event.interaction.state === 'answered', {
      timeoutMs: DEADLINE_MS,
    });
  }
  const speech = await voicedToTheEnd(world);
  const { bot } = await client.world({});

  const addedMs: number[] = [];
  // The first turn warms connections and code up, in both candidates.
  for (let turn = 0; turn <= turns; turn++) {
    const { lastVoicePacketAtMs } = await client.speak({ personId: person.id, wav: speech });
    const began = await client.waitFor((event) => event.type === 'bot-speaking' && event.speaking, {
      since: lastVoicePacketAtMs,
      timeoutMs: DEADLINE_MS,
    });
    await client.waitFor((event) => event.type === 'bot-speaking' && !event.speaking, {
      since: began.atMs,
      timeoutMs: DEADLINE_MS,
    });
    const requests = await client.modelRequests({ sinceMs: lastVoicePacketAtMs });
    const request = requests.find(({ endpoint }) => endpoint === 'chat');
    const heard = await client.heard({ personId: person.id, fromUserId: bot.id, sinceMs: lastVoicePacketAtMs });
    const audible = heard.packets.find(({ silence, level }) => !silence && level >= AUDIBLE_LEVEL);
    if (!request?.firstAudioAtMs || !audible) throw new Error(`${candidate.name}: turn ${turn} was not answered`);
    const modelMs = request.firstAudioAtMs - request.atMs;
    if (turn > 0) addedMs.push(audible.atMs - lastVoicePacketAtMs - candidate.silenceMs - modelMs);
  }
  return { name: candidate.name, turns, addedMs };
}

/** One and a half seconds of speech that stop in the middle of a vowel: no quiet tail that a detector could count. */
async function voicedToTheEnd({ client }: World): Promise<string> {
  const { wav } = await client.synthesize({
    text: 'Could you tell me what we are going to do now, all of us?',
    voice: 'slt',
  });
  const samples = toInt16(decodeWav(Buffer.from(wav, 'base64')).channels[0] ?? new Float32Array());
  const frame = 480;
  const loudness = Array.from({ length: Math.floor(samples.length / frame) }, (_, index) =>
    samples.subarray(index * frame, (index + 1) * frame).reduce((sum, sample) => sum + Math.abs(sample), 0),
  );
  const from = 60;
  const loudest = loudness.indexOf(Math.max(...loudness.slice(from)), from);
  return Buffer.from(encodeWav(samples.slice(0, (loudest + 1) * frame))).toString('base64');
}

async function furniture({
  client,
}: World): Promise<{ person: PersonSnapshot; text: ChannelSnapshot; voice: ChannelSnapshot }> {
  const [guild] = (await client.world({})).guilds;
  const person = guild?.people[0];
  const text = guild?.channels.find(({ kind }) => kind === 'text');
  const voice = guild?.channels.find(({ kind }) => kind === 'voice');
  if (!person || !text || !voice) throw new Error('the sandbox is not furnished as it should be');
  return { person, text, voice };
}
