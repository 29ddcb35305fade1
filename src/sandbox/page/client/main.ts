import { h, render } from 'preact';
import { languageOf } from './language/languages.ts';
import { Store } from './store.ts';
import { App } from './ui/app.ts';
import { Voice } from './voice.ts';

const place = document.querySelector('#page');
const chosen = localStorage.getItem('language');
const language = languageOf(chosen === null ? navigator.languages : [chosen]);
const store = await Store.open(language);
if (place) render(h(App, { store, voice: new Voice(store) }), place);
