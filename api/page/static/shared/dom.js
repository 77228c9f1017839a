// Elements. All text goes through text nodes, so none of it can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element: `h("p", { class: "quiet" }, "text", child, null)`. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an element of SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

/** Sets a text, and touches nothing if it is the same: a reader may be selecting it. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === false || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Replaces the children if what they show has changed. */
export function replaceIfChanged(element, state, make) {
  const key = JSON.stringify(state);
  if (element.dataset.shown === key) return;
  element.dataset.shown = key;
  element.replaceChildren(...[make()].flat().filter(Boolean));
}

export const byId = (id) => document.getElementById(id);

/** Returns a function that runs at most once in `milliseconds`, the last time included. */
export function throttle(milliseconds, run) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      run();
    }, milliseconds);
  };
}
