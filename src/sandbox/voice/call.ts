import type { Clock } from '../../time/clock.ts';
import type { SandboxEvent } from '../control/protocol.ts';
import type { BotLink } from './bot-link.ts';
import { BotSpeech } from './bot-speech.ts';
import { DaveGroup } from './dave-group.ts';
import type { FaultPlan } from './faults.ts';
import { isSilence, Track, type HeardSound } from './hearing.ts';
import { Person } from './person.ts';
import { PersonDave } from './person-dave.ts';
import { randomInteger, type Random } from './random.ts';
import type { Recordings } from './recordings.ts';
import type { RtpPacket } from './rtp.ts';
import type { CallMember } from './service.ts';
import { SpeakingNotices } from './speaking-notices.ts';

/** A person waits this long at most for encryption to stand before they speak anyhow. */
const READY_LIMIT_MS = 3000;
/** People's commits take up to this long to the server, so that the bot's is the first at times. */
const MAX_ANSWER_DELAY_MS = 12;

/** What a call shares with the rest of the voice server. */
export interface CallContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly emit: (event: SandboxEvent) => void;
  readonly recordings: Recordings;
  readonly newSsrc: () => number;
}

/** A bot in a call: its switches and, once it is connected, its link. */
interface BotSeat {
  member: CallMember;
  link: BotLink | undefined;
  readonly track: Track;
  readonly speech: BotSpeech;
}

/** Everybody in one voice channel, and the way of their sound to each other. */
export class Call implements Disposable {
  readonly guildId: string;
  readonly channelId: string;
  readonly group: DaveGroup;
  readonly #context: CallContext;
  readonly #people = new Map<string, Person>();
  readonly #waitingForGroup = new Set<() => void>();
  readonly #notices: SpeakingNotices;
  #bot: BotSeat | undefined;
  /** The version that calls started with when this one did. */
  #startVersion: 0 | 1;
  #version: 0 | 1;

