import type { Clock } from '../../time/clock.ts';
import type { ControlMethods, SandboxEvent } from '../control/protocol.ts';
import type { LiveSound } from './live-sound.ts';

/**
 * The sandbox's voice server as the rest of the sandbox sees it. The gateway tells it who is in which call; it runs the
 * voice gateway, UDP and DAVE for the bot and carries the people's sound in-process.
 */
export interface VoiceService extends AsyncDisposable {
  /** `host:port` for VOICE_SERVER_UPDATE: the voice gateway listens there with TLS. */
  readonly endpoint: string;
  /** PEM certificate that makes the endpoint trusted. */
  readonly caPem: string;

  /** The bot has asked (gateway opcode 4) to be in a channel. The token goes into VOICE_SERVER_UPDATE. */
  admitBot(call: CallMember & { sessionId: string }): { token: string; endpoint: string };
  /** The bot's own or a moderator's switches changed: a deafened bot is sent nothing, a muted or suppressed one is heard by nobody. */
  updateBot(member: CallMember): void;
  /** The bot has left, or was removed: then its voice socket is closed with `closeCode`. */
  removeBot(guildId: string, closeCode?: number): void;

  addPerson(member: CallMember): void;
  updatePerson(member: CallMember): void;
  removePerson(guildId: string, userId: string): void;

  /** The newest datagrams sent to bots, oldest first: what the `datagrams` fault needs to replay them. */
  recentDatagrams(): readonly Uint8Array[];
  /** The DAVE privacy code a person's client shows, undefined without an encrypted group. Throws for who is in no call. */
  privacyCode(userId: string): string | undefined;
  /** The DAVE verification code a person's client shows for another member. Throws for who is in no call. */
  verificationCode(userId: string, ofUserId: string): Promise<string | undefined>;

  /** Sound as it happens, for somebody who is there in person. */
  readonly live: LiveSound;

  /** The part of the control API that is about sound alone. */
  readonly methods: Pick<
    ControlMethods,
    'speak' | 'stopSpeaking' | 'heard' | 'setNetwork' | 'voiceFault' | 'setVoiceDefaults'
  >;
}

/** A member's place in a call, with who may speak and hear. */
export interface CallMember {
  readonly guildId: string;
  readonly channelId: string;
  readonly userId: string;
  /** Muted by themselves or a moderator, or suppressed on a stage. */
  readonly muted: boolean;
  readonly deafened: boolean;
}

export interface VoiceServiceOptions {
  readonly emit: (event: SandboxEvent) => void;
  /**
   * The call moved to another voice server (`move-server` fault): the gateway must send the bot a new
   * VOICE_SERVER_UPDATE with this token and endpoint.
   */
  readonly onServerMoved: (guildId: string, token: string, endpoint: string) => void;
  /** Default 1. */
  readonly daveVersion?: 0 | 1;
  /** Default: the clock of this process. */
  readonly clock?: Clock;
}
