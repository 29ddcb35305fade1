/** Every text of the page. The other languages have the same shape. */
export interface Strings {
  readonly title: string;
  readonly subtitle: string;
  readonly language: string;
  readonly connection: { readonly connecting: string; readonly lost: string };
  readonly tabs: { readonly room: string; readonly channel: string; readonly inspector: string };
  readonly you: string;
  readonly bot: string;
  readonly room: {
    readonly title: (channel: string) => string;
    readonly nobody: string;
    readonly join: string;
    readonly leave: string;
    readonly microphone: string;
    readonly mute: string;
    readonly unmute: string;
    readonly deafen: string;
    readonly undeafen: string;
    readonly noMicrophone: string;
    readonly voiceActivity: string;
    readonly pushToTalk: string;
    readonly hold: string;
    readonly speaking: (name: string) => string;
    readonly silent: string;
    readonly muted: string;
    readonly callBot: string;
    readonly sendBotAway: string;
    readonly without: string;
    readonly withoutHint: string;
    readonly say: string;
    readonly sayThis: string;
    readonly file: string;
    readonly sayings: readonly string[];
    readonly stop: string;
    readonly badSound: (name: string) => string;
    readonly delay: (ms: number) => string;
  };
  readonly channel: {
    readonly log: (channel: string) => string;
    readonly empty: string;
    readonly edited: string;
    readonly onlyYou: string;
    readonly thinking: string;
    readonly noResponse: string;
    readonly voiceMessage: string;
    readonly play: string;
    readonly pause: string;
    readonly download: (name: string) => string;
    readonly actions: (author: string) => string;
    readonly noActions: string;
    readonly app: string;
    readonly select: string;
  };
  readonly composer: {
    readonly label: (channel: string) => string;
    readonly placeholder: string;
    readonly attach: string;
    readonly remove: (name: string) => string;
    readonly record: string;
    readonly finishRecording: string;
    readonly send: string;
    readonly commands: string;
    readonly noCommands: string;
    readonly run: string;
    readonly cancel: string;
    readonly required: string;
    readonly none: string;
    readonly yes: string;
    readonly no: string;
    readonly chooseFile: string;
    readonly dropHere: string;
  };
  readonly inspector: {
    readonly title: string;
    readonly empty: string;
    readonly turn: (number: number) => string;
    readonly kinds: { readonly spoken: string; readonly written: string; readonly transcription: string };
    readonly states: {
      readonly asking: string;
      readonly speaking: string;
      readonly heard: string;
      readonly cut: string;
      readonly abandoned: string;
      readonly failed: string;
      readonly done: string;
    };
    readonly lanes: { readonly model: string; readonly pause: string };
    readonly figures: {
      readonly endOfTurn: string;
      readonly firstByte: string;
      readonly firstAudio: string;
      readonly bot: string;
      readonly total: string;
      readonly played: string;
    };
    readonly explain: {
      readonly endOfTurn: string;
      readonly firstByte: string;
      readonly firstAudio: string;
      readonly bot: string;
      readonly total: string;
      readonly played: string;
    };
    readonly request: string;
    readonly reply: string;
    readonly replySound: string;
    readonly requestSound: string;
    readonly roles: Readonly<Record<string, string>>;
    readonly events: {
      readonly request: string;
      readonly firstByte: string;
      readonly firstAudio: string;
      readonly firstSound: string;
      readonly ended: string;
      readonly abandoned: string;
      readonly over: (name: string) => string;
      readonly stopped: string;
    };
    readonly gone: string;
    readonly ms: (value: number) => string;
  };
  readonly knobs: {
    readonly title: string;
    readonly model: string;
    readonly realModel: string;
    readonly delay: string;
    readonly speed: string;
    readonly fault: string;
    readonly faultHint: string;
    readonly faults: Readonly<Record<'500' | '429' | '401' | 'stall' | 'cut' | 'filter-reply' | 'html', string>>;
    readonly failNext: string;
    readonly network: string;
    readonly loss: string;
    readonly jitter: string;
    readonly people: string;
    readonly over: (name: string) => string;
    readonly overLine: string;
    readonly whenBotSpeaks: string;
    readonly disconnect: string;
    readonly gateway: string;
    readonly voice: string;
    readonly move: string;
    readonly kick: string;
    readonly done: (what: string) => string;
  };
  readonly dialog: { readonly submit: string; readonly cancel: string };
  readonly failed: (reason: string) => string;
}

