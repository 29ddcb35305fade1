import { UserError } from '../language/user-error.ts';
import type { ChosenSettings, SettingsStore } from '../store/settings-store.ts';
import { StoreError } from '../store/store-error.ts';
import type { Log } from '../telemetry/log.ts';
import type { AnswerMode, ChannelSettings } from './ports.ts';

/** Whom people may have answered, as they are offered. */
export const ANSWER_MODES = ['always', 'name', 'button', 'off'] as const satisfies readonly AnswerMode[];

/** Channels whose choices are held ready; the one that was not asked for longest goes first. */
const MAX_CHANNELS = 1000;

const NOTHING_CHOSEN: ChosenSettings = { voice: undefined, answers: undefined };

export interface SettingsParts {
  readonly store: SettingsStore;
  /** Where nothing was chosen. */
  readonly defaults: ChannelSettings;
  /** What people may choose. A voice that was chosen and is no longer among them counts as not chosen. */
  readonly voices: readonly string[];
  /** Called when something else holds for a channel from now on. */
  readonly onChange: (channelId: string) => void;
  readonly log: Log;
}

/** What people chose for each channel, kept in the store and held ready for conversations that cannot wait. */
export class SettingsOfChannels {
  readonly #parts: SettingsParts;
  readonly #chosen = new Map<string, ChosenSettings>();

  constructor(parts: SettingsParts) {
    this.#parts = parts;
  }

  get voices(): readonly string[] {
    return this.#parts.voices;
  }

  /** What holds for a channel. While the store is away that is what was known, or the defaults. */
  async load(channelId: string): Promise<ChannelSettings> {
    await this.#known(channelId).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      this.#parts.log.warn({ err: error }, 'settings not read');
    });
    return this.of(channelId);
  }

  /**
   * What holds for a channel as far as it is known, without waiting: {@link load} it once before. What was not chosen for it
   * is taken from `fallbackId`, such as the channel that a call was started from.
   */
  of(channelId: string, fallbackId = channelId): ChannelSettings {
    const { defaults } = this.#parts;
    const places = [channelId, fallbackId].map((id) => {
      const chosen = this.#chosen.get(id);
      if (chosen) this.#remember(id, chosen);
      return chosen ?? NOTHING_CHOSEN;
    });
    return {
      voice: places.map(({ voice }) => this.#voice(voice)).find((voice) => voice !== undefined) ?? defaults.voice,
      answers:
        places.map(({ answers }) => modeOf(answers)).find((answers) => answers !== undefined) ?? defaults.answers,
    };
  }

  /**
   * Chooses something for a channel, from now on.
   * @throws {UserError} for a voice there is not, and when the store is away: then nothing has changed.
   */
  async choose(channelId: string, guildId: string, change: Partial<ChannelSettings>): Promise<void> {
    const { store, onChange } = this.#parts;
    if (change.voice !== undefined && this.#voice(change.voice) === undefined) {
      throw new UserError({ type: 'plain', id: 'unknown-voice' });
    }
    try {
      await this.#known(channelId);
      await store.put(channelId, guildId, { ...NOTHING_CHOSEN, ...change });
      this.#remember(channelId, { ...(this.#chosen.get(channelId) ?? NOTHING_CHOSEN), ...change });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new UserError({ type: 'plain', id: 'memory-away' }, { cause: error });
    }
    onChange(channelId);
  }

  /** What was chosen for these channels holds no longer: they, or their server, are gone. */
  forget(channelIds: Iterable<string>): void {
    for (const channelId of channelIds) this.#chosen.delete(channelId);
  }

  async #known(channelId: string): Promise<void> {
    const chosen = this.#chosen.get(channelId) ?? (await this.#parts.store.load(channelId)) ?? NOTHING_CHOSEN;
    // Other processes serve other servers, so nobody else changes what is remembered here; a choice made meanwhile is newer.
    this.#remember(channelId, this.#chosen.get(channelId) ?? chosen);
  }

  #remember(channelId: string, chosen: ChosenSettings): void {
    this.#chosen.delete(channelId);
    this.#chosen.set(channelId, chosen);
    const [oldest] = this.#chosen.keys();
    if (this.#chosen.size > MAX_CHANNELS && oldest !== undefined) this.#chosen.delete(oldest);
  }

  #voice(name: string | undefined): string | undefined {
    return this.#parts.voices.find((voice) => voice === name);
  }
}

function modeOf(value: string | undefined): ChannelSettings['answers'] | undefined {
  return ANSWER_MODES.find((mode) => mode === value);
}
