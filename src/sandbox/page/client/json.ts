import type { Json } from './state.ts';

/** The bot's JSON is read field by field: what has another shape counts as not there. */
export function textIn(json: Json, name: string): string | undefined {
  const value = json[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberIn(json: Json, name: string): number | undefined {
  const value = json[name];
  return typeof value === 'number' ? value : undefined;
}

export function objectIn(json: Json, name: string): Json | undefined {
  return isJson(json[name]) ? json[name] : undefined;
}

export function listIn(json: Json, name: string): readonly Json[] {
  const value = json[name];
  return Array.isArray(value) ? value.filter(isJson) : [];
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text in the page's language, if the bot has given it. */
export function localized(json: Json, name: string, language: string): string {
  const translations = objectIn(json, `${name}_localizations`) ?? {};
  const found = Object.entries(translations).find(([locale]) => locale.startsWith(language))?.[1];
  return typeof found === 'string' ? found : (textIn(json, name) ?? '');
}
