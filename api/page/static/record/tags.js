// Tags: what is in use is proposed where one is typed.

import { byId, h, replaceIfChanged } from "../shared/dom.js";

export function showTags({ data }) {
  replaceIfChanged(byId("known-tags"), data, () => data.map(({ tag }) => h("option", { value: tag })));
}

/** The tags of a text: they are separated by spaces or commas. */
export const splitTags = (text) => [...new Set(text.split(/[\s,]+/).filter(Boolean))];
