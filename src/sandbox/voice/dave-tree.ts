import type { DaveEntry } from './dave-member.ts';
import { ExternalSender, type SignedProposal } from './dave-proposals.ts';
import { type CommitWelcome, uint } from './mls-wire.ts';

type Change = { readonly add: DaveEntry } | { readonly removeLeaf: number };

/** Proposals to be sent, all of one epoch. */
export interface Plan {
  /** What each proposal does, by its reference. */
  readonly changes: ReadonlyMap<string, Change>;
  /** What each member is to be sent: the first whose commit names exactly that wins. */
  readonly proposals: ReadonlyMap<DaveEntry, readonly SignedProposal[]>;
}

/**
 * An MLS group as its delivery service sees it: the epoch, who sits at which leaf of the ratchet tree, and the proposals
 * that bring it to where it should be. It knows nothing of the keys.
 */
export class DaveTree {
  readonly #sender = new ExternalSender();
  readonly #groupId: Buffer;
  /** Blanks are undefined. */
  #leaves: (DaveEntry | undefined)[] = [];
  #epoch = 0n;

  constructor(channelId: string) {
    this.#groupId = uint(BigInt(channelId), 8);
  }

  /** The payload of opcode 25. */
  get externalSender(): Buffer {
    return this.#sender.packageBytes;
  }

  /** Whether a first commit has founded the group. */
  get founded(): boolean {
    return this.#epoch > 0n;
  }

  seats(entry: DaveEntry): boolean {
    return !entry.lost && this.#leaves.includes(entry);
  }

  /** Who is in the group and can follow it. */
  get present(): DaveEntry[] {
    return this.#leaves.filter((entry) => entry !== undefined).filter((entry) => entry.connected && !entry.lost);
  }

  forget(): void {
    this.#leaves = [];
    this.#epoch = 0n;
  }

  /** The first group: everybody waiting is told to add all the others. */
  planFounding(waiting: readonly DaveEntry[]): Plan {
    const adds = waiting.map((entry) => ({ entry, signed: this.#add(entry) }));
    return {
      changes: new Map(adds.map(({ entry, signed }) => [signed.ref, { add: entry }])),
      proposals: new Map(
        waiting.map((to) => [to, adds.filter(({ entry }) => entry !== to).map(({ signed }) => signed)]),
      ),
    };
  }

  /** Members of a group that exists are told to remove who left and to add who waits. */
  planChange(waiting: readonly DaveEntry[]): Plan {
    const changes = new Map<string, Change>();
    const signed: SignedProposal[] = [];
    for (const [leaf, entry] of this.#leaves.entries()) {
      if (entry === undefined || (entry.connected && !entry.lost)) continue;
      // A lost member's place is kept until its new key package is here: removing it now could end the group it is to join.
      if (entry.connected && entry.keyPackage === undefined) continue;
      const removal = this.#sender.remove(this.#groupId, this.#epoch, leaf);
      changes.set(removal.ref, { removeLeaf: leaf });
      signed.push(removal);
    }
    for (const entry of waiting) {
      const add = this.#add(entry);
      changes.set(add.ref, { add: entry });
      signed.push(add);
    }
    return { changes, proposals: new Map(this.present.map((entry) => [entry, signed])) };
  }

  /** Whether this commit is of this epoch and does exactly what its sender was sent. */
  accepts(read: CommitWelcome, sent: readonly SignedProposal[]): boolean {
    const refs = new Set(sent.map(({ ref }) => ref));
    const complete = read.proposalRefs.length === refs.size && read.proposalRefs.every((ref) => refs.has(ref));
    return complete && read.epoch === this.#epoch && read.groupId.equals(this.#groupId);
  }

  /**
   * Applies a commit as RFC 9420 §7.7 and §7.8 do: removals blank a leaf, additions take the leftmost blank. Returns who
   * was added.
   */
  apply(committer: DaveEntry, read: CommitWelcome, plan: Plan): Set<DaveEntry> {
    if (!this.founded) this.#leaves = [committer];
    committer.keyPackage = undefined;
    const changes = read.proposalRefs.flatMap((ref) => plan.changes.get(ref) ?? []);
    const added = new Set<DaveEntry>();
    for (const change of changes) if ('removeLeaf' in change) this.#leaves[change.removeLeaf] = undefined;
    for (const change of changes) {
      if (!('add' in change)) continue;
      const blank = this.#leaves.indexOf(undefined);
      this.#leaves[blank < 0 ? this.#leaves.length : blank] = change.add;
      change.add.keyPackage = undefined;
      change.add.lost = false;
      added.add(change.add);
    }
    this.#epoch += 1n;
    return added;
  }

  #add(entry: DaveEntry): SignedProposal {
    return this.#sender.add(this.#groupId, this.#epoch, entry.keyPackage ?? Buffer.alloc(0));
  }
}
