import { Refusal } from '../control/refusal.ts';
import { Call, type CallContext } from './call.ts';
import type { Person } from './person.ts';
import type { CallMember } from './service.ts';

/** The calls there are, by channel: each lives for as long as somebody is in it. */
export class Calls implements Disposable {
  readonly #context: CallContext;
  readonly #byChannel = new Map<string, Call>();
  /** The DAVE version of calls that start from now on. */
  version: 0 | 1;

  constructor(context: CallContext, version: 0 | 1) {
    this.#context = context;
    this.version = version;
  }

  /** The call of this member's channel, begun if need be. */
  of(member: CallMember): Call {
    const existing = this.#byChannel.get(member.channelId);
    if (existing) return existing;
    const call = new Call(member.guildId, member.channelId, this.version, this.#context);
    this.#byChannel.set(member.channelId, call);
    return call;
  }

  *[Symbol.iterator](): Iterator<Call> {
    yield* this.#byChannel.values();
  }

  /** Puts a person where they are now, out of any other call of that guild. */
  place(member: CallMember): void {
    const call = this.of(member);
    const there = call.person(member.userId);
    if (there) {
      there.update(member);
      return;
    }
    this.remove(member.guildId, member.userId);
    this.of(member).addPerson(member);
  }

  remove(guildId: string, userId: string): void {
    for (const call of this) {
      if (call.guildId !== guildId || !call.person(userId)) continue;
      call.removePerson(userId);
      this.sweep(call);
    }
  }

  find(userId: string): Person | undefined {
    for (const call of this) {
      const person = call.person(userId);
      if (person) return person;
    }
    return undefined;
  }

  /** @throws {Refusal} when nobody of this id is in a voice channel. */
  person(userId: string): Person {
    const person = this.find(userId);
    if (!person) throw new Refusal(`Person ${userId} is in no voice channel.`);
    return person;
  }

  /** Ends the call if nobody is left in it. */
  sweep(call: Call): void {
    if (!call.empty || this.#byChannel.get(call.channelId) !== call) return;
    this.#byChannel.delete(call.channelId);
    call[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const call of this) call[Symbol.dispose]();
    this.#byChannel.clear();
  }
}
