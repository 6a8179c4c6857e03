// Makes an element like a newer version of itself, node by node, so that focus,
// selection and running transitions survive. Elements with data-key are matched by it.

/** The one element of a piece of server-made HTML; its scripts never run. */
export function element(html) {
  return new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
}

export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = fresh.data;
    return;
  }
  matchAttributes(old, fresh);
  matchChildren(old, fresh);
}

function matchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    const isReaders = name === "open" && old.tagName === "DETAILS";
    if (!fresh.hasAttribute(name) && !isReaders) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
    if (name === "selected") old.selected = true; // a reader's choice outlives the attribute
  }
}

function matchChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const match = partner(place, child, keyed);
    if (!match) {
      old.insertBefore(child, place);
    } else {
      if (match !== place) old.insertBefore(match, place);
      place = match.nextSibling;
      morph(match, child);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function partner(place, child, keyed) {
  const key = child.dataset?.key;
  if (key) return keyed.get(key);
  const fits = place && place.nodeName === child.nodeName && !place.dataset?.key;
  return fits ? place : null;
}