export const english: Strings = {
  title: 'Parley playground',
  subtitle: 'A Discord of its own, on this machine',
  language: 'Language',
  connection: { connecting: 'Connecting…', lost: 'The connection to the sandbox is lost. Trying again…' },
  tabs: { room: 'Room', channel: 'Channel', inspector: 'Inspector' },
  you: 'You',
  bot: 'BOT',
  room: {
    title: (channel) => `Voice channel ${channel}`,
    nobody: 'Nobody is here yet.',
    join: 'Join voice',
    leave: 'Leave',
    microphone: 'Microphone',
    mute: 'Mute',
    unmute: 'Unmute',
    deafen: 'Deafen',
    undeafen: 'Undeafen',
    noMicrophone: 'No microphone here. You can speak a recording below instead.',
    voiceActivity: 'Voice activity',
    pushToTalk: 'Push to talk',
    hold: 'Hold to talk',
    speaking: (name) => `${name} is speaking`,
    silent: 'listening',
    muted: 'muted',
    callBot: 'Call Parley here',
    sendBotAway: 'Send Parley away',
    without: 'Without a microphone',
    withoutHint: 'Type what you would say, choose a line, or drop a sound file here.',
    say: 'Say',
    sayThis: 'What you say (English)',
    file: 'Speak a sound file',
    sayings: ['Hello Parley, can you hear me?', 'Tell me a little about yourself.', 'What should we play tonight?'],
    stop: 'Stop speaking',
    badSound: (name) => `${name} is not a sound this browser can play.`,
    delay: (ms) => `Sound buffered: ${ms} ms`,
  },
  channel: {
    log: (channel) => `Messages in ${channel}`,
    empty: 'Nothing has been written yet. Type / for commands.',
    edited: '(edited)',
    onlyYou: 'Only you can see this',
    thinking: 'Parley is thinking…',
    noResponse: 'The application did not respond',
    voiceMessage: 'Voice message',
    play: 'Play',
    pause: 'Pause',
    download: (name) => `Download ${name}`,
    actions: (author) => `Apps for the message by ${author}`,
    noActions: 'The bot has no commands for messages.',
    app: 'APP',
    select: 'Choose…',
  },
  composer: {
    label: (channel) => `Message ${channel}`,
    placeholder: 'Write, or type / for commands',
    attach: 'Attach a file',
    remove: (name) => `Remove ${name}`,
    record: 'Record a voice message',
    finishRecording: 'Send the voice message',
    send: 'Send',
    commands: 'Commands',
    noCommands: 'No command by that name.',
    run: 'Run',
    cancel: 'Cancel',
    required: 'required',
    none: 'Not set',
    yes: 'Yes',
    no: 'No',
    chooseFile: 'Choose or drop a file',
    dropHere: 'Drop to attach',
  },
  inspector: {
    title: 'Turns',
    empty: 'Say or ask something: each turn appears here, from the first word to the last sound.',
    turn: (number) => `Turn ${number}`,
    kinds: { spoken: 'spoken', written: 'written', transcription: 'transcription' },
    states: {
      asking: 'asking',
      speaking: 'speaking',
      heard: 'heard',
      cut: 'cut off',
      abandoned: 'given up',
      failed: 'failed',
      done: 'answered',
    },
    lanes: { model: 'Model', pause: 'pause' },
    figures: {
      endOfTurn: 'End of turn',
      firstByte: 'First byte',
      firstAudio: 'First audio',
      bot: 'On to Discord',
      total: 'Voice to voice',
      played: 'Played',
    },
    explain: {
      endOfTurn: 'from the last sound spoken to the request',
      firstByte: 'from the request to the first byte of the answer',
      firstAudio: 'from the request to its first sound',
      bot: 'from the first sound of the answer to the first packet on the wire',
      total: 'from the last sound spoken to the first sound of the reply',
      played: 'sound that went out',
    },
    request: 'Request as sent',
    reply: 'Reply',
    replySound: 'Sound of the reply',
    requestSound: 'Sound sent to the model',
    roles: { system: 'System', developer: 'Developer', user: 'User', assistant: 'Assistant' },
    events: {
      request: 'Request complete',
      firstByte: 'First byte of the answer',
      firstAudio: 'First sound of the answer',
      firstSound: 'First packet of the reply on the wire',
      ended: 'Answer complete',
      abandoned: 'Answer given up',
      over: (name) => `${name} speaks over the reply`,
      stopped: 'Last sound of the reply',
    },
    gone: 'The sandbox no longer keeps this request.',
    ms: (value) => `${value} ms`,
  },
  knobs: {
    title: 'The world',
    model: 'Model',
    realModel: 'These act on the sandbox’s own model.',
    delay: 'Time to first sound',
    speed: 'Faster than real time',
    fault: 'Fault',
    faultHint: 'The next request fails this way:',
    faults: {
      '500': 'server error (500)',
      '429': 'too many requests (429)',
      '401': 'wrong key (401)',
      stall: 'stops in the middle',
      cut: 'connection cut',
      'filter-reply': 'content filter',
      html: 'a web page instead',
    },
    failNext: 'Fail next request',
    network: 'Network to the bot',
    loss: 'Packets lost',
    jitter: 'Jitter',
    people: 'Others',
    over: (name) => `${name} speaks now`,
    overLine: 'Wait, I have a better idea.',
    whenBotSpeaks: 'Talk over Parley when it next speaks',
    disconnect: 'Disconnects',
    gateway: 'Cut the gateway',
    voice: 'Cut the voice socket',
    move: 'Move the voice server',
    kick: 'Disconnect the bot',
    done: (what) => `Done: ${what}`,
  },
  dialog: { submit: 'Submit', cancel: 'Cancel' },
  failed: (reason) => `That did not work: ${reason}`,
};
