// A WebAssembly program between two calls, as it is now and as it can be made again within milliseconds: its memory,
// and the files and open files of Emscripten's file system in that memory. A library loaded later would stay loaded
// while the program forgets it: whoever takes a snapshot has loaded before what will be needed.

const PAGE_BYTES = 1 << 16;
const EMPTY_PAGE = Buffer.alloc(PAGE_BYTES);

/** A program made by Emscripten with all of its files in memory (MEMFS). */
export class Snapshot {
  #program;
  #pages; // those that hold anything: where, and what
  #directory; // the file system's hash table of all nodes
  #nodes;
  #streams;

  constructor(program) {
    this.#program = program;
    this.#pages = [...writtenPages(program.HEAPU8)];
    const { FS } = program;
    this.#directory = [...FS.nameTable];
    this.#nodes = [...nodesOf(FS)].map((node) => ({ node, fields: { ...node }, contents: copyContents(FS, node) }));
    this.#streams = FS.streams.map((stream) => stream && { stream, fields: { ...stream }, shared: { ...stream.shared } });
  }

  /** Everything is as it was, also where memory has grown or files are gone. */
  restore() {
    const { FS, HEAPU8: memory } = this.#program;
    memory.fill(0);
    for (const { start, bytes } of this.#pages) memory.set(bytes, start);
    FS.nameTable = [...this.#directory];
    for (const { node, fields, contents } of this.#nodes) {
      Object.assign(node, fields);
      if (contents) node.contents = FS.isDir(node.mode) ? { ...contents } : contents.slice();
    }
    FS.streams = this.#streams.map((kept) => {
      if (!kept) return kept;
      Object.assign(kept.stream, kept.fields);
      Object.assign(kept.stream.shared, kept.shared); // the position, which copies of a descriptor have in common
      return kept.stream;
    });
  }
}

function* writtenPages(memory) {
  for (let start = 0; start < memory.length; start += PAGE_BYTES) {
    const page = memory.subarray(start, start + PAGE_BYTES);
    if (!EMPTY_PAGE.equals(page)) yield { start, bytes: page.slice() };
  }
}

function* nodesOf(FS) {
  for (const first of FS.nameTable) {
    for (let node = first; node; node = node.name_next) yield node;
  }
}

/** What a node holds and a program can change: a folder's entries, a file's bytes; null for devices and links. */
function copyContents(FS, node) {
  if (!node.contents) return null;
  if (FS.isDir(node.mode)) return { ...node.contents };
  return FS.isFile(node.mode) ? node.contents.slice(0, node.usedBytes) : null;
}
