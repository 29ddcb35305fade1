import { englishCall, listOf } from './english-call.ts';
import { englishNarrate, englishSay } from './english-narration.ts';
import { OVER_REPLY } from './english-over-reply.ts';
import { minutes } from './english-times.ts';
import type { Words } from './words.ts';

/** People named at most: a message has 2,000 characters. */
const MAX_NAMED = 40;

export const english: Words = {
  commands: {
    join: {
      name: 'join',
      description: 'Parley joins your voice channel, listens and answers aloud',
      options: { channel: { name: 'channel', description: 'The voice channel, if not the one you are in' } },
    },
    leave: { name: 'leave', description: 'Parley leaves the voice channel', options: {} },
    ask: {
      name: 'ask',
      description: 'Ask Parley something, in writing or with a sound file',
      options: {
        prompt: { name: 'prompt', description: 'What you want to say' },
        file: { name: 'file', description: 'A wav or mp3 file or a Discord voice message, up to 20 MB' },
        reply: { name: 'reply', description: 'How Parley answers: text (default) or a voice message' },
      },
    },
    help: { name: 'help', description: 'What Parley can do and what it keeps', options: {} },
    memory: { name: 'memory', description: 'What Parley remembers of this channel, and a copy of it', options: {} },
    forget: {
      name: 'forget',
      description: 'Parley forgets what was said',
      options: {
        what: { name: 'what', description: 'This channel, what you said on this server, or the whole server' },
      },
    },
    privacy: { name: 'privacy', description: 'Whether Parley may hear you', options: {} },
    voice: {
      name: 'voice',
      description: 'The voice Parley speaks with in this channel, and those you can choose',
      options: { name: { name: 'name', description: 'The voice you would like' } },
    },
    answers: {
      name: 'answers',
      description: 'Whom Parley answers when there are several people in the call',
      options: { whom: { name: 'whom', description: 'Whom it is to answer in this channel from now on' } },
    },
    stats: {
      name: 'stats',
      description: 'How quickly Parley answers in this channel, measured by itself',
      options: {},
    },
    transcribe: {
      name: 'transcribe',
      description: 'Parley writes down what is said in a sound file of any length',
      options: {
        file: { name: 'file', description: 'mp3, wav, flac, ogg, webm or a voice message, up to 100 MB and 4 hours' },
        language: { name: 'language', description: 'The language spoken, as two letters such as en, if you know it' },
        format: { name: 'format', description: 'As a file: plain text, Markdown, or subtitles (srt, vtt)' },
      },
    },
    say: {
      name: 'say',
      description: 'Parley says your text word for word: in the voice channel, or as a voice message',
      options: {
        text: { name: 'text', description: 'What to say, up to 2,000 characters' },
        voice: { name: 'voice', description: 'Whose voice says it' },
      },
    },
    narrate: {
      name: 'narrate',
      description: 'Parley reads a text or a book aloud: a sound file for each chapter, and in the voice channel',
      options: {
        text: { name: 'text', description: 'What to read' },
        file: { name: 'file', description: 'A .txt, .md or .epub file, up to 20 MB and 500,000 characters' },
        voice: { name: 'voice', description: 'Whose voice reads' },
        pace: { name: 'pace', description: 'How fast' },
        manner: { name: 'manner', description: 'How: such as "warm and calm, like a bedtime story"' },
        format: { name: 'format', description: 'Of the files: ogg (Opus, default) or mp3' },
      },
    },
  },
  messageCommands: { transcribe: 'Transcribe', answerAloud: 'Answer aloud' },
  replyChoices: { text: 'text', voice: 'voice message' },
  join: {
    listening: (voiceChannel) =>
      `I am listening in ${voiceChannel} and answer aloud; my words appear here. ` +
      'What you say goes to the language model to be answered, and I remember the words, encrypted: `/memory` shows them, ' +
      '`/forget` deletes them. If you would rather not be heard, `/privacy`; `/leave` sends me away.',
    listeningUnseen: (voiceChannel) =>
      `I am listening in ${voiceChannel} and answer aloud; the words appear in a channel that not all of you can see. ` +
      'What you say goes to the language model to be answered, and I remember the words, encrypted. If you would rather ' +
      'not be heard, `/privacy`; `/leave` sends me away.',
    alreadyHere: (voiceChannel) => `I am already in ${voiceChannel}.`,
  },
  call: {
    gone: {
      left: 'I have left the voice channel.',
      alone: 'Everyone has gone, so I have left the voice channel. `/join` brings me back.',
      removed: 'I was disconnected from the voice channel. `/join` brings me back.',
      'call-ended': 'The call was ended. `/join` brings me back.',
      'channel-deleted': 'The voice channel is gone, so I have left it.',
      'moved-without-permission': 'I was moved to a channel where I may not listen and speak, so I have left.',
      'connection-lost': 'I lost the voice connection and could not get it back. Please try `/join` again.',
      'no-server': 'Discord has no voice server for this channel right now. Please try `/join` again in a few minutes.',
      'join-timeout': 'Discord did not let me into the voice channel in time. Please try again in a moment.',
      'encryption-required': 'This call needs end-to-end encryption that I do not have. Please tell whoever runs me.',
      'rate-limited': 'Discord asks me to wait before I join again. Please try `/join` in a minute.',
      refused:
        'Discord refused the voice connection. Please try `/join` again, and tell whoever runs me if it stays so.',
      shutdown: 'I am being restarted and have left the voice channel. `/join` brings me back in a moment.',
      fault: 'Something went wrong on my side, so I have left the voice channel. `/join` brings me back.',
    },
    recovered: 'I lost the voice connection for a moment and am back. Please repeat what I missed.',
    deaf: 'I can see that you speak, but no sound reaches me. `/leave` and `/join` may help.',
    movedTo: (voiceChannel) => `I was moved and am now listening in ${voiceChannel}.`,
    wordsHere: 'I can no longer write where my words appeared, so they appear here from now on.',
    serverMuted: 'I am muted on this server, so I answer in writing.',
    serverDeafened: 'I am deafened on this server and cannot hear you.',
  },
  ...englishCall,
  memory: {
    away: 'My memory is out of order right now: I answer, but may not know what was said before.',
    cutOff: 'I was restarted in the middle of an answer. Please ask again.',
    nothing: 'I remember nothing of this channel.',
    kept: ({ turns, oldest, newest, people, speechSeconds, hasSummary, retentionDays }) =>
      [
        `I remember **${turns}** turn${turns === 1 ? '' : 's'} of this channel, from ${stamp(oldest)} to ${stamp(newest)}.`,
        `Who spoke: ${listOf(named(people))}.`,
        hasSummary ? 'The oldest part I keep as a short summary.' : '',
        speechSeconds > 0
          ? `Of sound I keep the newest ${speechSeconds} s, for the next answer only.`
          : 'I keep no sound of it.',
        `Everything is encrypted, and deleted after ${retentionDays} days. \`/forget\` deletes it now.`,
      ]
        .filter((line) => line !== '')
        .join('\n'),
    takeAway: 'Give me a copy',
    fileName: 'conversation.md',
  },
  forget: {
    choices: { channel: 'this channel', me: 'what I said on this server', server: 'everything on this server' },
    confirm: {
      channel: 'I will forget everything that was said in this channel, by everyone. This cannot be undone.',
      me: 'I will forget everything you said to me on this server, and my answers to it. This cannot be undone.',
      server: 'I will forget everything that was said on this server, by everyone. This cannot be undone.',
    },
    yes: 'Forget it',
    no: 'Keep it',
    done: (turns) => (turns === 0 ? 'There was nothing to forget.' : 'It is forgotten.'),
    kept: 'I have kept it.',
  },
  privacy: {
    heard: 'I may hear you in voice channels I am in. What you say goes to the language model to be answered.',
    notHeard: 'I do not hear you: no sound of yours is decoded, kept or sent anywhere.',
    optOut: 'Do not hear me',
    optIn: 'Hear me again',
  },
  help: {
    text: (commands) =>
      [
        '**Parley** is a voice you can talk with.',
        ...commands.map(({ name, description }) => `- \`/${name}\`: ${description}`),
        '',
        'In a voice channel just speak: I answer when you pause, and stop when you speak over me.',
        'Speech goes to the language model to be answered. I remember the words, encrypted, for a limited time; of sound only the newest, for the next answer.',
      ].join('\n'),
  },
  ask: { noWords: 'I have no answer to that.' },
  mention: {
    listening: 'I am listening, go on.',
    empty: 'Yes? Write what you want to know in the same message, or `/join` to talk with me.',
  },
  say: englishSay,
  transcribe: {
    progress: ({ bar, doneMs, totalMs, leftMs }) =>
      [
        bar,
        totalMs === undefined ? minutes(doneMs) : `${minutes(doneMs)} of ${minutes(totalMs)} min`,
        leftMs === undefined
          ? ''
          : `· ${leftMs < 60_000 ? 'less than a minute' : `about ${Math.ceil(leftMs / 60_000)} min`} left`,
      ]
        .filter((part) => part !== '')
        .join(' '),
    cancel: 'Cancel',
    cancelled: 'This was cancelled.',
    cutShort: (atMs) => `What comes after ${minutes(atMs)} is missing.`,
    onlyBegun: (name, atMs) => `${name} is longer than I can take: what comes after ${minutes(atMs)} is missing.`,
    noWords: (name) => `I hear no words in ${name}.`,
    done: (name) => `Here is what is said in ${name}.`,
    inThread: 'The words appear in the thread here as they are ready.',
    goesOn: 'I am just being restarted and go on with this in a moment.',
  },
  narrate: englishNarrate,
  errors: {
    unexpected: 'Something went wrong on my side. Please try again.',
    'not-in-server': 'That works only in a server, not in private messages.',
    'no-voice-channel': 'Please join a voice channel first, or name one: `/join channel:`.',
    'may-not-enter': 'You may not enter that voice channel, so I tell you nothing of what is said there.',
    'not-a-voice-channel': 'That is not a voice channel I can talk in. Please choose an ordinary voice channel.',
    'nobody-there': 'Nobody is in that voice channel to hear me. Join it and call me again.',
    'afk-channel': 'That is the AFK channel, where nobody can speak. Please choose another one.',
    'channel-full': 'That voice channel is full.',
    'not-in-call': 'I am not in a voice channel on this server.',
    'not-in-this-call': 'I cannot hear you: join the voice channel, unmuted by the server, and press it again.',
    'not-heard': 'You asked me not to hear you. `/privacy` changes that.',
    'old-panel': 'That call has ended, so this does nothing any more. `/join` calls me again.',
    'prompt-too-long': 'That is more than I can take at once. Please keep it under 4,000 characters.',
    'prompt-empty': 'Please write something or attach a sound file.',
    'unknown-voice': 'I have no such voice. `/voice` without a name shows those I have.',
    'memory-away': 'My memory is out of order right now, so I could not do that. Please try again in a moment.',
    'cannot-know-whom-to-hear':
      'My memory is out of order, so I cannot know who does not want to be heard. Until it works I do not listen; `/ask` works.',
    'opted-out': 'You asked me not to hear you, so I have not opened your file. `/privacy` changes that.',
    'author-opted-out': 'Whoever sent that asked me not to hear them, so I have not opened their file.',
    'needs-manage-messages':
      'For that you need the permission Manage Messages where it was said: in this channel, or in the voice channel whose words appear here.',
    'needs-manage-server': 'For that you need the permission Manage Server.',
    busy: 'I am still busy with the last thing you asked. Please try again in a moment.',
    'no-attachment': 'There is no sound file in that message.',
    'unknown-language': 'I do not know that language. Please give it as two letters, such as en, de or fr.',
    'not-your-job': 'Only whoever started this, or someone who manages messages, can cancel it.',
    'nothing-to-read': 'There is nothing in that text that can be read aloud.',
    'too-long-to-say': 'That is more than I can say at once. Please keep it under 2,000 characters.',
    'no-sound': 'The language model gave me no sound for that. Please try again.',
    'not-gone-on': 'I was restarted in the middle of this and cannot go on with it. Please ask me again.',
    'shutting-down': 'I am just being restarted. Please try again in a moment.',
  },
  modelErrors: {
    busy: 'The language model is busy right now. Please try again in a minute.',
    unreachable: 'I cannot reach the language model right now. Please try again in a moment.',
    timeout: 'The language model took too long to answer. Please try again.',
    truncated: 'The answer broke off before its end. Please ask again.',
    malformed: 'The language model sent something I could not understand. Please try again.',
    'filtered-prompt': 'The content filter stopped your question. Please put it another way.',
    'filtered-reply': 'The content filter stopped my answer. Please put your question another way.',
    'filter-down': 'The content filter is out of order, so I may not answer right now. Please try again later.',
    'sign-in': 'I could not sign in to the language model. Please tell whoever runs me.',
    'not-permitted': 'I am not allowed to use the language model. Please tell whoever runs me.',
    'wrong-key': 'The language model does not accept my key. Please tell whoever runs me.',
    'no-deployment': 'The language model I was told to use does not exist. Please tell whoever runs me.',
    retired: 'The language model I was told to use has been retired. Please tell whoever runs me.',
    'audio-not-found': 'I lost the thread of our conversation. Please ask again.',
    'too-large': 'That is more sound than I can take at once. Please keep it shorter.',
    'too-long': 'Our conversation has grown too long for the language model. Please start a new one.',
    'unsupported-audio': 'The language model could not play that sound. Please try a wav or mp3 file.',
    refused: 'The language model refused that. Please try something else.',
    'server-fault': 'The language model has a problem of its own right now. Please try again in a moment.',
  },
  fileErrors: {
    'not-allowed': (name) => `I may not fetch ${name}: it is not on Discord's own file servers.`,
    'too-large': (name) => `${name} is over 20 MB, which is more than I can take. Please send a shorter piece.`,
    'too-slow': (name) => `${name} took too long to arrive. Please try again.`,
    gone: (name) => `${name} is no longer there. Please attach it again.`,
    unreachable: (name) => `I could not fetch ${name}. Please try again in a moment.`,
    empty: (name) => `${name} is empty.`,
    unsupported: (name) =>
      `${name} is not a sound I can play. I take mp3, wav, flac, ogg and webm files and Discord voice messages.`,
    damaged: (name) => `${name} seems to be damaged: I could not play it.`,
    'too-long': (name) => `${name} is longer than I can listen to at once. Please send a shorter piece.`,
    'sample-rate': (name) => `${name} claims a sample rate that no recording has: I could not play it.`,
    channels: (name) => `${name} claims more channels than I can play.`,
    'no-sound': (name) => `There is no sound in ${name}.`,
    silent: (name) => `There is only silence in ${name}.`,
    encrypted: (name) => `${name} is encrypted (protected against copying), so I cannot play it.`,
    'needs-ffmpeg': (name) =>
      `The sound in ${name} is of a kind I cannot play here. Please send it as mp3, wav, flac, ogg or webm.`,
    'not-a-text': (name) => `${name} is not a text I can read. I take .txt, .md and .epub files.`,
    'no-text': (name) => `There is no text in ${name} that can be read aloud.`,
    'text-too-long': (name) =>
      `${name} is longer than I can read aloud: 500,000 characters, about nine hours, are the most. Please send a part of it.`,
    'damaged-text': (name) => `${name} seems to be damaged: I could not read it.`,
    'encrypted-text': (name) => `${name} is encrypted (protected against copying), so I cannot read it.`,
  },
  permissions: {
    ViewChannel: 'View Channel',
    Connect: 'Connect',
    Speak: 'Speak',
    SendMessages: 'Send Messages',
    SendMessagesInThreads: 'Send Messages in Threads',
    CreatePublicThreads: 'Create Public Threads',
    AttachFiles: 'Attach Files',
    SendVoiceMessages: 'Send Voice Messages',
    ReadMessageHistory: 'Read Message History',
  },
  overReply: OVER_REPLY,
  missingPermissions: (channel, permissions) =>
    `In ${channel} I am missing the permission${permissions.length === 1 ? '' : 's'} ${listOf(permissions)}. ` +
    'Please ask someone who manages the server to grant it.',
};

/** Discord shows it in the reader's own time zone and format. */
function stamp(date: Date): string {
  return `<t:${Math.floor(date.getTime() / 1000)}:f>`;
}

function named(people: readonly string[]): readonly string[] {
  if (people.length <= MAX_NAMED) return people;
  return [...people.slice(0, MAX_NAMED - 1), `${people.length - MAX_NAMED + 1} others`];
}
