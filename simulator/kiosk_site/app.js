// A kiosk's own web content, as a demo. Everything it tells the agent goes through `tell`; without agent it just works.
'use strict';

const ICONS = {
  'thu-tuc': ['#176a6a', '<rect x="5" y="3" width="14" height="18" rx="2"/><circle cx="12" cy="10" r="3"/><path d="M9 17h6"/>'],
  'gio-lam-viec': ['#2c5f9e', '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>'],
  'van-hoa': ['#a3271f', '<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="5"/><circle cx="12" cy="12" r="1.5"/><path d="M12 3v2m0 14v2M3 12h2m14 0h2"/>'],
  'dau-tu': ['#9a6410', '<path d="M4 20V10m5 10V6m5 14v-8m5 8V4M3 20h18"/>'],
  'hoa-binh': ['#35713b', '<path d="M3 13c3 0 4-4 8-4l2-4c3 0 4 3 3 6l5 1c-2 5-6 7-10 7H6l3-3c-3 0-5-1-6-3z"/>'],
  'gop-y': ['#7a3b78', '<circle cx="12" cy="12" r="9"/><path d="M8 14c1 2 2.5 3 4 3s3-1 4-3M9 9.5v.5m6-.5v.5"/>'],
};
const FACES = [
  ['#b3261e', 'M8 17c1-2 2.5-3 4-3s3 1 4 3'], ['#c4641a', 'M8 16.5c1-1 2.5-1.5 4-1.5s3 .5 4 1.5'], ['#a07d10', 'M8 15.5h8'],
  ['#4b7f2c', 'M8 14.5c1 1 2.5 1.5 4 1.5s3-.5 4-1.5'], ['#1f7a4d', 'M8 14c1 2 2.5 3 4 3s3-1 4-3'],
];
const CLOCKS = ['Asia/Ho_Chi_Minh', 'Asia/Vientiane', 'Asia/Phnom_Penh', 'Asia/Shanghai'];
const FIRST = 'vi';

const query = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);
const attract = byId('attract'), stage = byId('stage'), qr = byId('qr');
const idleMs = 1000 * (Number(query.get('idle_s')) || 45);
const tune = new Audio();
let language = FIRST, page = 'home', idleTimer, greeting = 0, rated = false;

const text = () => STRINGS[language];
const tell = (act, ...words) => window.ttdn?.[act](...words);
const svg = (path) => `<svg class="icon" viewBox="0 0 24 24">${path}</svg>`;

/** Load the agent's script; it may start after this page does. */
function findAgent() {
  const script = document.createElement('script');
  script.src = query.get('agent') || document.querySelector('meta[name=ttdn-agent]').content;
  script.onerror = () => { script.remove(); setTimeout(findAgent, 3000); };
  document.head.append(script);
}

function tile(name) {
  const { title, lead } = text().pages[name];
  return `<button class="tile" type="button" data-open="${name}" style="--tint:${ICONS[name][0]}">${svg(ICONS[name][1])}
    <span><b>${title}</b><small>${lead}</small></span></button>`;
}

function clocks() {
  const clock = (zone, n) => `<div><b data-zone="${zone}"></b><span>${text().countries[n]}</span></div>`;
  return `<div class="clocks">${CLOCKS.map(clock).join('')}</div>`;
}

function faces() {
  const face = ([colour, mouth], n) => `<button type="button" data-rate="${n + 1}" style="--face:${colour}">
    <svg viewBox="0 0 24 24"><circle cx="12" cy="12" r="10"/><path d="M8.5 9v.8m7-.8v.8${mouth}"/></svg>${text().faces[n]}</button>`;
  return `<div class="faces">${FACES.map(face).join('')}</div><p class="thanks"><span></span><small>${text().anonymous}</small></p>`;
}

function actions(name) {
  if (name === 'gop-y') return '';
  const listen = `<button class="pill quiet" type="button" data-listen>${text().listen}</button>`;
  return `<div class="actions">${name === 'van-hoa' ? listen : ''}<button class="pill" type="button" data-qr>${text().more}</button></div>`;
}

function content(name) {
  const { title, lead, facts } = text().pages[name];
  const items = facts.map(([head, body], n) => `<li><i>${n + 1}</i><div><b>${head}</b><span>${body}</span></div></li>`).join('');
  return `<section class="page" style="--tint:${ICONS[name][0]}"><header>${svg(ICONS[name][1])}<div><h2>${title}</h2><p>${lead}</p></div></header>
    ${name === 'gio-lam-viec' ? clocks() : ''}${name === 'gop-y' ? faces() : `<ul class="facts">${items}</ul>`}${actions(name)}</section>`;
}

