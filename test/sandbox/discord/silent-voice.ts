import type { VoiceCalls } from '../../../src/sandbox/discord/voice-presence.ts';
import type { CallMember, VoiceService } from '../../../src/sandbox/voice/service.ts';

/** A voice server without sound: it only remembers what it was told. */
export class SilentVoice implements VoiceCalls {
  readonly endpoint = '127.0.0.1:1';
  readonly told: string[] = [];
  readonly members = new Map<string, CallMember>();

  admitBot(call: CallMember & { sessionId: string }): { token: string; endpoint: string } {
    this.told.push('admit-bot');
    this.members.set(call.userId, call);
    return { token: `voice-token-${this.told.length}`, endpoint: this.endpoint };
  }

  updateBot(member: CallMember): void {
    this.told.push('update-bot');
    this.members.set(member.userId, member);
  }

  removeBot(_guildId: string, closeCode?: number): void {
    this.told.push(`remove-bot ${closeCode ?? 'quietly'}`);
  }

  addPerson(member: CallMember): void {
    this.told.push('add-person');
    this.members.set(member.userId, member);
  }

  updatePerson(member: CallMember): void {
    this.told.push('update-person');
    this.members.set(member.userId, member);
  }

  removePerson(_guildId: string, userId: string): void {
    this.told.push('remove-person');
    this.members.delete(userId);
  }

  readonly methods: VoiceService['methods'] = {
    speak: () => Promise.reject(new Error('There is no sound here.')),
    stopSpeaking: async () => {},
    heard: async () => ({ packets: [], wav: '' }),
    setNetwork: async () => {},
    voiceFault: async () => {},
    setVoiceDefaults: async () => {},
  };
}
