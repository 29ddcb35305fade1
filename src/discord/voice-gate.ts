import type {
  DiscordGatewayAdapterCreator,
  DiscordGatewayAdapterImplementerMethods,
  DiscordGatewayAdapterLibraryMethods,
} from '@discordjs/voice';

type VoiceStateData = Parameters<DiscordGatewayAdapterLibraryMethods['onVoiceStateUpdate']>[0];

/** What moderators allow us in the channel. */
export interface VoiceRights {
  readonly serverMute: boolean;
  readonly serverDeaf: boolean;
  /** In the audience of a stage. */
  readonly suppressed: boolean;
}

interface GateEvents {
  moved(channelId: string): void;
  rights(rights: VoiceRights): void;
  /** The gateway says that we are in no voice channel of this guild. */
  removed(): void;
  /** The gateway takes no message from us, or has let go of the connection. */
  gatewayLost(): void;
  fault(cause: unknown): void;
}

export interface VoiceGateOptions {
  readonly channelId: string;
  readonly adapterCreator: DiscordGatewayAdapterCreator;
  readonly events: GateEvents;
}

/**
 * Stands between the library's connection and Discord's gateway. Outwards it lets through only what we mean to send: on
 * its own the library would join again without end. Inwards it reads what the voice states say about us, and keeps
 * whatever they hold from breaking the gateway's own handling.
 */
export class VoiceGate {
  readonly #options: VoiceGateOptions;
  #channelId: string;
  #seenInChannel = false;
  #open = false;

  constructor(options: VoiceGateOptions) {
    this.#options = options;
    this.#channelId = options.channelId;
  }

  /** Runs `send`, during which messages to the gateway pass. */
  open<T>(send: () => T): T {
    this.#open = true;
    try {
      return send();
    } finally {
      this.#open = false;
    }
  }

  /** The adapter to give to the library. */
  adapter(methods: DiscordGatewayAdapterLibraryMethods): DiscordGatewayAdapterImplementerMethods {
    const { adapterCreator, events } = this.#options;
    const inner = adapterCreator({
      onVoiceServerUpdate: (data) => this.#guard(() => methods.onVoiceServerUpdate(data)),
      onVoiceStateUpdate: (data) => this.#guard(() => this.#voiceState(data, methods)),
      destroy: () => events.gatewayLost(),
    });
    return {
      sendPayload: (payload) => {
        if (!this.#open) return true;
        const sent = inner.sendPayload(payload);
        if (!sent) events.gatewayLost();
        return sent;
      },
      destroy: () => inner.destroy(),
    };
  }

  #voiceState(data: VoiceStateData, methods: DiscordGatewayAdapterLibraryMethods): void {
    const { events } = this.#options;
    if (data.channel_id === null) {
      // Before our first state in the channel this is the echo of an earlier leaving.
      if (this.#seenInChannel) events.removed();
      return;
    }
    this.#seenInChannel = true;
    methods.onVoiceStateUpdate(data);
    if (data.channel_id !== this.#channelId) {
      this.#channelId = data.channel_id;
      events.moved(data.channel_id);
    }
    events.rights({ serverMute: data.mute, serverDeaf: data.deaf, suppressed: data.suppress });
  }

  #guard(handle: () => void): void {
    try {
      handle();
    } catch (cause) {
      this.#options.events.fault(cause);
    }
  }
}
