import type { Clock } from '../../time/clock.ts';
import type { DaveEntry, DaveMember } from './dave-member.ts';
import { proposalsPayload } from './dave-proposals.ts';
import { DaveTree, type Plan } from './dave-tree.ts';
import { MlsFormatError, readCommitWelcome, readKeyPackage } from './mls-wire.ts';

type Phase =
  | { readonly kind: 'idle' }
  /** Proposals are out. */
  | { readonly kind: 'proposing'; readonly plan: Plan; readonly timer: Disposable }
  /** Everybody has been told; executed when all have answered (opcode 23) or the time is up. */
  | {
      readonly kind: 'transition';
      readonly id: number;
      readonly version: 0 | 1;
      readonly told: ReadonlySet<DaveEntry>;
      /** Those of them that join with it. */
      readonly joining: ReadonlySet<DaveEntry>;
      readonly awaiting: Set<DaveEntry>;
      readonly timer: Disposable;
    };

/** Without a valid commit for this long, everybody begins again. */
const PROPOSING_LIMIT_MS = 3000;
/** A member that stays silent holds a transition up for this long at most. */
const TRANSITION_LIMIT_MS = 2000;

/**
 * The DAVE delivery service of one call (https://daveprotocol.com): it orders who is in the MLS group and relays what
 * members commit, without ever knowing a key. One set of proposals or one transition is under way at a time.
 */
export class DaveGroup implements Disposable {
  readonly #clock: Clock;
  readonly #onExecuted: () => void;
  readonly #entries = new Map<string, DaveEntry>();
  readonly #tree: DaveTree;
  #version: 0 | 1;
  #wantedVersion: 0 | 1;
  #lastTransitionId = 0;
  /** The next group is entered by an ordered transition (opcodes 23 and 22), not by transition 0. */
  #ordered = false;
  /** An upgrade is under way: until it is executed everybody still speaks unencrypted. */
  #upgrading = false;
  #phase: Phase = { kind: 'idle' };

  /** `onExecuted` is called after every executed transition. */
  constructor(channelId: string, version: 0 | 1, clock: Clock, onExecuted: () => void) {
    this.#tree = new DaveTree(channelId);
    this.#version = version;
    this.#wantedVersion = version;
    this.#clock = clock;
    this.#onExecuted = onExecuted;
  }

  /** The DAVE version of who joins now. */
  get version(): 0 | 1 {
    return this.#version;
  }

