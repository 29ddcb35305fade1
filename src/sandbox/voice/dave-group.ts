import type { Clock } from '../../time/clock.ts';
import { ExternalSender, proposalsPayload, type SignedProposal } from './dave-proposals.ts';
import { MlsFormatError, readCommitWelcome, readKeyPackage, uint, type CommitWelcome } from './mls-wire.ts';

/** One connected member as the delivery service reaches it: each method is one DAVE message of the voice gateway. */
export interface DaveMember {
  readonly userId: string;
  /** Opcode 25. */
  externalSender(packageBytes: Buffer): void;
  /** Opcode 27. */
  proposals(payload: Buffer): void;
  /** Opcode 29. */
  announceCommit(transitionId: number, commit: Buffer): void;
  /** Opcode 30. */
  welcome(transitionId: number, welcome: Buffer): void;
  /** Opcode 24: begin again at epoch 1 with a new key package. */
  prepareEpoch(version: number): void;
  /** Opcode 21. */
  prepareTransition(transitionId: number, version: number): void;
  /** Opcode 22. Not a message when `transitionId` is 0: such a transition needs no order. */
  executeTransition(transitionId: number, version: number): void;
}

interface Entry {
  readonly member: DaveMember;
  keyPackage: Buffer | undefined;
  /** It was sent the external sender. Once is enough: a second one is an error for a client that is in a group. */
  introduced: boolean;
  /** It said (opcode 31) that it could not follow a commit: its leaf is replaced as soon as its new key package is there. */
  lost: boolean;
}

type Change = { readonly add: Entry } | { readonly removeLeaf: number };

interface Proposed {
  /** What each proposal does, by its reference. */
  readonly refs: ReadonlyMap<string, Change>;
  /** Who may answer, and which proposals each was sent. */
  readonly sentTo: ReadonlyMap<Entry, ReadonlySet<string>>;
}

type Phase =
  | { readonly kind: 'idle' }
  /** Proposals are out; the first commit that names exactly them wins. */
  | ({ readonly kind: 'proposing'; readonly timer: Disposable } & Proposed)
  /** Everybody has been told; executed when all have answered (opcode 23) or the time is up. */
  | {
      readonly kind: 'transition';
      readonly id: number;
      readonly version: 0 | 1;
      readonly told: ReadonlySet<Entry>;
      /** Those of them that join with it. */
      readonly joining: ReadonlySet<Entry>;
      readonly awaiting: Set<Entry>;
      readonly timer: Disposable;
    };

const PROPOSING_LIMIT_MS = 3000;
/** A member that stays silent holds a transition up for this long at most. */
const TRANSITION_LIMIT_MS = 2000;

/**
 * The DAVE delivery service of one call (https://daveprotocol.com): it orders who is in the MLS group and relays what
 * members commit, without ever knowing a key. One set of proposals or one transition is under way at a time.
 */
export class DaveGroup implements Disposable {
  readonly #sender = new ExternalSender();
  readonly #groupId: Buffer;
  readonly #clock: Clock;
  readonly #onExecuted: () => void;
  readonly #entries = new Map<string, Entry>();
  /** Who sits at which leaf of the ratchet tree; blanks are undefined. An entry that is no longer in `#entries` is to go. */
  #leaves: (Entry | undefined)[] = [];
  #epoch = 0n;
  #version: 0 | 1;
  #wantedVersion: 0 | 1;
  #lastTransitionId = 0;
  /** The next group is entered by an ordered transition (opcodes 23 and 22), not by transition 0. */
  #ordered = false;
  #phase: Phase = { kind: 'idle' };

  /** `onExecuted` is called after every executed transition. */
  constructor(channelId: string, version: 0 | 1, clock: Clock, onExecuted: () => void) {
    this.#groupId = uint(BigInt(channelId), 8);
    this.#version = version;
    this.#wantedVersion = version;
    this.#clock = clock;
    this.#onExecuted = onExecuted;
  }

  /** The DAVE version in force. */
  get version(): 0 | 1 {
    return this.#version;
  }

