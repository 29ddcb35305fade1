import type { Channel, Guild, JsonObject, Message, User } from './entities.ts';

/** Discord's interaction type numbers. */
export const INTERACTIONS = { command: 2, component: 3, autocomplete: 4, modal: 5 } as const;

/** What a person did. */
export interface InteractionRequest {
  readonly type: (typeof INTERACTIONS)[keyof typeof INTERACTIONS];
  readonly person: User;
  readonly guild: Guild;
  readonly channel: Channel;
  readonly data: JsonObject;
  /** The command's name; commands only. */
  readonly command?: { readonly name: string; readonly menu: boolean };
  /** The message whose button or menu was used, or whose modal was sent in. */
  readonly message?: Message;
}

type AutocompleteChoices = readonly { readonly name: string; readonly value: string | number }[];

/** An interaction and what became of it. */
export interface Interaction extends InteractionRequest {
  readonly id: string;
  readonly token: string;
  readonly createdAtMs: number;
  /** How much older it is made to look. */
  agedByMs: number;
  state: InteractionState;
  /** What `@original` means: the response, or for components the message they are on. */
  original?: Message;
  /** The response and follow-ups, oldest first. */
  messages: Message[];
  modal?: JsonObject;
  readonly choices: PromiseWithResolvers<AutocompleteChoices>;
}

type InteractionState =
  /** Nothing heard of the bot yet; after three seconds it fails. */
  | { readonly status: 'waiting'; readonly deadline: Disposable }
  | { readonly status: 'failed' }
  /** Acknowledged; the answer is to come. */
  | { readonly status: 'deferred'; readonly atMs: number }
  | { readonly status: 'answered'; readonly atMs: number };