  /** Nothing is under way and everybody connected is in the group. */
  get settled(): boolean {
    if (this.#phase.kind !== 'idle' || this.#version !== this.#wantedVersion) return false;
    if (this.#version === 0 || this.#entries.size < 2) return true;
    return [...this.#entries.values()].every((entry) => this.#tree.seats(entry));
  }

  /** Whether this member can follow what is said now. */
  includes(member: DaveMember): boolean {
    const entry = this.#entries.get(member.userId);
    if (entry?.member !== member) return false;
    if (this.#version === 0 || this.#upgrading) return true;
    return this.#tree.seats(entry) && !(this.#phase.kind === 'transition' && this.#phase.joining.has(entry));
  }

  join(member: DaveMember): void {
    this.leave(member.userId);
    const entry = { member, connected: true, keyPackage: undefined, introduced: false, lost: false };
    this.#entries.set(member.userId, entry);
    if (this.#version === 1) this.#introduce(entry);
    this.#step();
  }

  leave(userId: string): void {
    const entry = this.#entries.get(userId);
    if (!entry) return;
    this.#entries.delete(userId);
    entry.connected = false;
    if (this.#phase.kind === 'transition') this.#answered(entry);
    else if (this.#phase.kind === 'proposing' && ![...this.#phase.plan.proposals.keys()].some((to) => to.connected)) {
      this.#idle();
    }
    this.#step();
  }

  /** Changes the version of the call; DAVE calls 1 to 0 a downgrade. */
  changeVersion(version: 0 | 1): void {
    this.#wantedVersion = version;
    this.#step();
  }

  /** Opcode 26. What is no key package of this user's is dropped. */
  keyPackage(userId: string, bytes: Uint8Array): void {
    const entry = this.#entries.get(userId);
    const read = readOrDrop(readKeyPackage, bytes);
    if (!entry || read?.userId !== userId) return;
    entry.keyPackage = read.keyPackage;
    this.#step();
  }

  /** Opcode 28. The first valid commit of the epoch wins; others are dropped. */
  commit(userId: string, bytes: Uint8Array): void {
    const entry = this.#entries.get(userId);
    const phase = this.#phase;
    if (!entry || phase.kind !== 'proposing') return;
    const sent = phase.plan.proposals.get(entry);
    const read = readOrDrop(readCommitWelcome, bytes);
    if (!sent || !read || !this.#tree.accepts(read, sent)) return;

    const id = this.#tree.founded || this.#ordered ? this.#nextTransitionId() : 0;
    this.#ordered = false;
    const joining = this.#tree.apply(entry, read, phase.plan);
    const told = new Set(this.#tree.present);
    this.#transition(id, 1, told, joining);
    for (const to of told) {
      if (!joining.has(to)) to.member.announceCommit(id, read.commit);
      else if (read.welcome) to.member.welcome(id, read.welcome);
    }
  }

  /** Opcode 23, and for transition 0 whatever tells that the member has followed. */
  transitionReady(userId: string, transitionId: number): void {
    const entry = this.#entries.get(userId);
    if (entry && this.#phase.kind === 'transition' && this.#phase.id === transitionId) this.#answered(entry);
  }

  /** Opcode 31. */
  invalid(userId: string): void {
    const entry = this.#entries.get(userId);
    if (!entry) return;
    entry.lost = true;
    entry.keyPackage = undefined;
    this.#answered(entry);
  }

  [Symbol.dispose](): void {
    this.#entries.clear();
    this.#idle();
  }

  #idle(): void {
    if (this.#phase.kind !== 'idle') this.#phase.timer[Symbol.dispose]();
    this.#phase = { kind: 'idle' };
  }

  /** Begins whatever is to be done next, if nothing is under way. */
  #step(): void {
    if (this.#phase.kind !== 'idle') return;
    if (this.#wantedVersion !== this.#version) {
      if (this.#wantedVersion === 0) this.#downgrade();
      else this.#upgrade();
    } else if (this.#version === 1) {
      const waiting = [...this.#entries.values()].filter(
        (entry) => entry.introduced && entry.keyPackage !== undefined && !this.#tree.seats(entry),
      );
      // Those who were told to begin again do so together, so that nobody is left out meanwhile.
      const complete = waiting.length > 1 && (!this.#ordered || waiting.length === this.#entries.size);
      if (this.#tree.founded) this.#change(waiting);
      else if (complete) this.#propose(this.#tree.planFounding(waiting));
    }
  }

  #change(waiting: readonly DaveEntry[]): void {
    const { present } = this.#tree;
    const returning = [...this.#entries.values()].some((entry) => entry.lost && entry.keyPackage === undefined);
    if (present.length === 0 || (present.length === 1 && waiting.length === 0 && !returning)) {
      this.#dissolve(present[0]);
      return;
    }
    const plan = this.#tree.planChange(waiting);
    if (plan.changes.size > 0) this.#propose(plan);
  }

  /** The last member begins again alone; those who wait found a new group. */
  #dissolve(last: DaveEntry | undefined): void {
    this.#forgetGroup();
    if (last) {
      last.keyPackage = undefined;
      last.member.prepareEpoch(1);
      last.member.prepareTransition(0, 1);
    }
    this.#step();
  }

  #downgrade(): void {
    const id = this.#nextTransitionId();
    const told = new Set(this.#entries.values());
    this.#transition(id, 0, told, new Set());
    for (const { member } of told) member.prepareTransition(id, 0);
  }

  #upgrade(): void {
    this.#version = 1;
    this.#upgrading = true;
    this.#everybodyAgain();
  }

  /** A new group from nothing, entered by a transition that members answer. */
  #everybodyAgain(): void {
    this.#idle();
    this.#forgetGroup();
    this.#ordered = true;
    const all = [...this.#entries.values()];
    for (const entry of all) entry.keyPackage = undefined;
    for (const entry of all) {
      entry.member.prepareEpoch(1);
      this.#introduce(entry);
    }
    this.#step();
  }

  #introduce(entry: DaveEntry): void {
    if (entry.introduced) return;
    entry.introduced = true;
    entry.member.externalSender(this.#tree.externalSender);
  }

  #forgetGroup(): void {
    this.#tree.forget();
    for (const entry of this.#entries.values()) entry.lost = false;
  }

  #propose(plan: Plan): void {
    const timer = this.#clock.after(PROPOSING_LIMIT_MS, () => this.#everybodyAgain());
    this.#phase = { kind: 'proposing', plan, timer };
    for (const [to, proposals] of plan.proposals) to.member.proposals(proposalsPayload(proposals));
  }

  #transition(id: number, version: 0 | 1, told: ReadonlySet<DaveEntry>, joining: ReadonlySet<DaveEntry>): void {
    this.#idle();
    const timer = this.#clock.after(TRANSITION_LIMIT_MS, () => this.#execute());
    this.#phase = { kind: 'transition', id, version, told, joining, awaiting: new Set(told), timer };
    if (told.size === 0) this.#execute();
  }

  #answered(entry: DaveEntry): void {
    const phase = this.#phase;
    if (phase.kind === 'transition' && phase.awaiting.delete(entry) && phase.awaiting.size === 0) this.#execute();
  }

  #execute(): void {
    const phase = this.#phase;
    if (phase.kind !== 'transition') return;
    // Whoever answers from inside the loop finds the transition still under way, and nobody awaited.
    phase.awaiting.clear();
    this.#version = phase.version;
    this.#upgrading = false;
    if (phase.version === 0) this.#forgetGroup();
    for (const entry of this.#entries.values()) {
      const told = phase.told.has(entry);
      // Who joined while a downgrade was under way has not heard of it.
      if (!told && phase.version === 0) entry.member.prepareTransition(phase.id, 0);
      if (told || phase.version === 0) entry.member.executeTransition(phase.id, phase.version);
    }
    this.#idle();
    this.#onExecuted();
    this.#step();
  }

  #nextTransitionId(): number {
    this.#lastTransitionId = (this.#lastTransitionId % 0xffff) + 1;
    return this.#lastTransitionId;
  }
}

/** What a member sent, read; undefined when it is not what it should be. */
function readOrDrop<Read>(read: (bytes: Uint8Array) => Read, bytes: Uint8Array): Read | undefined {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof MlsFormatError) return undefined;
    throw error;
  }
}
