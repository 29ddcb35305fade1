import { randomBytes } from 'node:crypto';
import type { InteractionSnapshot } from '../control/protocol.ts';
import { Refusal } from '../control/refusal.ts';
import type { Interaction, InteractionRequest } from './interaction.ts';
import { interactionPayload } from './interaction-payload.ts';
import { isLoading, type MessageBoard } from './messages.ts';
import type { World } from './world.ts';

/** How long the bot has to acknowledge ("Responding to an Interaction"). */
const ACKNOWLEDGE_WITHIN_MS = 3000;

/** How long an acknowledged interaction's token works. */
const TOKEN_LIFE_MS = 15 * 60 * 1000;

/** Interactions remembered; the oldest are forgotten first. */
const MAX_INTERACTIONS = 10_000;

/** Every interaction, from what a person did to the bot's answer. */
export class InteractionBook implements Disposable {
  readonly #world: World;
  readonly #board: MessageBoard;
  readonly #byId = new Map<string, Interaction>();
  readonly #byToken = new Map<string, Interaction>();

  constructor(world: World, board: MessageBoard) {
    this.#world = world;
    this.#board = board;
  }

  /** Tells the bot and starts its three seconds. */
  open(request: InteractionRequest): Interaction {
    const id = this.#world.ids.next();
    const interaction: Interaction = {
      ...request,
      id,
      token: Buffer.from(`interaction:${id}:${randomBytes(48).toString('hex')}`).toString('base64url'),
      createdAtMs: this.#world.clock.nowMs(),
      agedByMs: 0,
      state: { status: 'waiting', deadline: this.#startDeadline(() => this.#fail(interaction)) },
      messages: [],
      choices: Promise.withResolvers(),
    };
    interaction.choices.promise.catch(() => {});
    this.#remember(interaction);
    this.#world.publish({
      event: 'INTERACTION_CREATE',
      data: interactionPayload(this.#world, this.#board, interaction),
      guildId: request.guild.id,
    });
    this.changed(interaction);
    return interaction;
  }

  /** @throws {Refusal} when there is no such interaction. */
  get(id: string): Interaction {
    const interaction = this.#byId.get(id);
    if (!interaction) throw new Refusal(`There is no interaction ${id}.`);
    return interaction;
  }

  find(id: string): Interaction | undefined {
    return this.#byId.get(id);
  }

  findByToken(token: string): Interaction | undefined {
    return this.#byToken.get(token);
  }

  /** The bot has acknowledged: with its answer, or with the promise of one. */
  acknowledge(interaction: Interaction, status: 'deferred' | 'answered'): void {
    if (interaction.state.status === 'waiting') interaction.state.deadline[Symbol.dispose]();
    interaction.state = { status, atMs: this.#world.clock.nowMs() };
  }

  /** A deferred interaction has got its answer. */
  complete(interaction: Interaction): void {
    if (interaction.state.status === 'deferred') interaction.state = { ...interaction.state, status: 'answered' };
  }

  /** The token is older than its 15 minutes. */
  isExpired(interaction: Interaction): boolean {
    return this.#ageMs(interaction) > TOKEN_LIFE_MS;
  }

  age(interaction: Interaction, byMs: number): void {
    interaction.agedByMs += byMs;
    if (interaction.state.status === 'waiting' && this.#ageMs(interaction) > ACKNOWLEDGE_WITHIN_MS) {
      interaction.state.deadline[Symbol.dispose]();
      this.#fail(interaction);
    }
  }

  /** Tells whoever watches the sandbox. */
  changed(interaction: Interaction): void {
    const atMs = this.#world.clock.nowMs();
    this.#world.emit({ type: 'interaction-updated', atMs, interaction: this.snapshot(interaction) });
  }

  snapshot(interaction: Interaction): InteractionSnapshot {
    const { id, state, createdAtMs, messages, modal } = interaction;
    return {
      id,
      state: state.status,
      createdAtMs,
      ...('atMs' in state ? { acknowledgedAtMs: state.atMs } : {}),
      messages: messages.filter((message) => !isLoading(message)).map((message) => this.#board.snapshot(message)),
      ...(modal ? { modal } : {}),
    };
  }

  [Symbol.dispose](): void {
    for (const { state, choices } of this.#byId.values()) {
      if (state.status === 'waiting') state.deadline[Symbol.dispose]();
      choices.reject(new Refusal('The sandbox has ended.'));
    }
  }

  #startDeadline(fail: () => void): Disposable {
    return this.#world.clock.after(ACKNOWLEDGE_WITHIN_MS, fail);
  }

  #fail(interaction: Interaction): void {
    interaction.state = { status: 'failed' };
    interaction.choices.reject(new Refusal('The bot did not answer within 3 seconds.'));
    this.changed(interaction);
  }

  #ageMs({ createdAtMs, agedByMs }: Interaction): number {
    return this.#world.clock.nowMs() - createdAtMs + agedByMs;
  }

  #remember(interaction: Interaction): void {
    this.#byId.set(interaction.id, interaction);
    this.#byToken.set(interaction.token, interaction);
    if (this.#byId.size <= MAX_INTERACTIONS) return;
    for (const [id, oldest] of this.#byId) {
      this.#byId.delete(id);
      this.#byToken.delete(oldest.token);
      break;
    }
  }
}
