import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { english } from '../language/english.ts';
import type { SandboxClient } from '../sandbox/control/client.ts';
import type { InteractionSnapshot, MessageSnapshot } from '../sandbox/control/protocol.ts';
import { Stage, type Actor, type SpokenTurn } from './stage.ts';
import type { Story } from './story.ts';

/** Longest wait for the answer to a command. */
const ANSWER_MS = 20_000;

/** 400 ms of voice, with the pauses between words, and a frame or two on the way; a busy machine may take longer. */
const MAX_STOP_MS = 1000;

export interface DemoParts {
  readonly client: SandboxClient;
  readonly story: Story;
  /** Where sounds are written. */
  readonly folder: string;
  readonly botId: string;
}

/** Two people talk with the bot in a voice channel and by command; everything that was promised is checked. */
export async function playDemo({ client, story, folder, botId }: DemoParts): Promise<void> {
  const { guilds } = await client.world({});
  const guild = guilds[0];
  const text = guild?.channels.find((channel) => channel.kind === 'text');
  const voice = guild?.channels.find((channel) => channel.kind === 'voice');
  const [alice, bob] = ['Alice', 'Bob'].map((name): Actor | undefined => {
    const person = guild?.people.find((one) => one.name === name);
    return person && { id: person.id, name, voice: name === 'Alice' ? 'slt' : 'rms' };
  });
  if (!text || !voice || !alice || !bob) throw new Error('the sandbox is not furnished as it should be');
  const stage = new Stage(client, botId);
  let replies = 0;

  async function tell(turn: SpokenTurn): Promise<void> {
    const name = `reply-${++replies}`;
    await writeFile(join(folder, `${name}-heard.wav`), turn.heardWav);
    await writeFile(join(folder, `${name}-sent.wav`), turn.sentWav);
    story.turn(turn, `${name}-heard.wav`);
  }

  story.scene(`Alice joins ${voice.name} and calls Parley`);
  await client.join({ personId: alice.id, channelId: voice.id });
  story.says('Alice', '/join');
  const joined = await run(client, alice, text.id, 'join');
  story.says('Parley', joined.messages[0]?.content ?? '');
  story.holds(joined.state === 'answered', 'Parley answers /join');

  story.scene('Alice talks with it');
  await tell(await stage.speak([{ actor: alice, text: 'Hello Parley, can you hear me?' }]));

  story.scene('Bob joins, and both speak at once');
  await client.join({ personId: bob.id, channelId: voice.id });
  await tell(
    await stage.speak([
      { actor: alice, text: 'Parley, what should we play tonight?' },
      { actor: bob, text: 'I would like something with dragons.', delayMs: 700 },
    ]),
  );

  story.scene('Alice speaks over the reply');
  const { cut, turn, stoppedAfterMs } = await stage.interrupt(
    { actor: alice, text: 'Parley, tell us a little more about the game.' },
    { actor: alice, text: 'I think I have a much better idea.', delayMs: 1200 },
  );
  await tell(cut);
  story.note(`Alice speaks, and Parley is silent ${Math.round(stoppedAfterMs)} ms after her first packet`);
  story.holds(stoppedAfterMs <= MAX_STOP_MS, 'speaking over the reply stops it');
  await tell(turn);

  story.scene('Alice asks in writing');
  story.says('Alice', '/ask prompt:What did I say first?');
  const asked = await run(client, alice, text.id, 'ask', { prompt: 'What did I say first?' });
  story.says('Parley', asked.messages[0]?.content ?? '');
  story.holds((asked.messages[0]?.content ?? '') !== '', 'Parley answers /ask');

  story.scene('Bob asks for a voice message');
  story.says('Bob', '/ask prompt:Say good night to Alice. reply:voice message');
  const since = performance.now();
  const spoken = await run(client, bob, text.id, 'ask', { prompt: 'Say good night to Alice.', reply: 'voice' });
  story.says('Parley', spoken.messages[0]?.content ?? '');
  const message = await voiceMessage(client, since);
  const attachment = message.attachments[0];
  story.note(`a voice message of ${attachment?.durationSecs?.toFixed(1) ?? '?'} s with its waveform`);
  story.holds(attachment?.waveform !== undefined, 'the voice message has its waveform');
  if (attachment) {
    const file = await fetch(attachment.url);
    await writeFile(join(folder, 'voice-message.ogg'), Buffer.from(await file.arrayBuffer()));
  }

  story.scene('Bob has a voice message written down');
  const words = 'I will be late, start without me.';
  const { wav } = await client.synthesize({ text: words, voice: alice.voice });
  const memo = await client.sendVoiceMessage({ personId: alice.id, channelId: text.id, wav });
  story.says('Alice', `a voice message of ${memo.attachments[0]?.durationSecs?.toFixed(1) ?? '?'} s`);
  story.says('Bob', 'Transcribe, in the menu of the message');
  const written = await writtenDown(client, bob, memo);
  story.says('Parley', written);
  story.holds(written === words, 'the words of a voice message are written down');

  story.scene('Alice has a paragraph read aloud');
  const paragraph = 'The lamp on the pier was lit at nine. Nobody saw who had lit it.';
  story.says('Alice', `/narrate text:${paragraph}`);
  const readingSince = performance.now();
  const reading = await narration(client, alice, text.id, paragraph);
  story.says('Parley', reading.content);
  const sound = reading.attachments[0];
  const heard = await client.heard({ personId: bob.id, fromUserId: botId, sinceMs: readingSince });
  const heardSecs = heard.packets.filter(({ silence }) => !silence).length / 50;
  story.note(`${sound?.name ?? 'no file'}, and ${heardSecs.toFixed(1)} s of it heard in ${voice.name}`);
  story.holds(heardSecs > 2, 'a narration is heard in the call');
  story.holds(sound?.name.endsWith('.ogg') === true, 'a narration comes as a sound file');
  if (sound) {
    const file = await fetch(sound.url);
    await writeFile(join(folder, sound.name), Buffer.from(await file.arrayBuffer()));
  }

  story.scene('Good night');
  story.says('Alice', '/leave');
  const left = await run(client, alice, text.id, 'leave');
  story.says('Parley', left.messages[0]?.content ?? '');
  const pings = (await client.messages({ channelId: text.id })).filter((one) => one.pinged.length > 0);
  story.holds(pings.length === 0, 'nothing that was posted pings anyone');
}

