// What this browser remembers of uploads that have no job yet: address, file and options.

const PREFIX = "upload:";
const held = new Set(); // addresses in use on this page

/** A browser that keeps nothing sends it all the same. */
export function remember(url, { name, size, lastModified }, fields) {
  try {
    localStorage.setItem(PREFIX + url, JSON.stringify({ name, size, lastModified, fields }));
  } catch (error) {
    console.info(`A reload will not find the upload of ${name} again: ${error.message}`);
  }
}

export function forget(url) {
  localStorage.removeItem(PREFIX + url);
}

function recall(url) {
  const text = localStorage.getItem(PREFIX + url);
  return text && { url, ...JSON.parse(text) };
}

function all() {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  return keys.map((key) => recall(key.slice(PREFIX.length)));
}

export function isFileOf(entry, { name, size, lastModified }) {
  return entry.name === name && entry.size === size && entry.lastModified === lastModified;
}

/** Keeps other pages from listing it. Returns what ends that. */
export function hold(url) {
  let release = () => {};
  held.add(url);
  const end = new Promise((resolve) => (release = resolve));
  navigator.locks?.request(PREFIX + url, () => end);
  return () => {
    held.delete(url);
    release();
  };
}

/**
 * show(entry) for each that no page is at work on, now and when such a page is closed;
 * drop(url) when another page goes on with it, or it has ended.
 */
export function watchUnfinished({ show, drop }) {
  function offer(url) {
    const showIt = () => {
      const entry = recall(url);
      if (entry && !held.has(url)) show(entry);
    };
    if (navigator.locks) navigator.locks.request(PREFIX + url, showIt);
    else showIt();
  }

  for (const { url } of all()) offer(url);
  addEventListener("storage", ({ key, newValue }) => {
    if (!key?.startsWith(PREFIX)) return;
    const url = key.slice(PREFIX.length);
    drop(url);
    if (newValue !== null) offer(url);
  });
}
