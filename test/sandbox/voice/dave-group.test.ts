import { describe, expect, it } from 'vitest';

import { DaveGroup } from '../../../src/sandbox/voice/dave-group.ts';
import type { DaveMember } from '../../../src/sandbox/voice/dave-member.ts';
import { PersonDave } from '../../../src/sandbox/voice/person-dave.ts';
import { randomInteger, seededRandom, type Random } from '../../../src/sandbox/voice/random.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A delivery service and real MLS members, in stepped time. */
class Party implements Disposable {
  readonly clock = new ManualClock();
  readonly group: DaveGroup;
  readonly members = new Map<string, PersonDave>();
  readonly #random: Random;
  /** How many commits in a hundred reach a member damaged, so that it has to ask for help (opcode 31). */
  damagedPercent = 0;
  /** How often a member could not follow. */
  callsForHelp = 0;

  constructor(random: Random, version: 0 | 1 = 1) {
    this.#random = random;
    this.group = new DaveGroup('2000', version, this.clock, () => {});
  }

  join(userId: string): DaveMember {
    const dave: PersonDave = new PersonDave({
      userId,
      channelId: '2000',
      version: this.group.version,
      clock: this.clock,
      answers: {
        keyPackage: (bytes) => this.group.keyPackage(userId, bytes),
        commit: (bytes) => this.group.commit(userId, bytes),
        transitionReady: (id) => this.group.transitionReady(userId, id),
        invalid: () => {
          this.callsForHelp += 1;
          this.group.invalid(userId);
        },
      },
      recognized: () => [...this.members.keys()],
      answerDelayMs: () => randomInteger(this.#random, 12),
    });
    this.members.set(userId, dave);
    const member = this.#behindBadLine(dave);
    this.group.join(member);
    return member;
  }

  leave(userId: string): void {
    const dave = this.members.get(userId);
    this.members.delete(userId);
    this.group.leave(userId);
    dave?.[Symbol.dispose]();
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1) this.clock.advance(1);
  }

  /** How long it takes until nothing is under way and everybody is in. */
  settle(): number {
    for (let ms = 0; ms < 20_000; ms += 1) {
      if (this.group.settled) return ms;
      this.clock.advance(1);
    }
    throw new Error(`not settled: ${[...this.members.keys()].join(', ')}`);
  }

  /** Who does not understand whom. */
  misunderstandings(): string[] {
    const problems: string[] = [];
    for (const [speakerId, speaker] of this.members) {
      const opus = Buffer.from(`\x78 spoken by ${speakerId}, now`);
      const frame = this.members.size > 1 ? speaker.encrypt(opus) : opus;
      if (!frame) problems.push(`${speakerId} says nothing`);
      else if (frame.equals(opus) !== (this.group.version === 0 || this.members.size < 2)) {
        problems.push(`${speakerId} is ${frame.equals(opus) ? 'not ' : ''}encrypted`);
      }
      for (const [listenerId, listener] of this.members) {
        if (listener === speaker || !frame) continue;
        if (!listener.decrypt(speakerId, frame)?.equals(opus)) problems.push(`${listenerId} misses ${speakerId}`);
      }
    }
    return problems;
  }

  [Symbol.dispose](): void {
    this.group[Symbol.dispose]();
    for (const dave of this.members.values()) dave[Symbol.dispose]();
  }