  /** Nothing is under way and everybody connected is in the group. */
  get settled(): boolean {
    if (this.#phase.kind !== 'idle' || this.#version !== this.#wantedVersion) return false;
    if (this.#version === 0 || this.#entries.size < 2) return true;
    return [...this.#entries.values()].every((entry) => this.#seated(entry));
  }

  /** Whether this member can follow what is said now. */
  includes(member: DaveMember): boolean {
    const entry = this.#entries.get(member.userId);
    if (entry?.member !== member) return false;
    if (this.#version === 0) return true;
    if (!this.#seated(entry)) return false;
    return !(this.#phase.kind === 'transition' && this.#phase.joining.has(entry));
  }

  join(member: DaveMember): void {
    this.leave(member.userId);
    const entry: Entry = { member, keyPackage: undefined, introduced: false, lost: false };
    this.#entries.set(member.userId, entry);
    if (this.#version === 1) this.#introduce(entry);
    this.#step();
  }

  leave(userId: string): void {
    const entry = this.#entries.get(userId);
    if (!entry) return;
    this.#entries.delete(userId);
    if (this.#phase.kind === 'transition') this.#answered(this.#phase, entry);
    else if (this.#phase.kind === 'proposing' && ![...this.#phase.sentTo.keys()].some((to) => this.#connected(to))) {
      this.#idle();
    }
    this.#step();
  }

  /** Changes the version of the call; DAVE calls 1 to 0 a downgrade. */
  changeVersion(version: 0 | 1): void {
    this.#wantedVersion = version;
    this.#step();
  }

  /** Opcode 26. Returns whether it was a key package of this user. */
  keyPackage(userId: string, bytes: Uint8Array): boolean {
    const entry = this.#entries.get(userId);
    if (!entry) return false;
    try {
      const read = readKeyPackage(bytes);
      if (read.userId !== userId) return false;
      entry.keyPackage = read.keyPackage;
    } catch (error) {
      if (error instanceof MlsFormatError) return false;
      throw error;
    }
    this.#step();
    return true;
  }

  /** Opcode 28. The first valid commit of the epoch wins; others are dropped. */
  commit(userId: string, bytes: Uint8Array): void {
    const entry = this.#entries.get(userId);
    const phase = this.#phase;
    if (!entry || phase.kind !== 'proposing') return;
    const sent = phase.sentTo.get(entry);
    if (!sent) return;
    let read: CommitWelcome;
    try {
      read = readCommitWelcome(bytes);
    } catch (error) {
      if (error instanceof MlsFormatError) return;
      throw error;
    }
    const complete = read.proposalRefs.length === sent.size && read.proposalRefs.every((ref) => sent.has(ref));
    if (!complete || read.epoch !== this.#epoch || !read.groupId.equals(this.#groupId)) return;
    this.#accept(entry, read, phase);
  }

  /** Opcode 23, and for transition 0 whatever tells that the member has followed. */
  transitionReady(userId: string, transitionId: number): void {
    const entry = this.#entries.get(userId);
    if (entry && this.#phase.kind === 'transition' && this.#phase.id === transitionId) {
      this.#answered(this.#phase, entry);
    }
  }

  /** Opcode 31. */
  invalid(userId: string): void {
    const entry = this.#entries.get(userId);
    if (!entry) return;
    entry.lost = true;
    entry.keyPackage = undefined;
    if (this.#phase.kind === 'transition') this.#answered(this.#phase, entry);
  }

  [Symbol.dispose](): void {
    this.#entries.clear();
    this.#idle();
  }

  #connected(entry: Entry): boolean {
    return this.#entries.get(entry.member.userId) === entry;
  }

  #seated(entry: Entry): boolean {
    return !entry.lost && this.#leaves.includes(entry);
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
      if (this.#epoch === 0n) this.#found();
      else this.#change();
    }
  }

  #downgrade(): void {
    const id = this.#nextTransitionId();
    const told = new Set(this.#entries.values());
    this.#transition(id, 0, told, new Set());
    for (const { member } of told) member.prepareTransition(id, 0);
  }

  #upgrade(): void {
    this.#version = 1;
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
  }

  #introduce(entry: Entry): void {
    if (entry.introduced) return;
    entry.introduced = true;
    entry.member.externalSender(this.#sender.packageBytes);
  }

  #forgetGroup(): void {
    this.#leaves = [];
    this.#epoch = 0n;
    for (const entry of this.#entries.values()) entry.lost = false;
  }

  /** The first group: everybody waiting is told to add all the others. */
  #found(): void {
    const waiting = [...this.#entries.values()].filter((entry) => entry.keyPackage !== undefined);
    if (waiting.length < 2) return;
    const adds = waiting.map((entry) => ({ entry, signed: this.#add(entry) }));
    this.#propose(
      new Map(adds.map(({ entry, signed }) => [signed.ref, { add: entry }])),
      new Map(waiting.map((to) => [to, adds.filter(({ entry }) => entry !== to).map(({ signed }) => signed)])),
    );
  }

  /** Members of a group that exists are told to remove who left and to add who waits. */
  #change(): void {
    const gone = (entry: Entry) => !this.#connected(entry) || entry.lost;
    const staying = this.#leaves.filter((entry) => entry !== undefined).filter((entry) => !gone(entry));
    const waiting = [...this.#entries.values()].filter(
      (entry) => entry.keyPackage !== undefined && !this.#seated(entry),
    );
    const lost = [...this.#entries.values()].some((entry) => entry.lost && entry.keyPackage === undefined);
    if (staying.length === 0 || (staying.length === 1 && waiting.length === 0 && !lost)) {
      this.#dissolve(staying[0]);
      return;
    }
    const refs = new Map<string, Change>();
    const signed: SignedProposal[] = [];
    for (const [leaf, entry] of this.#leaves.entries()) {
      if (entry === undefined || !gone(entry)) continue;
      // Removing the only other member now would end the group that the new key package, on its way, is to join.
      if (entry.lost && entry.keyPackage === undefined && this.#connected(entry)) continue;
      const removal = this.#sender.remove(this.#groupId, this.#epoch, leaf);
      refs.set(removal.ref, { removeLeaf: leaf });
      signed.push(removal);
    }
    for (const entry of waiting) {
      const add = this.#add(entry);
      refs.set(add.ref, { add: entry });
      signed.push(add);
    }
    if (signed.length > 0) this.#propose(refs, new Map(staying.map((entry) => [entry, signed])));
  }

  #add(entry: Entry): SignedProposal {
    return this.#sender.add(this.#groupId, this.#epoch, entry.keyPackage ?? Buffer.alloc(0));
  }

  #propose(refs: Proposed['refs'], signedFor: ReadonlyMap<Entry, readonly SignedProposal[]>): void {
    this.#phase = {
      kind: 'proposing',
      refs,
      sentTo: new Map([...signedFor].map(([to, signed]) => [to, new Set(signed.map(({ ref }) => ref))])),
      timer: this.#clock.after(PROPOSING_LIMIT_MS, () => this.#everybodyAgain()),
    };
    for (const [to, signed] of signedFor) to.member.proposals(proposalsPayload(signed));
  }

  /** The last member begins again alone; those who wait found a new group. */
  #dissolve(last: Entry | undefined): void {
    this.#forgetGroup();
    if (last) {
      last.keyPackage = undefined;
      last.member.prepareEpoch(1);
      last.member.prepareTransition(0, 1);
    }
    this.#step();
  }

  #accept(committer: Entry, read: CommitWelcome, phase: Proposed): void {
    const founding = this.#epoch === 0n;
    const id = founding && !this.#ordered ? 0 : this.#nextTransitionId();
    this.#ordered = false;
    if (founding) this.#leaves = [committer];
    const joining = this.#seat(read.proposalRefs.flatMap((ref) => phase.refs.get(ref) ?? []));
    committer.keyPackage = undefined;
    this.#epoch += 1n;
    const told = new Set(
      this.#leaves.filter((entry) => entry !== undefined).filter((entry) => this.#connected(entry) && !entry.lost),
    );
    this.#transition(id, 1, told, joining);
    for (const entry of told) {
      if (!joining.has(entry)) entry.member.announceCommit(id, read.commit);
      else if (read.welcome) entry.member.welcome(id, read.welcome);
    }
  }

  /** Applies a commit to the tree as RFC 9420 §7.7 and §7.8 do: removals blank a leaf, additions take the leftmost blank. */
  #seat(changes: readonly Change[]): Set<Entry> {
    const added = new Set<Entry>();
    for (const change of changes) if ('removeLeaf' in change) this.#leaves[change.removeLeaf] = undefined;
    for (const change of changes) {
      if (!('add' in change)) continue;
      const blank = this.#leaves.indexOf(undefined);
      this.#leaves[blank < 0 ? this.#leaves.length : blank] = change.add;
      change.add.keyPackage = undefined;
      change.add.lost = false;
      added.add(change.add);
    }
    return added;
  }

  #transition(id: number, version: 0 | 1, told: ReadonlySet<Entry>, joining: ReadonlySet<Entry>): void {
    this.#idle();
    const timer = this.#clock.after(TRANSITION_LIMIT_MS, () => this.#execute());
    this.#phase = { kind: 'transition', id, version, told, joining, awaiting: new Set(told), timer };
    if (told.size === 0) this.#execute();
  }

  #answered(phase: Phase, entry: Entry): void {
    if (phase.kind === 'transition' && phase.awaiting.delete(entry) && phase.awaiting.size === 0) this.#execute();
  }

  #execute(): void {
    const phase = this.#phase;
    if (phase.kind !== 'transition') return;
    this.#idle();
    this.#version = phase.version;
    if (phase.version === 0) this.#forgetGroup();
    for (const entry of this.#entries.values()) {
      const told = phase.told.has(entry);
      // Who joined while a downgrade was under way has not heard of it.
      if (!told && phase.version === 0) entry.member.prepareTransition(phase.id, 0);
      if (told || phase.version === 0) entry.member.executeTransition(phase.id, phase.version);
    }
    this.#onExecuted();
    this.#step();
  }

  #nextTransitionId(): number {
    this.#lastTransitionId = (this.#lastTransitionId % 0xffff) + 1;
    return this.#lastTransitionId;
  }
}
