import { randomInt } from 'node:crypto';

import { SAMPLE_RATE_HZ } from '../../audio/frame.ts';
import { mixToMono, toInt16 } from '../../audio/pcm.ts';
import { resample } from '../../audio/resample.ts';
import { VoiceActivityDetector } from '../../audio/vad.ts';
import { decodeWav } from '../../audio/wav.ts';
import { monotonicClock } from '../../time/clock.ts';
import { createLoopbackCertificate } from '../certificate.ts';
import type { VoiceFault } from '../control/protocol.ts';
import { Bots } from './bots.ts';
import type { CallContext } from './call.ts';
import { Calls } from './calls.ts';
import { CodedSpeeches } from './coded-speech.ts';
import { FaultPlan } from './faults.ts';
import { VoiceListener } from './listener.ts';
import { LiveSound } from './live-sound.ts';
import { Network } from './network.ts';
import { seededRandom } from './random.ts';
import { Recordings } from './recordings.ts';
import type { VoiceService, VoiceServiceOptions } from './service.ts';
import { TRANSPORT_MODES } from './transport-cipher.ts';
import { sendAsStranger } from './udp.ts';
import { CLOSE } from './voice-codes.ts';

/** Paddings, SSRCs and the order of commits are the same in each run. */
const SEED = 20_260_301;
/** SSRCs are counted up from anywhere between these: easy to tell from sequence numbers in a log, and below 2^32. */
const MIN_SSRC = 100_000;
const MAX_SSRC = 2 ** 31;
/** A bot that does not come to the new server after a move is put out of the old one after this long. */
const MOVE_LIMIT_MS = 5000;

/** Starts the sandbox's voice server on loopback: voice gateway over TLS, UDP, DAVE, and the people's sound. */
export async function startVoiceServer(options: VoiceServiceOptions): Promise<VoiceService> {
  const clock = options.clock ?? monotonicClock;
  const certificate = await createLoopbackCertificate();
  const faults = new FaultPlan();
  const network = new Network(clock);
  const live = new LiveSound(await VoiceActivityDetector.load(), (personId) => calls.find(personId));
  const recordings = new Recordings((...heard) => live.heard(...heard));
  const speeches = new CodedSpeeches();
  let lastSsrc = randomInt(MIN_SSRC, MAX_SSRC);
  const moves = new Set<Disposable>();

  const context: CallContext = {
    clock,
    faults,
    random: seededRandom(SEED),
    emit: options.emit,
    recordings,
    newSsrc: () => (lastSsrc += 1),
  };
  const calls = new Calls(context, options.daveVersion ?? 1);
  const bots = new Bots(calls, context, network, { modes: TRANSPORT_MODES, daveRequired: undefined });
  const open = () => VoiceListener.open(certificate, (listener) => bots.door(listener), bots, clock);
  await using starting = new AsyncDisposableStack();
  /** Two voice servers take turns: a call moves from the one to the other. */
  let [listener, other] = [starting.use(await open()), starting.use(await open())];
  starting.use(network);
  starting.use(calls);
  starting.use(bots);
  const parts = starting.move();

  function moveServer(): void {
    [listener, other] = [other, listener];
    for (const { guildId, token, link } of bots.readmit()) {
      options.onServerMoved(guildId, token, listener.endpoint);
      const timer = clock.after(MOVE_LIMIT_MS, () => {
        moves.delete(timer);
        link?.end(CLOSE.callTerminated);
      });
      moves.add(timer);
    }
  }

  async function inject(fault: VoiceFault & { kind: 'datagrams' }): Promise<void> {
    const datagrams = fault.data.map((data) => Buffer.from(data, 'base64'));
    for (const { media } of bots.links) {
      if (fault.from === 'server') for (const datagram of datagrams) media.sendRaw(datagram);
      else if (media.address) await sendAsStranger(datagrams, media.address);
    }
  }

  async function voiceFault(fault: VoiceFault): Promise<void> {
    switch (fault.kind) {
      case 'close':
        for (const link of bots.links) link.close(fault.code);
        break;
      case 'cut':
        for (const link of bots.links) link.cut();
        break;
      case 'frame':
        for (const link of bots.links) {
          if (fault.text !== undefined) link.sendRaw(fault.text);
          if (fault.binary !== undefined) link.sendRaw(Buffer.from(fault.binary, 'base64'));
        }
        break;
      case 'datagrams':
        await inject(fault);
        break;
      case 'drop-discovery':
        faults.dropDiscovery(fault.times);
        break;
      case 'move-server':
        moveServer();
        break;
      case 'late-speaking':
        faults.lateSpeaking(fault.delayMs, fault.times);
        break;
      case 'wrong-key':
        faults.wrongKey(fault.layer, fault.times);
        break;
      case 'dave-version':
        for (const call of calls) call.changeVersion(fault.version);
        break;
    }
  }

  return {
    get endpoint() {
      return listener.endpoint;
    },
    caPem: certificate.certificatePem,
    admitBot: ({ sessionId, ...member }) => ({ token: bots.admit(member, sessionId), endpoint: listener.endpoint }),
    updateBot: (member) => bots.update(member),
    removeBot: (guildId, closeCode = CLOSE.disconnected) => bots.remove(guildId, closeCode),
    addPerson: (member) => calls.place(member),
    updatePerson: (member) => calls.place(member),
    removePerson: (guildId, userId) => calls.remove(guildId, userId),
    recentDatagrams: () => bots.links.flatMap(({ media }) => media.recent),
    privacyCode: (userId) => calls.person(userId).dave.privacyCode,
    verificationCode: (userId, ofUserId) => calls.person(userId).dave.verificationCode(ofUserId),
    live,
    methods: {
      speak: async ({ personId, wav }) => {
        const person = calls.person(personId);
        return person.speak(speeches.of(wav, samplesOf));
      },
      stopSpeaking: async ({ personId }) => calls.person(personId).stopSpeaking(),
      heard: async ({ personId, fromUserId, sinceMs = Number.NEGATIVE_INFINITY, sound = true }) =>
        recordings.heard(personId, fromUserId, sinceMs, sound),
      setNetwork: async (conditions) => network.setConditions(conditions),
      voiceFault,
      setVoiceDefaults: async ({ modes, daveVersion, daveRequired }) => {
        if (modes) bots.defaults.modes = modes;
        if (daveVersion !== undefined) calls.version = daveVersion;
        if (daveRequired !== undefined) bots.defaults.daveRequired = daveRequired;
      },
    },
    async [Symbol.asyncDispose]() {
      for (const timer of moves) timer[Symbol.dispose]();
      await parts.disposeAsync();
    },
  };
}

/** Of a WAV of any rate. */
function samplesOf(wav: string): Int16Array {
  const { sampleRateHz, channels } = decodeWav(Buffer.from(wav, 'base64'));
  return toInt16(resample(mixToMono(channels), sampleRateHz, SAMPLE_RATE_HZ));
}