function draw() {
  document.documentElement.lang = language;
  document.body.classList.toggle('open', page !== 'home');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = text()[element.dataset.text];
  for (const button of byId('languages').children) button.ariaPressed = String(button.dataset.language === language);
  stage.innerHTML = page === 'home' ? `<div class="tiles">${Object.keys(ICONS).map(tile).join('')}</div>` : content(page);
  tick();
}

function open(name) {
  page = name;
  rated = false;
  tune.pause();
  qr.hidden = true;
  tell('page', name);
  draw();
}

function select(name) {
  language = name;
  tell('language', name);
  draw();
}

function rate(button) {
  if (rated) return;
  rated = true;
  tell('feedback', Number(button.dataset.rate));
  button.classList.add('chosen');
  button.parentElement.classList.add('done');
  stage.querySelector('.thanks span').textContent = text().thanks;
}

function listen(button) {
  if (tune.paused) {
    tune.src ||= tuneUrl();
    tune.currentTime = 0;
    tune.play();
  } else tune.pause();
  button.textContent = tune.paused ? text().listen : text().stop;
}

function showQr() {
  qr.hidden = false;
  tell('qr', 'vietnam.vn');
}

/** Nobody is there any more, or somebody said good-bye: back to the beginning. */
function finish() {
  tune.pause();
  tell('end');
  tell('page', null);
  language = FIRST;
  page = 'home';
  qr.hidden = true;
  attract.hidden = false;
  draw();
}

function touched(event) {
  clearTimeout(idleTimer);
  idleTimer = setTimeout(finish, idleMs);
  if (event.type !== 'click') return;
  if (!attract.hidden) {
    attract.hidden = true;
    open('home');
    return;
  }
  const button = event.target.closest('button');
  if (event.target === qr) qr.hidden = true;
  if (button) press(button);
}

function press(button) {
  const { dataset, id } = button;
  if (dataset.open) open(dataset.open);
  else if (dataset.language) select(dataset.language);
  else if (dataset.rate) rate(button);
  else if ('listen' in dataset) listen(button);
  else if ('qr' in dataset) showQr();
  else if (id === 'home') open('home');
  else if (id === 'finish') finish();
  else qr.hidden = true;
}

function tick() {
  for (const clock of document.querySelectorAll('[data-zone]')) {
    clock.textContent = new Intl.DateTimeFormat('en-GB', { timeZone: clock.dataset.zone, hour: '2-digit', minute: '2-digit' }).format();
  }
}

/** The greeting in one language after the other, while nobody is there. */
function greet() {
  const words = Object.values(STRINGS)[greeting++ % Object.keys(STRINGS).length];
  for (const element of [byId('hello'), byId('touch')]) element.classList.add('changing');
  setTimeout(() => {
    byId('hello').textContent = words.welcome;
    byId('touch').textContent = words.touch;
    for (const element of [byId('hello'), byId('touch')]) element.classList.remove('changing');
  }, greeting > 1 ? 500 : 0);
}

/** Five seconds of a five-tone tune, made here: a WAV of 8 kHz, 8 bit, mono. */
function tuneUrl() {
  const rate = 8000, notes = [0, 3, 5, 7, 10, 7, 5, 3, 5, 0], each = rate / 2, size = notes.length * each;
  const wave = new DataView(new ArrayBuffer(44 + size));
  [[0, 0x52494646], [8, 0x57415645], [12, 0x666d7420], [36, 0x64617461]].forEach(([at, word]) => wave.setUint32(at, word));
  [[4, 36 + size], [16, 16], [20, 0x10001], [24, rate], [28, rate], [32, 0x80001], [40, size]].forEach(([at, word]) => wave.setUint32(at, word, true));
  for (let n = 0; n < size; n++) {
    const hertz = 392 * 2 ** (notes[Math.floor(n / each)] / 12), since = (n % each) / rate;
    wave.setUint8(44 + n, 128 + 90 * Math.exp(-5 * since) * Math.sin(2 * Math.PI * hertz * since));
  }
  return URL.createObjectURL(new Blob([wave], { type: 'audio/wav' }));
}

byId('languages').innerHTML = Object.entries(STRINGS).map(([code, { name }]) => `<button type="button" lang="${code}" data-language="${code}">${name}</button>`).join('');
tune.dataset.ttdnMedia = 'giai-dieu';
tune.onpause = () => { const button = stage.querySelector('[data-listen]'); if (button) button.textContent = text().listen; };
document.body.append(tune);
for (const type of ['click', 'pointerdown', 'keydown']) addEventListener(type, touched);
setInterval(tick, 5000);
setInterval(greet, 4000);
greet();
findAgent();
if (STRINGS[query.get('lang')]) language = query.get('lang'); // for a look at one page: ?lang=km&page=van-hoa
if (ICONS[query.get('page')]) page = query.get('page');
attract.hidden = query.has('page');
draw();
