import type { GuildSnapshot, MessageSnapshot, SandboxEvent, WorldSnapshot } from '../../control/protocol.ts';
import { call, follow, recordOf } from './control.ts';
import type { Language } from './language/languages.ts';
import type { PageState } from './state.ts';
import { TurnLog } from './turns.ts';

/** Messages shown; older ones are still in the channel. */
const MAX_MESSAGES = 100;
const MAX_PENDING = 10;
const MY_NAME = 'You';

/** Holds what the page shows, and keeps it true to what happens in the sandbox. */
export class Store {
  state: PageState;
  readonly #turns = new TurnLog();
  readonly #mine = new Set<string>();
  readonly #watchers = new Set<() => void>();
  readonly #listeners = new Set<(event: SandboxEvent) => void>();
  #scheduled = false;

  private constructor(state: PageState) {
    this.state = state;
  }

  static async open(language: Language): Promise<Store> {
    const world = await call('world', {});
    const guild = world.guilds[0];
    if (!guild) throw new TypeError('The sandbox has no server.');
    const known = guild.people.find(({ name }) => name === MY_NAME);
    const me =
      known ??
      (await call('createPerson', {
        guildId: guild.id,
        name: MY_NAME,
        locale: language.code === 'en' ? 'en-US' : language.code === 'pt' ? 'pt-BR' : language.code,
      }));
    const [text, voiceChannel] = (['text', 'voice'] as const).map((kind) =>
      guild.channels.find((one) => one.kind === kind),
    );
    if (!text || !voiceChannel) throw new TypeError('The sandbox has no channels.');
    const store = new Store({
      connected: false,
      language,
      world,
      guild,
      text,
      voiceChannel,
      me,
      messages: [],
      pending: [],
      modal: undefined,
      speaking: new Set(),
      turns: [],
      voice: { kind: 'away' },
      muted: false,
      deafened: false,
      pushToTalk: false,
      talking: false,
      report: undefined,
      notice: undefined,
    });
    follow(
      (event) => store.#take(event),
      (connected) => {
        store.set({ connected });
        if (connected) void store.refresh();
      },
    );
    return store;
  }

  /** Calls back at most once a frame. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Every event as it comes. */
  listen(listener: (event: SandboxEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  set(change: Partial<PageState>): void {
    this.state = { ...this.state, ...change };
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A hidden page paints no frames, but goes on being true.
    setTimeout(() => {
      this.#scheduled = false;
      for (const watcher of this.#watchers) watcher();
    }, 16);
  }

  /** Does something, and tells the person when it did not work. */
  async attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    this.set({ notice: undefined });
    try {
      return await action();
    } catch (error) {
      this.set({ notice: this.state.language.strings.failed(error instanceof Error ? error.message : String(error)) });
      return undefined;
    }
  }

  /** The person has begun an interaction: its waiting and its modal are theirs to see. */
  async interact(action: () => Promise<{ interactionId: string }>): Promise<boolean> {
    const begun = await this.attempt(action);
    if (!begun) return false;
    this.#mine.add(begun.interactionId);
    if (this.#mine.size > 200) this.#mine.delete([...this.#mine][0] ?? '');
    const interaction = await this.attempt(() => call('interaction', begun));
    if (interaction) this.#interaction(interaction);
    return true;
  }

  async refresh(): Promise<void> {
    const { text, me } = this.state;
    const [world, messages] = await Promise.all([
      call('world', {}),
      call('messages', { channelId: text.id, personId: me.id }),
    ]);
    this.set({ ...this.#furniture(world), messages: messages.slice(-MAX_MESSAGES) });
  }

  #furniture(world: WorldSnapshot): { world: WorldSnapshot; guild: GuildSnapshot } {
    return { world, guild: world.guilds.find(({ id }) => id === this.state.guild.id) ?? this.state.guild };
  }

  #take(event: SandboxEvent): void {
    if (this.#turns.take(event)) this.set({ turns: this.#turns.turns });
    switch (event.type) {
      case 'message-created':
      case 'message-updated':
        this.#message(event.message);
        break;
      case 'message-deleted':
        this.set({ messages: this.state.messages.filter(({ id }) => id !== event.messageId) });
        break;
      case 'interaction-updated':
        if (this.#mine.has(event.interaction.id)) this.#interaction(event.interaction);
        break;
      case 'person-speaking':
        this.#speaking(event.personId, event.speaking);
        break;
      case 'bot-speaking':
        this.#speaking(this.state.world.bot.id, event.speaking);
        break;
      case 'voice-state':
      case 'bot-online':
      case 'bot-offline':
      case 'commands-registered':
        void call('world', {}).then((world) => this.set(this.#furniture(world)));
        break;
      case 'model-ended':
        void this.#recorded(event.requestId);
        break;
      case 'bot-voice-ready':
      case 'bot-voice-gone':
      case 'model-request':
      case 'model-first-audio':
        break;
    }
    for (const listener of this.#listeners) listener(event);
  }

  async #recorded(requestId: string): Promise<void> {
    const turn = this.#turns.turns.find(({ id }) => id === requestId);
    if (!turn) return;
    const record = await recordOf(turn);
    if (!record) return;
    this.#turns.record(record);
    this.set({ turns: this.#turns.turns });
  }

  #message(message: MessageSnapshot): void {
    const { messages, text } = this.state;
    if (message.channelId !== text.id) return;
    // Whose it is, only the list for this person tells.
    if (message.ephemeral) return void this.refresh();
    const known = messages.some(({ id }) => id === message.id);
    const next = known ? messages.map((one) => (one.id === message.id ? message : one)) : [...messages, message];
    this.set({ messages: next.slice(-MAX_MESSAGES) });
  }

  #interaction(interaction: PageState['pending'][number]): void {
    const others = this.state.pending.filter(({ id }) => id !== interaction.id);
    if (interaction.modal && interaction.state === 'answered' && this.state.modal?.id !== interaction.id) {
      this.set({ modal: interaction, pending: others });
      this.#mine.delete(interaction.id);
    } else if (interaction.state === 'answered') this.set({ pending: others });
    else this.set({ pending: [...others, interaction].slice(-MAX_PENDING) });
  }

  #speaking(userId: string, speaking: boolean): void {
    const next = new Set(this.state.speaking);
    if (speaking) next.add(userId);
    else next.delete(userId);
    this.set({ speaking: next });
  }
}
