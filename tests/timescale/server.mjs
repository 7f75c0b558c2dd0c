// node server.mjs PACKAGES PORT PATIENCE_S: TimescaleDB on a loopback port for any client of PostgreSQL.
//
// PACKAGES is the folder that npm has installed into; PORT 0 takes any. All is in memory. Prints READY and the port,
// then obeys the lines of its standard input, each with the same line as its answer, and ends with it:
//   keep NAME     what the database holds now is remembered
//   reset NAME    the database holds again what it held then; both end all connections

import net from 'node:net';
import readline from 'node:readline';
import { Backend } from './backend.mjs';
import { Session } from './session.mjs';
import { Turns } from './turns.mjs';

process.on('uncaughtException', fail);
const [packages, port, patienceS] = process.argv.slice(2);
const backend = await Backend.start(packages);
const turns = new Turns(patienceS * 1000);
const sessions = new Set();
let number = 0;

async function serve(socket) {
  const session = new Session(++number, socket, backend, turns);
  sessions.add(session);
  await session.serve();
  sessions.delete(session);
}

function obey(line) {
  const [verb, name] = line.split(' ');
  for (const session of sessions) session.close();
  sessions.clear();
  if (verb === 'keep') backend.keep(name);
  else if (verb !== 'reset' || !backend.reset(name)) fail(new Error(`cannot obey: ${line}`));
  console.log(line);
}

function fail(error) {
  console.error(error.stack); // not the error itself: Node would add a line of its source, which is half a megabyte
  process.exit(1);
}

readline.createInterface({ input: process.stdin }).on('line', obey).on('close', () => process.exit());
const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {}); // a client's end is not ours
  serve(socket).catch(fail); // after a trap the backend cannot go on
});
server.listen(Number(port), '127.0.0.1', () => console.log(`READY ${server.address().port}`));
