// Tells the kiosk's agent what visitors do: names only, nothing typed, nothing stored.
// <script src="http://127.0.0.1:8787/ttdn.js">, or a copy with data-agent="http://127.0.0.1:8787".
// <body data-ttdn-page="name"> and <video data-ttdn-media="name"> need no call. Names: a-z 0-9 _ . / -
(() => {
  const { dataset, src } = document.currentScript;
  const url = new URL('/v1/visits', dataset.agent || src).href;
  const queue = [], started = new WeakMap(), ms = Math.round, now = () => performance.now();
  let touchedAt = -1e9, toldAt = -1e9, batch = 16, wait = 1e3, busy, timer, shown, here;

  function say(type, fields) {
    const touched = now() - touchedAt < 5e3;
    if (touched) toldAt = now();
    if (queue.length > 63) drop();
    queue.push({ type, at: now(), id: 1 + ms(Math.random() * 2 ** 52), touched, ...fields });
    if (!busy) busy = setTimeout(send);
  }

  const drop = () => { queue.shift(); ttdn.dropped++; };

  const post = (messages) => fetch(url, {
    method: 'POST', keepalive: true, signal: AbortSignal.timeout?.(1e4),
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(messages.map(({ at, ...rest }) => ({ ...rest, age_ms: ms(now() - at) }))),
  });

  async function send() {
    while (queue.length && now() - queue[0].at > 59e4) drop();
    const sent = queue.slice(0, batch);
    let status, delay = 0;
    try {
      if (sent[0]) ({ status } = await post(sent));
    } catch { /* away: later */ }
    if (status === 200) {
      for (const m of sent) if (queue[0] === m) queue.shift();
      batch = 16; wait = 1e3;
    } else if ([400, 413, 422].includes(status)) { // which is wrong?
      if (batch > 1) batch = 1; else if (queue[0] === sent[0]) drop();
    } else delay = wait = Math.min(wait * 2, 3e4);
    busy = queue.length && setTimeout(send, delay);
  }

  function look() {
    const { element: e, ...facts } = shown;
    if (e) Object.assign(facts, { playing: !e.paused, position_ms: ms(e.currentTime * 1e3) });
    if (queue.length < 9) say('display', { playing: true, visible: !document.hidden, ...facts });
  }

  const ttdn = window.ttdn = {
    /** Messages lost. */
    dropped: 0,
    /** Selected: 'vi' ... */
    language: (language) => say('language', { language }),
    /** A page is on screen; null: none. */
    page: (target) => say(target ? 'page_view' : 'page_leave', (here = target) && { target }),
    /** A medium plays; with {watched_ms, ended}: paused or over. */
    media: (target, stop) => say(stop ? 'media_stop' : 'media_play', { target, ...stop }),
    /** Somebody searched. */
    search: () => say('search_used'),
    /** A QR code is shown. */
    qr: (target) => say('qr_shown', { target }),
    /** 1 (bad) to 5 (good). */
    feedback: (rating) => say('feedback', { rating }),
    /** The visit is over. */
    end() { say('end'); touchedAt = toldAt = -1e9; },
    /** What a page that plays shows, repeated until the next call; null: nothing.
     *  {element: <video>} or {playing, position_ms}; turn, sha256. */
    display(ref, facts) {
      clearInterval(timer);
      shown = ref ? { content_ref: ref, ...facts } : { playing: false };
      if (ref) timer = setInterval(look, 5e3);
      look();
    },
  };

  const on = (types, act) => types.split(' ').forEach((t) => addEventListener(t, act, true));
  on('pointerdown touchstart keydown', (e) => {
    if (!e.isTrusted) return;
    touchedAt = now();
    if (touchedAt - toldAt > 1e4) say('touch', here && { target: here });
  });
  on('play pause emptied', ({ target: e, type }) => {
    const name = e.dataset?.ttdnMedia, since = started.get(e);
    if (!name) return;
    started.delete(e);
    if (type === 'play') { started.set(e, now()); ttdn.media(name); }
    else if (since) ttdn.media(name, { watched_ms: ms(now() - since), ended: e.ended });
  });
  on('pagehide', () => {
    say('page_leave');
    while (queue[0]) post(queue.splice(0, 16)).catch(() => {});
  });
  on('pageshow', () => {
    const e = document.querySelector('[data-ttdn-page]');
    if (e) ttdn.page(e.dataset.ttdnPage);
  });
})();
