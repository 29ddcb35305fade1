import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Hono } from 'hono';
import { WebSocketServer } from 'ws';
import type { LiveSound } from '../voice/live-sound.ts';
import { IMPORT_MAP, loadAssets, loadFrame, type Asset } from './assets.ts';
import { serveLiveSound } from './live-socket.ts';
import { pageHeaders } from './security.ts';

export interface PageOptions {
  /** Origin of the sandbox's CDN, from which attachments are shown. */
  readonly cdnOrigin: string;
  readonly live: LiveSound;
  /** The last page of this person is closed: they leave the call, as someone who closes Discord does. */
  readonly personGone: (personId: string) => void;
}

/** The playground: a page on which somebody is a person in the sandbox's Discord. It hangs on the control server. */
export interface Page extends Disposable {
  readonly routes: Hono;
  /** Takes a WebSocket that is for the page. False when it is not. Who asks has been looked at before. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
}

/** Largest message from the page: a frame of sound, or a few words. */
const MAX_MESSAGE_BYTES = 4096;

/** Reads the page's files and makes it ready to be served. */
export async function createPage({ cdnOrigin, live, personGone }: PageOptions): Promise<Page> {
  const [frame, assets] = await Promise.all([loadFrame(), loadAssets()]);
  const headers = pageHeaders({ cdnOrigin, importMap: IMPORT_MAP });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  const open = new Map<string, number>();
  const routes = new Hono();
  routes.get('/', ({ req }) => answer(frame, req.raw, headers));
  routes.get('/page/*', ({ req, notFound }) => {
    const asset = assets.get(req.path);
    return asset ? answer(asset, req.raw, headers) : notFound();
  });
  routes.get('/favicon.ico', () => new Response(null, { status: 204, headers }));
  return {
    routes,
    upgrade(request, socket, head) {
      const url = URL.parse(request.url ?? '', 'http://page');
      const personId = url?.pathname === '/live' ? url.searchParams.get('person') : null;
      if (personId === null) return false;
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        open.set(personId, (open.get(personId) ?? 0) + 1);
        const gone = (): void => {
          const others = (open.get(personId) ?? 1) - 1;
          if (others > 0) open.set(personId, others);
          else if (open.delete(personId)) personGone(personId);
        };
        serveLiveSound(webSocket, { personId, live, gone });
      });
      return true;
    },
    [Symbol.dispose]() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function answer(asset: Asset, request: Request, headers: Readonly<Record<string, string>>): Response {
  const caching = { ...headers, etag: asset.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' };
  if (request.headers.get('if-none-match') === asset.etag) return new Response(null, { status: 304, headers: caching });
  const typed = { ...caching, 'content-type': asset.contentType };
  return /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
    ? new Response(asset.compressed, { headers: { ...typed, 'content-encoding': 'gzip' } })
    : new Response(asset.bytes, { headers: typed });
}