  #behindBadLine(dave: PersonDave): DaveMember {
    return {
      userId: dave.userId,
      externalSender: (bytes) => dave.externalSender(bytes),
      proposals: (payload) => dave.proposals(payload),
      announceCommit: (id, commit) => dave.announceCommit(id, this.#damage(commit)),
      welcome: (id, welcome) => dave.welcome(id, this.#damage(welcome)),
      prepareEpoch: () => dave.prepareEpoch(),
      prepareTransition: (id) => dave.prepareTransition(id),
      executeTransition: (id, version) => dave.executeTransition(id, version),
    };
  }

  #damage(bytes: Buffer): Buffer {
    if (this.#random() * 100 >= this.damagedPercent) return bytes;
    const damaged = Buffer.from(bytes);
    damaged[damaged.length >> 1] = ~(damaged[damaged.length >> 1] ?? 0) & 0xff;
    return damaged;
  }
}

/** A member that says nothing at all, as one whose connection is lost. */
function silent(userId: string): DaveMember & { readonly executed: number[] } {
  const executed: number[] = [];
  return {
    userId,
    executed,
    externalSender() {},
    proposals() {},
    announceCommit() {},
    welcome() {},
    prepareEpoch() {},
    prepareTransition() {},
    executeTransition: (id) => executed.push(id),
  };
}

describe('the delivery service', () => {
  it.each([1, 2])('brings whoever comes and goes together, however it falls (seed %i)', (seed) => {
    const random = seededRandom(seed);
    using party = new Party(random);
    for (let round = 0; round < 8; round += 1) {
      const happenings = 1 + randomInteger(random, 5);
      for (let happening = 0; happening < happenings; happening += 1) {
        const userId = String(101 + randomInteger(random, 5));
        const dice = random();
        if (dice < 0.1) party.group.changeVersion(party.group.version === 1 ? 0 : 1);
        else if (party.members.has(userId) && dice < 0.7) party.leave(userId);
        else party.join(userId);
        party.pass(randomInteger(random, 15));
      }
      expect(party.settle()).toBeLessThan(500);
      expect(party.misunderstandings(), `round ${round}`).toEqual([]);
      if (party.group.version === 1 && party.members.size > 1) {
        const codes = new Set([...party.members.values()].map(({ privacyCode }) => privacyCode));
        expect([...codes]).toEqual([expect.stringMatching(/^\d{30}$/)]);
      }
    }
    expect(party.callsForHelp).toBe(0);
  });

  it.each([5, 6])('helps members who could not follow back in (seed %i)', (seed) => {
    const random = seededRandom(seed);
    using party = new Party(random);
    party.damagedPercent = 20;
    for (let round = 0; round < 8; round += 1) {
      const userId = String(101 + randomInteger(random, 4));
      if (party.members.has(userId)) party.leave(userId);
      else party.join(userId);
      party.settle();
      expect(party.misunderstandings(), `round ${round}`).toEqual([]);
    }
    expect(party.callsForHelp).toBeGreaterThan(0);
  });

  it('goes on after two seconds without a member that does not answer', () => {
    using party = new Party(seededRandom(1));
    party.join('101');
    party.join('102');
    party.settle();
    const lost = silent('103');
    party.group.join(lost);
    party.join('104');
    // It has sent no key package, so nobody waits for it to join; but nobody is told that all are here, either.
    party.pass(100);
    expect(party.misunderstandings()).toEqual([]);
    expect(party.group.settled).toBe(false);
    expect(party.group.includes(lost)).toBe(false);

    party.group.changeVersion(0);
    party.pass(1900);
    expect(lost.executed).toEqual([]);
    party.pass(100);
    expect(lost.executed).toHaveLength(1);
    expect(party.group.version).toBe(0);
    expect(party.misunderstandings()).toEqual([]);
  });

  it('lets everybody speak unencrypted until an upgrade is executed, which waits for all of them', () => {
    using party = new Party(seededRandom(1), 0);
    const members = [party.join('101'), party.join('102')];
    party.group.join(silent('103'));
    party.group.changeVersion(1);
    const plain = Buffer.from('\x78 plain');
    const goOnUnencrypted = () => {
      for (const member of members) expect(party.group.includes(member)).toBe(true);
      for (const dave of party.members.values()) expect(dave.encrypt(plain)).toEqual(plain);
    };
    for (let ms = 0; ms < 100; ms += 1, party.pass(1)) goOnUnencrypted();
    party.group.leave('103');
    for (; !party.group.settled; party.pass(1)) goOnUnencrypted();
    expect(party.misunderstandings()).toEqual([]);
  });

  it('takes what is not encrypted for ten seconds after an upgrade, and never in a call that began encrypted', () => {
    const plain = Buffer.from('\x78 plain');
    for (const version of [0, 1] as const) {
      using party = new Party(seededRandom(1), version);
      party.join('101');
      party.join('102');
      party.group.changeVersion(1);
      party.settle();
      const heard = () => party.members.get('102')?.decrypt('101', plain);
      expect(heard()).toEqual(version === 0 ? plain : undefined);
      party.pass(10_000);
      expect(heard()).toBeUndefined();
    }
  });
});