async function run(
  client: SandboxClient,
  actor: Actor,
  channelId: string,
  command: string,
  options?: Record<string, string>,
): Promise<InteractionSnapshot> {
  const { interactionId } = await client.runCommand({
    personId: actor.id,
    channelId,
    command,
    ...(options && { options }),
  });
  const event = await client.waitFor(
    (one) =>
      one.type === 'interaction-updated' &&
      one.interaction.id === interactionId &&
      (one.interaction.state === 'answered' || one.interaction.state === 'failed'),
    { timeoutMs: ANSWER_MS },
  );
  return event.type === 'interaction-updated' ? event.interaction : client.interaction({ interactionId });
}

/** The message with the sound of a text that is read aloud, once it has been heard in the call. */
async function narration(
  client: SandboxClient,
  actor: Actor,
  channelId: string,
  text: string,
): Promise<MessageSnapshot> {
  const since = performance.now();
  await client.runCommand({ personId: actor.id, channelId, command: 'narrate', options: { text } });
  const file = await client.waitFor(
    (one) =>
      one.type === 'message-created' &&
      one.atMs >= since &&
      one.message.attachments.length > 0 &&
      !one.message.voiceMessage,
    { timeoutMs: ANSWER_MS },
  );
  // In the call it is played at its own pace.
  const began = await client.waitFor((one) => one.type === 'bot-speaking' && one.speaking, {
    since,
    timeoutMs: ANSWER_MS,
  });
  await client.waitFor((one) => one.type === 'bot-speaking' && !one.speaking, {
    since: began.atMs,
    timeoutMs: ANSWER_MS,
  });
  if (file.type !== 'message-created') throw new Error('no sound file');
  return file.message;
}

/** The words of a message's sound, once all are there: until then the answer has a button to cancel it. */
async function writtenDown(client: SandboxClient, actor: Actor, message: MessageSnapshot): Promise<string> {
  const { interactionId } = await client.runMessageCommand({
    personId: actor.id,
    channelId: message.channelId,
    messageId: message.id,
    command: english.messageCommands.transcribe,
  });
  const event = await client.waitFor(
    (one) =>
      one.type === 'interaction-updated' &&
      one.interaction.id === interactionId &&
      one.interaction.messages.some(({ content, components }) => content !== '' && components.length === 0),
    { timeoutMs: ANSWER_MS },
  );
  return event.type === 'interaction-updated' ? (event.interaction.messages[0]?.content ?? '') : '';
}

async function voiceMessage(client: SandboxClient, since: number): Promise<MessageSnapshot> {
  const event = await client.waitFor(
    (one) => one.type === 'message-created' && one.message.voiceMessage && one.atMs >= since,
    { timeoutMs: ANSWER_MS },
  );
  if (event.type !== 'message-created') throw new Error('no voice message');
  return event.message;
}
