/** What people chose for channels. A choice stays when what was said is forgotten, and goes with its channel or server. */
export interface SettingsStore {
  /** `undefined`: nothing was chosen for this channel. Gives up as soon as a conversation must. @throws {StoreError} */
  load(channelId: string): Promise<ChosenSettings | undefined>;
  /** Keeps what is chosen for a channel; what is `undefined` stays as it was. Gives up as soon as a conversation must. @throws {StoreError} */
  put(channelId: string, guildId: string, chosen: ChosenSettings): Promise<void>;
  /** Drops what was chosen for a channel that is gone. @throws {StoreError} */
  remove(channelId: string): Promise<void>;
}

/** `undefined`: not chosen. Whether a value still means something is for the reader to judge. */
export interface ChosenSettings {
  readonly voice: string | undefined;
  readonly answers: string | undefined;
}