  constructor(guildId: string, channelId: string, version: 0 | 1, context: CallContext) {
    this.#startVersion = version;
    this.#version = version;
    this.guildId = guildId;
    this.channelId = channelId;
    this.#context = context;
    this.#notices = new SpeakingNotices(context.clock, context.faults);
    this.group = new DaveGroup(channelId, version, context.clock, () => this.#groupChanged());
  }

  get empty(): boolean {
    return this.#people.size === 0 && this.#bot === undefined;
  }

  get peopleIds(): string[] {
    return [...this.#people.keys()];
  }

  get botConnected(): boolean {
    return this.#bot?.link !== undefined;
  }

  /** The DAVE version of this call, as far as its members can follow: a client without DAVE takes it to 0. */
  get version(): 0 | 1 {
    return this.#version;
  }

  changeVersion(version: 0 | 1): void {
    this.#version = version;
    this.group.changeVersion(this.#bot?.link?.maxDaveVersion === 0 ? 0 : version);
  }

  /** Between bots a call takes the version that calls start with by now. */
  startAnew(version: 0 | 1): void {
    if (version === this.#startVersion) return;
    this.#startVersion = version;
    this.changeVersion(version);
  }

  person(userId: string): Person | undefined {
    return this.#people.get(userId);
  }

  addPerson(member: CallMember): void {
    this.removePerson(member.userId);
    const { userId } = member;
    const { clock, random } = this.#context;
    const dave = new PersonDave({
      userId,
      channelId: this.channelId,
      version: this.group.version,
      clock,
      answers: {
        keyPackage: (bytes) => this.group.keyPackage(userId, bytes),
        commit: (bytes) => this.group.commit(userId, bytes),
        transitionReady: (transitionId) => this.group.transitionReady(userId, transitionId),
        invalid: () => this.group.invalid(userId),
      },
      recognized: () => [...this.peopleIds, ...(this.#bot ? [this.#bot.member.userId] : [])],
      answerDelayMs: () => randomInteger(random, MAX_ANSWER_DELAY_MS),
    });
    const person: Person = new Person({
      member,
      ssrc: this.#context.newSsrc(),
      dave,
      clock,
      random,
      output: {
        ready: (signal) => this.#whenReady(person, signal),
        speaking: (speaking) => this.#personSpeaking(person, speaking),
        send: (packet) => this.#fromPerson(person, packet),
      },
    });
    this.#people.set(userId, person);
    // The client must know of the user before it is told to add them to the group.
    this.#bot?.link?.clientsConnected([userId]);
    this.group.join(dave);
  }

  removePerson(userId: string): void {
    const person = this.#people.get(userId);
    if (!person) return;
    this.#people.delete(userId);
    this.#bot?.link?.clientDisconnected(userId);
    this.group.leave(userId);
    person[Symbol.dispose]();
    this.#groupChanged();
  }

  /** Gives the bot a place; its link comes when it connects. */
  seatBot(member: CallMember): void {
    if (this.#bot) {
      this.#bot.member = member;
      return;
    }
    this.#bot = {
      member,
      link: undefined,
      track: new Track(),
      speech: new BotSpeech(this.#context.clock, (speaking, atMs, lastVoiceAtMs) =>
        this.#context.emit({
          type: 'bot-speaking',
          atMs,
          guildId: this.guildId,
          speaking,
          ...(lastVoiceAtMs === undefined ? {} : { lastVoiceAtMs }),
        }),
      ),
    };
  }

  unseatBot(): void {
    const bot = this.#bot;
    if (!bot) return;
    this.#bot = undefined;
    this.group.leave(bot.member.userId);
    bot.speech[Symbol.dispose]();
    bot.track[Symbol.dispose]();
  }

  connect(link: BotLink): void {
    if (this.#bot) this.#bot.link = link;
    this.changeVersion(this.#version);
  }

  disconnect(link: BotLink): void {
    if (this.#bot?.link !== link) return;
    this.#bot.link = undefined;
    this.group.leave(link.userId);
    this.#groupChanged();
  }

  /** The link may be sent sound: it learns who is speaking already. */
  described(link: BotLink): void {
    for (const person of this.#people.values()) {
      if (person.speaking) link.personSpeaking(person.member.userId, person.microphone.ssrc);
    }
  }

  /** A packet of the bot's, as it came out of the transport encryption. */
  fromBot(rtp: RtpPacket, atMs: number): void {
    const bot = this.#bot;
    if (!bot || bot.member.muted) return;
    bot.speech.packet(isSilence(rtp.payload), atMs);
    let sound: HeardSound | undefined;
    for (const listener of this.#people.values()) {
      if (listener.member.deafened) continue;
      const opus = listener.dave.decrypt(bot.member.userId, rtp.payload);
      if (!opus) continue;
      sound ??= bot.track.hear(rtp, opus, atMs);
      this.#context.recordings.add(listener.member.userId, bot.member.userId, sound);
    }
  }

  [Symbol.dispose](): void {
    this.unseatBot();
    this.#notices[Symbol.dispose]();
    for (const person of this.#people.values()) person[Symbol.dispose]();
    this.#people.clear();
    this.group[Symbol.dispose]();
    this.#groupChanged();
  }

  #fromPerson(person: Person, rtp: RtpPacket): void {
    this.#towardsBot(person, rtp);
    const atMs = this.#context.clock.nowMs();
    if (!isSilence(rtp.payload)) person.lastVoiceAtMs = atMs;
    let sound: HeardSound | undefined;
    for (const listener of this.#people.values()) {
      if (listener === person || listener.member.deafened) continue;
      sound ??= person.track.hear(rtp, rtp.payload, atMs);
      this.#context.recordings.add(listener.member.userId, person.member.userId, sound);
    }
  }

  #towardsBot(person: Person, rtp: RtpPacket): void {
    const bot = this.#bot;
    if (!bot?.link?.open || bot.member.deafened || !this.group.includes(bot.link)) return;
    const payload = person.dave.encrypt(rtp.payload);
    if (!payload) return;
    if (this.group.version === 1 && !isSilence(payload) && this.#context.faults.takeWrongKey('dave')) {
      // To the receiver a frame of another key and a frame with another first byte are the same: the tag does not fit.
      payload[0] = (payload[0] ?? 0) ^ 0xff;
    }
    bot.link.media.send({ ...rtp, payload });
  }

  #personSpeaking(person: Person, speaking: boolean): void {
    const { clock, emit } = this.#context;
    const { userId } = person.member;
    const ended = speaking ? {} : { lastVoiceAtMs: person.lastVoiceAtMs };
    emit({ type: 'person-speaking', atMs: clock.nowMs(), personId: userId, speaking, ...ended });
    const link = this.#bot?.link;
    if (speaking && link?.open) this.#notices.begun(link, { userId, ssrc: person.microphone.ssrc });
  }

  /** Whoever is to be heard by a connected bot waits until it can decrypt them and knows their SSRC. */
  async #whenReady(person: Person, signal: AbortSignal): Promise<void> {
    await this.#whenSettled(signal);
    const link = this.#bot?.link;
    const { userId, muted } = person.member;
    if (link?.open && !muted) await this.#notices.before(link, { userId, ssrc: person.microphone.ssrc }, signal);
  }

  #whenSettled(signal: AbortSignal): Promise<void> {
    const settled = () => !this.#bot?.link?.open || this.group.settled;
    if (settled()) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const finish = () => {
      timer[Symbol.dispose]();
      this.#waitingForGroup.delete(look);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const look = () => {
      if (settled()) finish();
    };
    const timer = this.#context.clock.after(READY_LIMIT_MS, finish);
    signal.addEventListener('abort', finish, { once: true });
    this.#waitingForGroup.add(look);
    return promise;
  }

  #groupChanged(): void {
    this.#bot?.link?.announceIfReady();
    for (const look of this.#waitingForGroup) look();
  }
}
